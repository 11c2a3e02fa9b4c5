// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/names.h"

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>

#include <cctype>
#include <set>
#include <string_view>

#include "codegen/reserved.h"

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

// An identifier that no other text maps to.
std::string Mangled(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte)) {
      out += c;
    } else {
      out.append({'_', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

bool Reaches(const pb::FileDescriptor& from, const pb::FileDescriptor& to,
             std::set<const pb::FileDescriptor*>& seen) {
  if (&from == &to) return true;
  if (!seen.insert(&from).second) return false;
  for (int i = 0; i < from.dependency_count(); ++i) {
    if (Reaches(*from.dependency(i), to, seen)) return true;
  }
  return false;
}

// "a<between>b", or the one that is not empty.
std::string Joined(std::string a, std::string_view between, std::string_view b) {
  if (!a.empty() && !b.empty()) a += between;
  return a.append(b);
}

// Whether protobuf's code for the file, or for one that it imports, gives a
// meaning to what the .proto would call `symbol`. Other files do not count, or
// protoc's command line would decide what a class is called.
bool IsTaken(const pb::FileDescriptor& file, const std::string& symbol) {
  const pb::FileDescriptor* owner = file.pool()->FindFileContainingSymbol(symbol);
  if (!owner) return false;
  const bool is_service = file.pool()->FindServiceByName(symbol) != nullptr;
  if (is_service && !owner->options().cc_generic_services()) return false;
  std::set<const pb::FileDescriptor*> seen;
  return Reaches(file, *owner, seen);
}

std::string ClassFor(const pb::ServiceDescriptor& service, std::string_view role,
                     const Options& options) {
  const pb::FileDescriptor& file = *service.file();
  const std::string scope = Joined(std::string(file.package()), ".", options.services_namespace);
  std::string name = std::string(service.name()).append(role);
  while (IsTaken(file, Joined(scope, ".", name))) name += '_';
  return name;
}

}  // namespace

std::string BaseName(const pb::FileDescriptor& file) {
  return pb::compiler::cpp::StripProto(std::string(file.name()));
}

std::string IncludeGuard(const pb::FileDescriptor& file) {
  return "FERRY_GENERATED_" + Mangled(std::string(file.name()));
}

std::string Namespace(const pb::FileDescriptor& file) {
  if (file.package().empty()) return "";
  // Protobuf's rule for keywords is only to be had this way: the functions behind it
  // are not part of libprotoc's interface, and the file may have no message.
  pb::FileDescriptorProto with_message;
  with_message.set_name("names.proto");
  with_message.set_package(std::string(file.package()));
  with_message.add_message_type()->set_name("M");
  pb::DescriptorPool pool;
  const std::string name =
      pb::compiler::cpp::QualifiedClassName(pool.BuildFile(with_message)->message_type(0));
  const size_t prefix = std::string_view("::").size();
  return name.substr(prefix, name.rfind("::") - prefix);
}

std::string ClassNamespace(const pb::FileDescriptor& file, const Options& options) {
  return Joined(Namespace(file), "::", options.services_namespace);
}

std::string ServiceClass(const pb::ServiceDescriptor& service, const Options& options) {
  return ClassFor(service, "Service", options);
}

std::string StubClass(const pb::ServiceDescriptor& service, const Options& options) {
  return ClassFor(service, "Stub", options);
}

std::string MockClassName(const pb::ServiceDescriptor& service, const Options& options) {
  const pb::FileDescriptor& file = *service.file();
  const std::string scope = Joined(std::string(file.package()), ".", options.services_namespace);
  std::string name = "Mock" + ServiceClass(service, options);
  while (IsTaken(file, Joined(scope, ".", name))) name += '_';
  return name;
}

std::string MethodName(const pb::MethodDescriptor& method, const Options& options) {
  const pb::ServiceDescriptor& service = *method.service();
  const std::set<std::string> members = {"ferry_methods", "ferry_channel_",
                                         ServiceClass(service, options),
                                         StubClass(service, options)};
  const std::string written(method.name());
  std::string name = Escaped(written);
  while (members.count(name) > 0 || (name != written && service.FindMethodByName(name))) {
    name += '_';
  }
  return name;
}

std::string MessageType(const pb::Descriptor& message) {
  // QualifiedClassName names a macro for the files of google.protobuf.
  const std::string scope = Namespace(*message.file());
  return (scope.empty() ? "::" : "::" + scope + "::") + pb::compiler::cpp::ClassName(&message);
}

std::string FullName(const pb::MethodDescriptor& method) {
  return std::string(method.service()->full_name()) + "/" + std::string(method.name());
}

std::string ConstantsNamespace(const pb::ServiceDescriptor& service) {
  // The '_' makes it no keyword and no macro.
  return "ferry::internal::generated::" + Mangled(std::string(service.full_name())) + "_";
}

std::string ConstantName(const pb::MethodDescriptor& method) {
  return "k" + std::string(method.name());
}

}  // namespace ferry::codegen

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/names.h"

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>

#include <cctype>
#include <set>
#include <string_view>

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

// What protobuf calls a message in C++: "::harbour::boats::Trip" for
// ("harbour.boats", "Trip"). Its rule for keywords is only to be had this way:
// the functions behind it are not part of libprotoc's interface.
std::string ProtobufName(const std::string& package, const std::string& name) {
  pb::FileDescriptorProto file;
  file.set_name("names.proto");
  file.set_package(package);
  file.add_message_type()->set_name(name);
  pb::DescriptorPool pool;
  return pb::compiler::cpp::QualifiedClassName(pool.BuildFile(file)->message_type(0));
}

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

// Names that protobuf 3.21 leaves alone: the keywords of C++20, and macros that
// are met without asking for them. A method is called the same whichever C++
// the code is compiled as.
bool IsReserved(const std::string& name) {
  static const std::set<std::string> names = {"assert",   "char8_t", "co_await",  "co_return",
                                              "co_yield", "concept", "consteval", "constinit",
                                              "errno",    "linux",   "requires",  "unix"};
  return names.count(name) > 0;
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

// Whether protobuf's code for the file, or for one that it imports, gives
// `name` a meaning in the file's namespace. Other files do not count, or
// protoc's command line would decide what a class is called.
bool IsTaken(const pb::FileDescriptor& file, const std::string& name) {
  const std::string package(file.package());
  const std::string symbol = package.empty() ? name : package + "." + name;
  const pb::FileDescriptor* owner = file.pool()->FindFileContainingSymbol(symbol);
  if (!owner) return false;
  const bool is_service = file.pool()->FindServiceByName(symbol) != nullptr;
  if (is_service && !owner->options().cc_generic_services()) return false;
  std::set<const pb::FileDescriptor*> seen;
  return Reaches(file, *owner, seen);
}

std::string ClassFor(const pb::ServiceDescriptor& service, std::string_view role) {
  std::string name = std::string(service.name()).append(role);
  while (IsTaken(*service.file(), name)) name += '_';
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
  const std::string name = ProtobufName(std::string(file.package()), "M");
  const size_t prefix = std::string_view("::").size();
  return name.substr(prefix, name.rfind("::") - prefix);
}

std::string ServiceClass(const pb::ServiceDescriptor& service) {
  return ClassFor(service, "Service");
}

std::string StubClass(const pb::ServiceDescriptor& service) { return ClassFor(service, "Stub"); }

std::string MethodName(const pb::MethodDescriptor& method) {
  const pb::ServiceDescriptor& service = *method.service();
  const std::set<std::string> members = {"ferry_methods", "ferry_channel_", ServiceClass(service),
                                         StubClass(service)};
  const std::string written(method.name());
  std::string name = ProtobufName("", written).substr(std::string_view("::").size());
  while (members.count(name) > 0 || IsReserved(name) ||
         (name != written && service.FindMethodByName(name))) {
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
  return "ferry::internal::generated::" + Mangled(std::string(service.full_name()));
}

std::string ConstantName(const pb::MethodDescriptor& method) {
  return "k" + std::string(method.name());
}

}  // namespace ferry::codegen

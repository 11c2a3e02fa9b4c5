// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/generator.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <memory>

#include "codegen/header.h"
#include "codegen/mock.h"
#include "codegen/names.h"
#include "codegen/options.h"
#include "codegen/shape.h"
#include "codegen/source.h"

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

// The Check functions return what is wrong, or "". libprotoc puts the file's name
// in front.

std::string CheckMethods(const pb::ServiceDescriptor& service) {
  for (int i = 0; i < service.method_count(); ++i) {
    std::string problem = CheckShape(*service.method(i));
    if (!problem.empty()) return problem;
  }
  return "";
}

std::string CheckFile(const pb::FileDescriptor& file) {
  if (file.pool()->FindFileContainingSymbol("ferry.internal")) {
    return "the name ferry.internal is taken by ferry's own C++ namespace; "
           "choose another";
  }
  for (int i = 0; i < file.service_count(); ++i) {
    std::string problem = CheckMethods(*file.service(i));
    if (!problem.empty()) return problem;
  }
  return "";
}

void Write(pb::compiler::GeneratorContext& context, const std::string& path,
           const std::string& text) {
  const std::unique_ptr<pb::io::ZeroCopyOutputStream> stream(context.Open(path));
  pb::io::CodedOutputStream(stream.get()).WriteString(text);
}

}  // namespace

bool Generator::Generate(const pb::FileDescriptor* file, const std::string& parameter,
                         pb::compiler::GeneratorContext* context, std::string* error) const {
  Options options;
  *error = ParseOptions(parameter, options);
  if (error->empty()) *error = CheckFile(*file);
  if (!error->empty()) return false;
  Write(*context, BaseName(*file) + ".ferry.h", Header(*file, options));
  Write(*context, BaseName(*file) + ".ferry.cc", Source(*file, options));
  if (options.generate_mocks) {
    Write(*context, BaseName(*file) + ".ferry_mock.h", Mock(*file, options));
  }
  return true;
}

#if GOOGLE_PROTOBUF_VERSION >= 6030000
pb::Edition Generator::GetMaximumEdition() const { return pb::compiler::ProtocMaximumEdition(); }
#elif GOOGLE_PROTOBUF_VERSION >= 5027000
pb::Edition Generator::GetMaximumEdition() const { return pb::EDITION_2023; }
#endif

}  // namespace ferry::codegen

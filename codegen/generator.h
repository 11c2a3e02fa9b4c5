// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Generator: what protoc-gen-ferry does for each .proto it is given.

#ifndef FERRY_CODEGEN_GENERATOR_H_
#define FERRY_CODEGEN_GENERATOR_H_

#include <google/protobuf/compiler/code_generator.h>

#include <cstdint>
#include <string>

namespace ferry::codegen {

// Writes x/NAME.ferry.h and x/NAME.ferry.cc for x/NAME.proto, always both: a
// build system has to know its outputs before it has read the .proto.
class Generator final : public google::protobuf::compiler::CodeGenerator {
 public:
  // Refuses parameters (there are none yet), streaming methods and the package
  // ferry.internal.
  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context,
                std::string* error) const override;

  uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
};

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_GENERATOR_H_

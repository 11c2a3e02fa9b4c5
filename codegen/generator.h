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
  // Refuses options that are not in options.h, one-way methods with streams and the
  // package ferry.internal.
  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context,
                std::string* error) const override;

#if GOOGLE_PROTOBUF_VERSION < 5027000  // 27.0, the first with editions
  uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
#else
  uint64_t GetSupportedFeatures() const override {
    return FEATURE_PROTO3_OPTIONAL | FEATURE_SUPPORTS_EDITIONS;
  }
  // All that the protobuf at hand knows: no feature of an edition changes what is written.
  google::protobuf::Edition GetMinimumEdition() const override {
    return google::protobuf::EDITION_PROTO2;
  }
  google::protobuf::Edition GetMaximumEdition() const override;
#endif
};

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_GENERATOR_H_

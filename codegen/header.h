// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_CODEGEN_HEADER_H_
#define FERRY_CODEGEN_HEADER_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "codegen/options.h"

namespace ferry::codegen {

// The text of NAME.ferry.h: each service's class to derive from, and its stub.
std::string Header(const google::protobuf::FileDescriptor& file, const Options& options);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_HEADER_H_

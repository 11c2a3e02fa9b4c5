// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_CODEGEN_MOCK_H_
#define FERRY_CODEGEN_MOCK_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "codegen/options.h"

namespace ferry::codegen {

// NAME.ferry_mock.h: GoogleMock's services, for the option generate_mocks.
std::string Mock(const google::protobuf::FileDescriptor& file, const Options& options);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_MOCK_H_

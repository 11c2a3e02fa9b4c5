// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_METHOD_NAME_H_
#define FERRY_RPC_INTERNAL_METHOD_NAME_H_

#include "absl/strings/string_view.h"
#include "ferry/rpc/method.h"

namespace ferry::internal {

// The method's full name for absl::StrCat, whose string_view is a type of its own in some
// builds of Abseil.
inline absl::string_view NameOf(const Method& method) {
  return {method.full_name.data(), method.full_name.size()};
}

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_METHOD_NAME_H_

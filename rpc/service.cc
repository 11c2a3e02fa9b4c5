// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/service.h"

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/method_name.h"

namespace ferry::internal {

absl::Status Unimplemented(const Method& method) {
  return absl::UnimplementedError(absl::StrCat(NameOf(method), " is not implemented"));
}

}  // namespace ferry::internal

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/service.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ferry::internal {

absl::Status Unimplemented(const Method& method) {
  absl::string_view name(method.full_name.data(), method.full_name.size());
  return absl::UnimplementedError(absl::StrCat(name, " is not implemented"));
}

}  // namespace ferry::internal

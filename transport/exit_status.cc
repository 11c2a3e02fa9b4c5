// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/exit_status.h"

#include <string.h>

#include "absl/strings/str_cat.h"

namespace ferry {

std::string ExitStatus::ToString() const {
  switch (kind) {
    case Kind::kExited:
      return absl::StrCat("exited with code ", value);
    case Kind::kKilled: {
      const char* name = sigabbrev_np(value);
      return absl::StrCat("was killed by signal ", value,
                          name != nullptr ? absl::StrCat(" (SIG", name, ")") : "");
    }
    case Kind::kUnknown:
      break;
  }
  return "has ended, its exit status was taken by another wait";
}

}  // namespace ferry

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_EXIT_CODE_H_
#define FERRY_RPC_EXIT_CODE_H_

#include "absl/status/status.h"

namespace ferry {

// For the end of main: 0 when `status` is OK, else 1, with the status on stderr.
int ExitCode(const absl::Status& status);

}  // namespace ferry

#endif  // FERRY_RPC_EXIT_CODE_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What the sys_*.cc share.

#ifndef FERRY_TRANSPORT_INTERNAL_SYS_COMMON_H_
#define FERRY_TRANSPORT_INTERNAL_SYS_COMMON_H_

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "ferry/transport/internal/sys.h"

namespace ferry::internal::sys {

extern std::atomic<FaultHook*> fault_hook;

inline bool HasFaultHook() { return fault_hook.load(std::memory_order_relaxed) != nullptr; }

// True if a test wants the call to fail; errno is set then. `length` may have become
// smaller.
inline bool Injected(Call call, size_t& length) {
  FaultHook* hook = fault_hook.load(std::memory_order_relaxed);
  if (hook == nullptr) return false;
  errno = hook->Before(call, length);
  return errno != 0;
}

inline bool Injected(Call call) {
  size_t length = 0;
  return Injected(call, length);
}

// Keeps a new descriptor off 0, 1 and 2, which may be free: what the program prints
// would go there.
int AboveStdio(int fd);

}  // namespace ferry::internal::sys

#endif  // FERRY_TRANSPORT_INTERNAL_SYS_COMMON_H_

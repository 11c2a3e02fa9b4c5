// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "shared_memory.h"

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>

namespace ferry::bench {

absl::StatusOr<internal::UniqueFd> CreateSharedMemory(size_t size) {
  internal::UniqueFd file(memfd_create("ferry_bench", MFD_CLOEXEC));
  if (file.valid() && ftruncate(file.get(), static_cast<off_t>(size)) == 0) return file;
  return absl::ErrnoToStatus(errno, "memfd of the slots");
}

void* MapSharedMemory(int file, size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace ferry::bench

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_FLOOR_IO_H_
#define FERRY_BENCH_FLOOR_IO_H_

#include <sys/types.h>

#include <cstddef>

namespace ferry::bench {

// Whether read(2) and write(2) wait, or are called again and again by those below.
bool SetPolling(int fd, bool polls);

// What is there, once something is; at most 0 at the end of the stream.
ssize_t ReadSome(int fd, char* data, size_t size);

// False at the end of the stream.
bool ReadAll(int fd, char* data, size_t size);

bool WriteAll(int fd, const char* data, size_t size);

void SleepUntilInput(int fd);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_FLOOR_IO_H_

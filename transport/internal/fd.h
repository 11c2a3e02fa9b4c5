// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_FD_H_
#define FERRY_TRANSPORT_INTERNAL_FD_H_

#include <utility>

#include "ferry/transport/internal/fork.h"

namespace ferry::internal {

// Owns a file descriptor, in this process and not in its forked children. Thread
// contract: thread-compatible.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) { HideFromForks(fd); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Reset();

 private:
  int fd_ = -1;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_FD_H_

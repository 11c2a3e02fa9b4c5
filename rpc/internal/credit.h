// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CREDIT_H_
#define FERRY_RPC_INTERNAL_CREDIT_H_

#include <algorithm>
#include <cstdint>
#include <limits>

namespace ferry::internal {

// Bytes that the peer still has room for. Any credit above zero allows one message, whatever its
// size. Thread contract: thread-compatible.
class Credit {
 public:
  // What the peer gives at first; 0: it does not count.
  void Start(uint64_t bytes) {
    is_counted_ = bytes != 0;
    Give(bytes);
  }

  void Give(uint64_t bytes) {
    auto more = static_cast<int64_t>(std::min(bytes, uint64_t{kMost}));
    left_ = left_ > kMost - more ? kMost : left_ + more;
  }

  bool allows() const { return !is_counted_ || left_ > 0; }
  void Draw(uint64_t bytes) { left_ -= static_cast<int64_t>(bytes); }

 private:
  static constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

  bool is_counted_ = false;
  int64_t left_ = 0;  // below zero after a message that was larger
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CREDIT_H_

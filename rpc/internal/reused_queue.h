// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_REUSED_QUEUE_H_
#define FERRY_RPC_INTERNAL_REUSED_QUEUE_H_

#include <cstddef>
#include <list>
#include <utility>

namespace ferry::internal {

// A queue that allocates nothing once it has been as long as it gets, as std::deque does now and
// then. Thread contract: thread-compatible; its owner's lock guards it.
template <typename T>
class ReusedQueue {
 public:
  bool empty() const { return used_.empty(); }
  size_t size() const { return used_.size(); }

  typename std::list<T>::const_iterator begin() const { return used_.begin(); }
  typename std::list<T>::const_iterator end() const { return used_.end(); }

  void Push(T value) {
    if (free_.empty()) {
      used_.push_back(std::move(value));
      return;
    }
    free_.front() = std::move(value);
    used_.splice(used_.end(), free_, free_.begin());
  }

  // REQUIRES: it is not empty.
  T Pop() {
    T value = std::exchange(used_.front(), T());
    free_.splice(free_.begin(), used_, used_.begin());
    return value;
  }

 private:
  std::list<T> used_;
  std::list<T> free_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_REUSED_QUEUE_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_ASSEMBLY_H_
#define FERRY_RPC_INTERNAL_ASSEMBLY_H_

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "absl/status/status.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// A message that arrives in fragments. Memory is taken as bytes arrive, not as they are
// announced. Thread contract: thread-compatible.
class Assembly {
 public:
  Assembly() = default;
  Assembly(Assembly&& other) noexcept { *this = std::move(other); }
  Assembly& operator=(Assembly&& other) noexcept;

  // A message that came in one piece. Dropped, if there is no memory for it.
  static Assembly Copy(const char* data, size_t size);

  // Takes the first or the next fragment; `limit` is the largest message accepted.
  // Returns: RESOURCE_EXHAUSTED when the message is larger, with both sizes — the rest
  // of its fragments may still be given and is dropped; DATA_LOSS when the fragments
  // contradict each other.
  absl::Status Add(const Frame& frame, size_t limit);

  // Frees what has arrived; the rest may still be given and is dropped.
  void Drop();

  // No fragment is missing. Also true of a message that was too large.
  bool complete() const { return complete_; }

  // There was no memory for it, or it was dropped for another reason.
  bool dropped() const { return dropped_; }

  const char* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };

  absl::Status CheckTotal(const FrameHeader& header, size_t limit);
  bool Grow(size_t needed);

  // From malloc, because realloc moves large blocks without copying them.
  std::unique_ptr<char, Free> data_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t total_ = 0;  // known from the second fragment on
  bool complete_ = false;
  bool dropped_ = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_ASSEMBLY_H_

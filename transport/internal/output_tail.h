// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_OUTPUT_TAIL_H_
#define FERRY_TRANSPORT_INTERNAL_OUTPUT_TAIL_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// Reads a pipe on a thread of its own, so that the writer never blocks, and keeps the
// last bytes. Thread contract: thread-safe.
class OutputTail {
 public:
  static constexpr size_t kLimit = 64 * 1024;

  static absl::StatusOr<std::unique_ptr<OutputTail>> Start(UniqueFd read_fd);
  ~OutputTail();

  std::string Tail() const;

  // Sleeps until every writer has closed the pipe.
  void AwaitEnd(Deadline deadline);

 private:
  explicit OutputTail(UniqueFd read_fd) : read_fd_(std::move(read_fd)) {}
  void Run();

  const UniqueFd read_fd_;
  Event stop_;
  std::thread thread_;

  mutable Mutex mutex_;
  CondVar ended_changed_;
  std::string tail_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_OUTPUT_TAIL_H_

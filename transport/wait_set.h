// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// WaitSet: one sleep for many transports and listeners, and their bridge to somebody
// else's event loop: handle() is one descriptor for all of them.
//
//   transport.Join(set, id); …
//   if (!transport.Arm()) … set.Next(deadline) answers `id` when Wait would return

#ifndef FERRY_TRANSPORT_WAIT_SET_H_
#define FERRY_TRANSPORT_WAIT_SET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/listener.h"

namespace ferry {

// Outlives what has joined it. Thread contract: Next on one thread at a time, the rest
// on any.
class WaitSet {
 public:
  // Given by the user, from kFirstId on; one that is no longer there may still be
  // answered once.
  using Id = uint64_t;
  static constexpr Id kFirstId = 1;

  // Returns: RESOURCE_EXHAUSTED when this process has no descriptor left.
  static absl::StatusOr<std::unique_ptr<WaitSet>> Create();

  // Sleeps until one of the set is ready, and answers which; they take turns. nullopt
  // past the deadline, after Interrupt, and now and then for no reason.
  std::optional<Id> Next(Deadline deadline);

  // Makes the current or else the next Next return without an id.
  void Interrupt() { Notify(kNobody); }

  // Polls as readable when Next would return at once; one that wakes for it calls Next
  // until that answers nullopt. It stays the set's.
  int handle() const { return epoll_.get(); }

  // From the deadline on, handle() polls as readable, in place of the last Alarm; kNoDeadline: no
  // more. On the thread that calls Next. Returns: RESOURCE_EXHAUSTED when this process has no
  // descriptor left for the first.
  absl::Status Alarm(Deadline deadline);

  // The listener's id is answered as long as somebody waits to be accepted.
  absl::Status Add(const Listener& listener, Id id);
  void Remove(const Listener& listener);

  // For transports: the id is answered as long as the descriptor is readable — or
  // writable, or both — or has ended, and once after each Notify.
  enum class Until { kReadable, kWritable, kEither, kEnd };
  absl::Status Watch(int fd, Until until, Id id);
  absl::Status WatchAgain(int fd, Until until, Id id);  // in place of the last Watch
  void Unwatch(int fd);
  void Notify(Id id);

 private:
  static constexpr Id kNobody = 0;
  static constexpr Id kNotified = ~Id{0};
  static constexpr Id kAlarm = kNotified - 1;
  static constexpr size_t kMaxReady = 32;

  WaitSet() = default;
  std::optional<Id> TakeNotified();

  internal::UniqueFd epoll_;
  internal::UniqueFd timer_;  // made for the first alarm
  Deadline alarm_ = kNoDeadline;

  // Owned by the thread in Next.
  Id ready_[kMaxReady];
  size_t ready_begin_ = 0;
  size_t ready_end_ = 0;

  internal::Mutex mutex_;
  internal::Event notice_;  // set while `notified_` is not empty
  std::vector<Id> notified_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_WAIT_SET_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// StreamTransport: frames over two descriptors that carry bytes in order, one each
// way, such as two pipes.
//
// A call costs one write and one read on each side: a reader that nothing but its
// frame can call away sleeps in read(2), not in poll(2) and then read(2). Close wakes
// such a reader by writing a byte into the pipe that it reads, which needs /proc; where
// that is missing, every sleep goes through poll.

#ifndef FERRY_TRANSPORT_STREAM_TRANSPORT_H_
#define FERRY_TRANSPORT_STREAM_TRANSPORT_H_

#include <atomic>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/receive_buffer.h"
#include "ferry/transport/internal/send_queue.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Thread contract: that of Transport.
class StreamTransport final : public Transport {
 public:
  // Says why the stream has ended, for the error of the calls that it breaks: runs
  // once, on the thread that read the end, and may wait a moment for the answer.
  using ExplainEnd = std::function<absl::Status()>;

  // Takes over both descriptors. `write_fd` becomes non-blocking: no other process
  // may share its file description. `explain_end` may be empty.
  // Returns: the error of a descriptor that cannot be used so.
  static absl::StatusOr<std::unique_ptr<StreamTransport>> Create(internal::UniqueFd read_fd,
                                                                 internal::UniqueFd write_fd,
                                                                 Peer peer,
                                                                 ExplainEnd explain_end);
  ~StreamTransport() override;

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override;
  void Commit(Reservation& reservation) override;
  void Abandon(Reservation& reservation) override;
  void Flush(Deadline deadline) override;
  ReadResult TryRead(Frame& frame) override;
  void Release(const Frame& frame) override;
  void Wait(const WaitOptions& options) override;
  void Interrupt() override;
  bool Arm() override;
  int WaitHandle() override;
  void Close(const absl::Status& reason) override;
  absl::Status close_reason() const override;
  const Peer& peer() const override { return peer_; }

 private:
  // How the holder of the receiving half sleeps.
  enum class Sleep { kNone, kRead, kPoll };

  StreamTransport(internal::UniqueFd read_fd, internal::UniqueFd write_fd, Peer peer,
                  ExplainEnd explain_end);

  void WriteQueued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteBeside(Deadline deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeSleeper() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SleepsInPoll(const WaitOptions& options) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SleepInPoll(const WaitOptions& options) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadOnce(bool may_sleep);
  void End(const absl::Status& reason);
  absl::Status ReasonOfEnd() const;
  void SetCloseReason(const absl::Status& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const internal::UniqueFd read_fd_;
  const Peer peer_;
  const ExplainEnd explain_end_;
  bool can_wake_read_ = false;

  // Owned by the holder of the receiving half.
  internal::ReceiveBuffer received_;

  // Nothing more will be read from the stream; what received_ holds still counts.
  std::atomic<bool> ended_{false};
  // This side called Close: not even that.
  std::atomic<bool> closed_{false};

  mutable internal::Mutex mutex_;
  internal::UniqueFd write_fd_ ABSL_GUARDED_BY(mutex_);
  internal::SendQueue queue_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // a thread is in write or waits for room
  bool write_failed_ ABSL_GUARDED_BY(mutex_) = false;
  Sleep sleep_ ABSL_GUARDED_BY(mutex_) = Sleep::kNone;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status close_reason_ ABSL_GUARDED_BY(mutex_);

  // Wakes a sleep in poll and an event loop.
  internal::Event wake_;
  bool armed_ ABSL_GUARDED_BY(mutex_) = false;
  // Wakes a thread that waits for room beside a reader. Set once, by Close.
  internal::Event closing_;
  internal::UniqueFd epoll_ ABSL_GUARDED_BY(mutex_);
  bool epoll_has_write_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_STREAM_TRANSPORT_H_

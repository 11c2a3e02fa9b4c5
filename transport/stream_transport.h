// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// StreamTransport: frames over two descriptors that carry bytes in order, one each
// way, such as two pipes.
//
// A call costs one write and one read on each side: a reader that nothing but its
// frame can call away sleeps in read(2), not in poll(2) and then read(2). Close wakes
// such a reader by writing a byte into the pipe that it reads, which needs /proc; where
// that is missing at the start, every sleep goes through poll.
//
// A peer that closes only the end that it reads is not noticed as long as /proc is there
// (see StreamWriter): one that dies closes both.

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
#include "ferry/transport/internal/stream_writer.h"
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
                                                                 Peer peer, ExplainEnd explain_end);
  ~StreamTransport() override;

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override;
  void Commit(Reservation& reservation) override;
  void Abandon(Reservation& reservation) override;
  void Flush(Deadline deadline) override;
  ReadResult TryRead(Frame& frame) override;
  void Release() override;
  void Wait(const WaitOptions& options) override;
  void Interrupt() override;
  bool Arm() override;
  int WaitHandle() override;
  void Close(const absl::Status& reason) override;
  absl::Status close_reason() const override;
  const Peer& peer() const override { return peer_; }

 private:
  // How the holder of the receiving half sleeps, or will when an event loop wakes it.
  enum class Sleep { kNone, kRead, kPoll };
  enum class ReadMode { kMaySleep, kNow };

  StreamTransport(internal::UniqueFd read_fd, internal::UniqueFd write_fd, Peer peer,
                  ExplainEnd explain_end);

  Sleep HowToSleep(const WaitOptions& options) const;
  bool MustNotSleep(const WaitOptions& options, Sleep how);
  void SleepInPoll(const WaitOptions& options);
  void ReadOnce(ReadMode mode);
  void WriteBeside(Deadline deadline);
  void WakeSleeper();

  void End(const absl::Status& reason);
  absl::Status ReasonOfEnd() const;
  // Whether frames that have been received but not read are still handed out.
  enum class Received { kCounts, kDropped };
  void SetCloseReason(const absl::Status& reason, Received received);

  // Constant after construction.
  const internal::UniqueFd read_fd_;
  const Peer peer_;
  const ExplainEnd explain_end_;
  bool can_wake_read_ = false;

  internal::StreamWriter writer_;

  // Owned by the holder of the receiving half.
  internal::ReceiveBuffer received_;
  bool ended_ = false;  // nothing more is read from the stream; what was received counts

  // Sequentially consistent: before it sleeps, the reader stores `sleep_` and then looks
  // for a reason not to (closing_, interrupted_, the writer's flags); who gives it one
  // stores that, then looks at `sleep_` whether to wake it.
  std::atomic<Sleep> sleep_{Sleep::kNone};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> closing_{false};  // close_reason_ is set
  std::atomic<bool> closed_{false};   // by Close: what was received does not count either

  // Wakes a sleep in poll and an event loop. Opened by the holder of the receiving half
  // before sleep_ says so.
  internal::Event wake_;

  mutable internal::Mutex mutex_;
  absl::Status close_reason_ ABSL_GUARDED_BY(mutex_);
  internal::UniqueFd epoll_ ABSL_GUARDED_BY(mutex_);
  bool epoll_has_write_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_STREAM_TRANSPORT_H_

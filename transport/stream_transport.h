// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// StreamTransport: frames over two descriptors that carry bytes in order, one each
// way, such as two pipes, or a socket twice.
//
// A call costs one write and one read on each side: a reader that nothing but its
// frame can call away sleeps in read(2), not in poll(2) and then read(2). Close, and the
// death of a peer whose descriptors somebody else holds, wake such a reader: on a socket
// by its shutdown, on a pipe by a byte in it, which needs /proc; where that is missing at
// the start, or the descriptor does not block, every sleep goes through poll. So a process
// with pipes changes its root, its user or its view of /proc before the connection is
// made, not after.
//
// A peer that closes only the end of a pipe that it reads is not noticed as long as /proc
// is there (see WriteEnd): one that dies closes both.

#ifndef FERRY_TRANSPORT_STREAM_TRANSPORT_H_
#define FERRY_TRANSPORT_STREAM_TRANSPORT_H_

#include <sys/types.h>

#include <atomic>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/process_watch.h"
#include "ferry/transport/internal/read_end.h"
#include "ferry/transport/internal/receive_buffer.h"
#include "ferry/transport/internal/stream_writer.h"
#include "ferry/transport/internal/write_end.h"
#include "ferry/transport/peer_process.h"
#include "ferry/transport/transport.h"
#include "ferry/transport/wait_set.h"

namespace ferry {

// Thread contract: that of Transport.
class StreamTransport final : public Transport {
 public:
  // Takes over both descriptors: pipes with a name or without, or sockets. `process` is
  // the one at the other end; null if its end shows in no other way than on these.
  // Returns: the error of a descriptor that cannot be used so.
  static absl::StatusOr<std::unique_ptr<StreamTransport>> Create(
      internal::UniqueFd read_fd, internal::UniqueFd write_fd, internal::WriteEnd::Sharing sharing,
      Peer peer, std::shared_ptr<PeerProcess> process);
  // Takes over a socket for both directions.
  static std::unique_ptr<StreamTransport> OnSocket(internal::UniqueFd socket, Peer peer,
                                                   std::shared_ptr<PeerProcess> process);
  ~StreamTransport() override;

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override;
  void Commit(Reservation& reservation) override;
  void Abandon(Reservation& reservation) override;
  void Flush(Deadline deadline) override;
  size_t queued() const override { return writer_.queued(); }
  ReadResult TryRead(Frame& frame) override;
  void Release() override { received_.Release(); }
  bool Poll() override;
  void Wait(const WaitOptions& options) override;
  void Interrupt() override;
  absl::Status Join(WaitSet& set, uint64_t id) override;
  bool Arm() override;
  void Close(const absl::Status& reason) override;
  absl::Status close_reason() const override;
  const Peer& peer() const override { return peer_; }
  EndSign end_sign() const override;

 private:
  // How the holder of the receiving half sleeps; kSet: it may, since Arm.
  enum class Sleep { kNone, kRead, kPoll, kSet };
  enum class ReadMode { kMaySleep, kNow };
  // The byte by which the end of the process wakes a sleep in read(2).
  enum class WakeByte { kNone, kOnItsWay, kInPipe };

  StreamTransport(internal::ReadEnd read_end, internal::WriteEnd write_end, Peer peer,
                  std::shared_ptr<PeerProcess> process);

  void OnProcessEnded() ABSL_ATTRIBUTE_COLD;
  int ProcessFd() const { return process_ == nullptr ? -1 : process_->pid_fd(); }
  Sleep HowToSleep(const WaitOptions& options) const;
  bool MustNotSleep(const WaitOptions& options, Sleep how);
  void SleepInPoll(const WaitOptions& options);
  void ReadOnce(ReadMode mode);
  ssize_t ReadMore(ReadMode mode);
  void TookIn() {
    if (wake_byte_.load(std::memory_order_relaxed) != WakeByte::kNone) TakeRest();
  }
  void TakeRest() ABSL_ATTRIBUTE_COLD;
  bool WriteRest() ABSL_ATTRIBUTE_COLD;
  void WriteBeside(Deadline deadline) ABSL_ATTRIBUTE_COLD;
  void WakeSleeper() ABSL_ATTRIBUTE_COLD;
  bool MustHoldBack() const {
    return writer_.full() && writer_.queued() > max_queued() && !ending_ && !process_ended_.load();
  }
  bool MayNotRead() ABSL_ATTRIBUTE_COLD;
  bool IsStillHeldBack() { return held_back_ = held_back_ && MustHoldBack(); }
  void WaitForRoom(const WaitOptions& options) ABSL_ATTRIBUTE_COLD;
  // What the set waits for, beside the end.
  enum class Watched { kFrames, kFramesAndRoom, kRoom };
  Watched WhatToWatch() const;
  bool WatchForRoom() ABSL_ATTRIBUTE_COLD;
  void StopWatchingForRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeaveSet() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void End(const absl::Status& reason) ABSL_ATTRIBUTE_COLD;
  absl::Status ReasonOfEnd() const ABSL_ATTRIBUTE_COLD;
  // Whether frames that have been received but not read are still handed out.
  enum class Received { kCounts, kDropped };
  void SetCloseReason(const absl::Status& reason, Received received);

  // Constant after construction.
  const Peer peer_;
  const std::shared_ptr<PeerProcess> process_;

  internal::StreamWriter writer_;

  // Owned by the holder of the receiving half, but for what wakes it.
  internal::ReadEnd read_end_;
  internal::ReceiveBuffer received_;
  bool may_sleep_in_read_ = false;
  Deadline deadline_ = kNoDeadline;  // of the last Wait
  bool held_back_ = false;           // TryRead was, since there is too much to be sent
  bool ended_ = false;   // nothing more is read from the stream; what was received counts
  bool ending_ = false;  // the peer is known to have gone; what it sent is still read

  // Sequentially consistent: before it sleeps, the reader stores `sleep_` and then looks
  // for a reason not to (closing_, interrupted_, process_ended_, the writer's flags); who
  // gives it one stores that, then looks at `sleep_` whether to wake it.
  std::atomic<Sleep> sleep_{Sleep::kNone};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> closing_{false};        // close_reason_ is set
  std::atomic<bool> closed_{false};         // by Close: what was received does not count either
  std::atomic<bool> process_ended_{false};  // what the pipe holds is all there will be
  std::atomic<WakeByte> wake_byte_{WakeByte::kNone};
  std::atomic<bool> may_not_read_{false};     // closed, or somebody found too much queued
  std::atomic<bool> sleeps_for_room_{false};  // in a set, and for nothing else

  // Wakes a sleep in poll. Opened by the holder of the receiving half before sleep_ says
  // so.
  internal::Event wake_;

  // What wakes a sleep in a set. Constant since Join, which comes before all threads.
  WaitSet* set_ = nullptr;
  uint64_t id_in_set_ = 0;

  mutable internal::Mutex mutex_;
  absl::Status close_reason_ ABSL_GUARDED_BY(mutex_);
  std::atomic<Watched> watched_{Watched::kFrames};  // changed under the lock

  // Last, so that it ends before what its callback uses.
  std::unique_ptr<internal::ProcessWatch> process_watch_;
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_STREAM_TRANSPORT_H_

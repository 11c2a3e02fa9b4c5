// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// ShmTransport: frames through memory that two processes share, one ring for each
// direction, and a socket beside them for what memory cannot tell: that there is something
// to look at for who sleeps, and that the other process is gone.
//
// While neither side sleeps, a message takes no system call. docs/shm_ring.md says how the
// rings work, why no wakeup is lost, and what a hostile peer or a kill can do.

#ifndef FERRY_TRANSPORT_SHM_TRANSPORT_H_
#define FERRY_TRANSPORT_SHM_TRANSPORT_H_

#include <atomic>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "ferry/transport/internal/block_pool.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/ring_reader.h"
#include "ferry/transport/internal/ring_region.h"
#include "ferry/transport/internal/ring_socket.h"
#include "ferry/transport/internal/ring_writer.h"
#include "ferry/transport/internal/send_queue.h"
#include "ferry/transport/peer_process.h"
#include "ferry/transport/shm_options.h"
#include "ferry/transport/transport.h"

namespace ferry {

// Thread contract: that of Transport.
class ShmTransport final : public Transport {
 public:
  // What this end writes in, made beforehand: for who has to know that there is memory
  // before it lets a peer in.
  struct Outgoing {
    internal::RingGeometry geometry;
    internal::RingRegion region;
    internal::UniqueFd memory;
  };
  // Returns: INVALID_ARGUMENT — the size of the ring; RESOURCE_EXHAUSTED, UNIMPLEMENTED.
  static absl::StatusOr<Outgoing> MakeOutgoing(const ShmOptions& options);

  // Takes over a connected stream socket. `process` is the one at the other end; null if its
  // end shows in no other way than on the socket. The peer may greet later.
  // Returns: RESOURCE_EXHAUSTED.
  static absl::StatusOr<std::unique_ptr<ShmTransport>> Create(internal::UniqueFd socket,
                                                              Outgoing outgoing,
                                                              const ShmOptions& options, Peer peer,
                                                              std::shared_ptr<PeerProcess> process);
  ~ShmTransport() override;

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override;
  void Commit(Reservation& reservation) override;
  void Abandon(Reservation& reservation) override;
  void Flush(Deadline deadline) override;
  bool sends_at_commit() const override { return true; }
  size_t queued() const override;
  ReadResult TryRead(Frame& frame) override;
  void Release() override;
  bool Poll() override;
  bool polls_memory() const override { return reader_.attached(); }
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
  enum class Sleep { kNone, kReceive, kPoll, kSet };
  // Whether the peer is to ring when there is room for what could not be sent.
  enum class WhenFull { kArm, kReturn };

  enum class Pumped { kAll, kFull, kBroken };

  ShmTransport(internal::UniqueFd socket, Outgoing outgoing, const ShmOptions& options, Peer peer,
               std::shared_ptr<PeerProcess> process);

  void Stage(const FrameHeader& header, size_t size, Reservation& out) ABSL_ATTRIBUTE_NOINLINE;
  // Answers whether something was moved.
  bool Pump(WhenFull when_full) ABSL_ATTRIBUTE_NOINLINE;
  bool PumpAll(WhenFull when_full);
  Pumped PumpWhatFits(bool& moved) ABSL_EXCLUSIVE_LOCKS_REQUIRED(backlog_mutex_);

  bool IsHeldBack() const { return queued() > max_queued() && !ended_; }
  void WakeIfHeldBack();

  int ProcessFd() const { return process_ == nullptr ? -1 : process_->pid_fd(); }
  Sleep HowToSleep(const WaitOptions& options) const;
  bool HasReasonToStayAwake();
  void SleepInPoll(const WaitOptions& options);
  void LookForGreeting();
  void TakeIn(internal::RingSocket::Mode mode);
  void Take(internal::RingSocket::Taken taken);
  void Attach();
  void WakeSleeper() ABSL_ATTRIBUTE_COLD;
  void LeaveSet();

  void End(const absl::Status& reason) ABSL_ATTRIBUTE_COLD;
  absl::Status ReasonOfEnd() const ABSL_ATTRIBUTE_COLD;
  static absl::Status BadRelease() ABSL_ATTRIBUTE_COLD;
  // Whether frames that are in the ring but not read are still handed out.
  enum class Received { kCounts, kDropped };
  void SetCloseReason(const absl::Status& reason, Received received);

  // Constant after construction.
  const Peer peer_;
  const std::shared_ptr<PeerProcess> process_;

  internal::RingRegion own_region_;
  internal::RingWriter writer_;
  internal::RingSocket socket_;

  // What the ring had no room for, or a single frame cannot hold. While there is some, all
  // that follows goes there.
  mutable internal::Mutex backlog_mutex_;
  internal::BlockPool pool_;
  internal::SendQueue backlog_ ABSL_GUARDED_BY(backlog_mutex_);
  std::atomic<bool> has_backlog_{false};  // changed under the lock

  // Owned by the holder of the receiving half.
  internal::RingRegion peer_region_;
  internal::RingReader reader_;
  Deadline deadline_ = kNoDeadline;  // of the last Wait
  bool ended_ = false;               // nothing more is written into the peer's ring
  uint32_t left_after_end_ = 0;      // frames that it can still hold

  // Sequentially consistent: before it sleeps, the reader stores `sleep_` and then looks
  // for a reason not to; who gives it one stores that, then looks at `sleep_` whether to
  // wake it.
  std::atomic<Sleep> sleep_{Sleep::kNone};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> closing_{false};    // close_reason_ is set
  std::atomic<bool> closed_{false};     // by Close: what is in the ring does not count either
  std::atomic<bool> held_back_{false};  // while it sleeps: only room wakes it

  // Wakes a sleep in poll. Opened by the holder of the receiving half before sleep_ says so.
  internal::Event wake_;

  // What wakes a sleep in a set. Constant since Join, which comes before all threads.
  WaitSet* set_ = nullptr;
  uint64_t id_in_set_ = 0;

  mutable internal::Mutex mutex_;
  absl::Status close_reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_SHM_TRANSPORT_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALLER_H_
#define FERRY_RPC_INTERNAL_CALLER_H_

#include <google/protobuf/message_lite.h>

#include <atomic>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/call_table.h"
#include "ferry/rpc/internal/keepalive.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/internal/pending_call.h"
#include "ferry/rpc/internal/read_token.h"
#include "ferry/rpc/internal/request_credit.h"
#include "ferry/rpc/internal/sender.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// What a waiting caller does while it holds the read token.
class FrameReader {
 public:
  enum class Step { kHandled, kEmpty, kClosed };

  virtual Step HandleNext() = 0;
  // Until HandleNext may have something to do, or the deadline.
  // Interruptible: or until the transport is interrupted.
  virtual void WaitForFrames(Deadline deadline, bool interruptible) = 0;

 protected:
  ~FrameReader() = default;
};

struct CallerOptions {
  uint32_t side = 0;
  size_t max_message = kDefaultMaxMessage;
  absl::Duration keepalive = absl::InfiniteDuration();
  // A call after a pause looks whether the peer has gone, rather than to find out by failing.
  bool looks_after_pause = false;
};

// The calling half of a connection: sends requests and waits for their replies. One
// of the waiting threads reads for all of them.
// Thread contract: On… and RefuseAll on the thread that reads, the rest on any. The lock is
// the owner's, who picks the connection for a call under it.
class Caller {
 public:
  // What is given by reference outlives it.
  Caller(Mutex& mutex, Transport& transport, Sender& sender, FrameReader& reader,
         const CallerOptions& options)
      : transport_(transport),
        sender_(sender),
        reader_(reader),
        options_(options),
        keepalive_(options.keepalive),
        mutex_(mutex),
        calls_(options.side) {}

  Mutex& mutex() const ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  // Takes the call up, so that Finish has to follow; false when the connection opens none.
  bool Begin(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Sends the request and waits for the reply; when it returns, the connection may be gone.
  // Returns: what the handler returned; UNAVAILABLE when the connection is lost,
  // DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED for a message that is too large either way or
  // a call too many, INVALID_ARGUMENT for a request without its required fields,
  // INTERNAL for a reply that is no message of its type, DATA_LOSS when the peer broke
  // the protocol, the reason of a Close; each with a CallFailure.
  absl::Status Finish(PendingCall& call, Deadline deadline);

  // Another thread, or a call in Finish, uses the connection.
  bool is_in_use() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return users_ != 0; }
  void Enter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { ++users_; }
  void Leave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { --users_; }

  // OK while calls can begin.
  const absl::Status& refusal() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return refusal_; }

  // If nobody reads, takes in what is there.
  void TakeNews();

  // How many bytes of requests the peer takes at first; 0: it does not count.
  void StartCredit(uint64_t bytes);
  void OnCredit(uint64_t bytes);

  // The peer wants no new calls.
  void OnGoAway(const absl::Status& why);
  // Nor does it answer those that it has not begun to answer: it has not taken them.
  void RefuseAll(const absl::Status& why);

  // Returns: DATA_LOSS when the frame may not come now.
  absl::Status OnReply(const Frame& frame, Body& body);
  absl::Status OnContinue(const Frame& frame);

  // The connection is closed: every pending call ends with `reason`, but for one that
  // the reading thread completes at this moment; it comes here again when it is done.
  void FailAll(const absl::Status& reason);

  bool IsForked() const { return fork_mark_.IsForked(); }

 private:
  // Why a call failed on this side.
  enum class Sent : bool { kNo, kMaybe };
  absl::Status FailedHere(const Method& method, const absl::Status& reason,
                          Sent sent) const ABSL_ATTRIBUTE_COLD;
  static absl::Status NoIdLeft() ABSL_ATTRIBUTE_COLD;
  absl::Status NotSent(PendingCall& call, const absl::Status& reason) ABSL_ATTRIBUTE_COLD;
  // What a reply says; fills in the call's reply message.
  absl::Status Outcome(const PendingCall& call, const FrameHeader& header, const Body& body) const;
  // A status that came from the peer.
  absl::Status FailedThere(const PendingCall& call, const FrameHeader& header,
                           const Body& body) const ABSL_ATTRIBUTE_COLD;
  // A reply that is not what it should be.
  absl::Status BadReply(const PendingCall& call, const Body& body) const ABSL_ATTRIBUTE_COLD;

  void Open(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AwaitCredit(PendingCall& call, Deadline deadline) ABSL_ATTRIBUTE_COLD;
  absl::Status LookFirst() ABSL_ATTRIBUTE_COLD;
  void Look() ABSL_ATTRIBUTE_COLD;
  enum class End : bool { kDone, kGivenUp };
  End AwaitDone(PendingCall& call, Deadline deadline);
  absl::Status FinishSlowly(PendingCall& call, End end) ABSL_ATTRIBUTE_COLD;
  bool GiveUp(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadFor(const PendingCall& call, Deadline deadline);
  void ReadForCredit(Deadline deadline);
  template <typename Done>
  void ReadUntil(Done done, Deadline deadline, bool interruptible = false);
  void KeepAlive() ABSL_ATTRIBUTE_COLD;
  void GiveCredit(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of the calls that wait, which the peer may have taken.
  enum class Taken : bool { kMaybe, kIfAnswered };
  void FailWaiting(const absl::Status& why, Taken taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<PendingCall*> BeginCompleting(const FrameHeader& header);
  void StopCompleting(PendingCall& call);
  void Complete(PendingCall& call);
  absl::Status AddFragment(PendingCall& call, const Frame& frame);
  absl::Status Break(PendingCall& call, const absl::Status& broken);

  Transport& transport_;
  Sender& sender_;
  FrameReader& reader_;
  const CallerOptions options_;
  const ForkMark fork_mark_;

  // Owned by the holder of the read token.
  const PendingCall* reading_for_ = nullptr;  // its own call
  Keepalive keepalive_;
  // Set by any thread: there is news for the call that reads for credit.
  std::atomic<bool> credit_came_{false};

  Mutex& mutex_;
  ReadToken token_ ABSL_GUARDED_BY(mutex_);
  CallTable calls_ ABSL_GUARDED_BY(mutex_);
  RequestCredit credit_ ABSL_GUARDED_BY(mutex_);
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  int users_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_call_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALLER_H_

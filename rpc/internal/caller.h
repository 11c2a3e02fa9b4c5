// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALLER_H_
#define FERRY_RPC_INTERNAL_CALLER_H_

#include <google/protobuf/message_lite.h>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/call_table.h"
#include "ferry/rpc/internal/pending_call.h"
#include "ferry/rpc/internal/read_token.h"
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
  virtual void WaitForFrames(Deadline deadline) = 0;

 protected:
  ~FrameReader() = default;
};

// The calling half of a connection: sends requests and waits for their replies. One
// of the waiting threads reads for all of them.
// Thread contract: Call and FailAll on any thread; OnReply and OnContinue on the one
// that reads.
class Caller {
 public:
  Caller(Transport& transport, Sender& sender, FrameReader& reader, uint32_t side,
         size_t max_message)
      : transport_(transport),
        sender_(sender),
        reader_(reader),
        max_message_(max_message),
        calls_(side) {}

  // Returns: what the handler returned; UNAVAILABLE when the connection is lost,
  // DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED for a message that is too large either way or
  // a call too many, INVALID_ARGUMENT for a request without its required fields,
  // INTERNAL for a reply that is no message of its type, DATA_LOSS when the peer broke
  // the protocol, FAILED_PRECONDITION in a process that was forked since the connection
  // was made, the reason of a Close; each with a CallFailure.
  absl::Status Call(const Method& method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& reply, Deadline deadline);

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
  absl::Status NoIdLeft(const Method& method) const ABSL_ATTRIBUTE_COLD;
  absl::Status Forked(const Method& method) const ABSL_ATTRIBUTE_COLD;
  absl::Status NotSent(const PendingCall& call, const absl::Status& reason,
                       bool reads) ABSL_ATTRIBUTE_COLD;
  // What a reply says; fills in the call's reply message.
  absl::Status Outcome(const PendingCall& call, const FrameHeader& header, const Body& body) const;
  // A status that came from the peer.
  absl::Status FailedThere(const PendingCall& call, const FrameHeader& header,
                           const Body& body) const ABSL_ATTRIBUTE_COLD;
  // A reply that is not what it should be.
  absl::Status BadReply(const PendingCall& call, const Body& body) const ABSL_ATTRIBUTE_COLD;

  bool AwaitDone(PendingCall& call, Deadline deadline, bool reads);
  void Cancel(CallId id);
  bool GiveUp(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadFor(const PendingCall& call, Deadline deadline);
  absl::StatusOr<PendingCall*> BeginCompleting(const FrameHeader& header);
  void StopCompleting(PendingCall& call);
  void Complete(PendingCall& call);
  absl::Status AddFragment(PendingCall& call, const Frame& frame);
  absl::Status Break(PendingCall& call, const absl::Status& broken);

  Transport& transport_;
  Sender& sender_;
  FrameReader& reader_;
  const size_t max_message_;
  const ForkMark fork_mark_;

  // Owned by the holder of the read token: its own call.
  const PendingCall* reading_for_ = nullptr;

  Mutex mutex_;
  ReadToken token_ ABSL_GUARDED_BY(mutex_);
  CallTable calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALLER_H_

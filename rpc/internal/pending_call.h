// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_PENDING_CALL_H_
#define FERRY_RPC_INTERNAL_PENDING_CALL_H_

#include <google/protobuf/message_lite.h>

#include <atomic>

#include "absl/status/status.h"
#include "ferry/proto/frame.h"
#include "ferry/proto/wire.pb.h"
#include "ferry/rpc/internal/assembly.h"
#include "ferry/rpc/internal/cancel_registration.h"
#include "ferry/rpc/internal/credit.h"
#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/inbox.h"
#include "ferry/rpc/internal/read_token.h"
#include "ferry/rpc/internal/turns.h"
#include "ferry/rpc/metadata.h"
#include "ferry/rpc/method.h"

namespace ferry::internal {

// A thread that waits for something to change in a call. Guarded by the mutex of the Caller,
// but that its thread may look at `told` when it reads for itself: the acquiring load there
// pairs with the release in Tell.
struct CallWait {
  void Tell() {
    told.store(true, std::memory_order_release);
    waiter.Wake();
    if (beside != nullptr) beside->Tell();
  }

  ReadToken::Waiter waiter;
  std::atomic<bool> told{false};
  HandlerWait* beside = nullptr;  // where it waits if others read: caller_beside.cc
};

// Whom the end of a call is told, if no thread waits for it.
class Completion {
 public:
  // Who has it may wait for its end, or look: a relaxed look.
  virtual bool ends_locked() const = 0;
  // On the thread that reads: the reply is here. Without a lock, unless it ends_locked; true:
  // RunOnReader is to follow, without.
  virtual bool OnReply() = 0;
  virtual void RunOnReader() = 0;
  // With the Caller's lock, on any thread: it has ended otherwise.
  virtual void OnEnded() = 0;

 protected:
  ~Completion() = default;
};

// What a call with streams has beside the rest.
struct StreamState {
  explicit StreamState(uint64_t window) : inbox(window) {}

  Inbox inbox;
  Credit credit;              // for what we send
  bool is_sending = true;     // a thread is at it, without the lock; at first Start's
  bool no_more = false;       // of ours: END was sent
  bool drops_all = false;     // nobody reads any more
  absl::Status broken;        // why no more can be read: a message was none
  CallWait* reads = nullptr;  // who waits for a message or the outcome
  CallWait* writes = nullptr;

  // If no thread waits: who is told. What it wants: constant, or guarded.
  Turns* turns = nullptr;
  bool wants_room = false;
  bool pauses = false;
};

// A call that somebody waits for. Guarded by the mutex of its Caller, but for what is said.
struct PendingCall {
  // `request`, whose size is cached by its ByteSizeLong(), or null when it is a stream;
  // `reply`, null when that is one.
  PendingCall(const Method& called, const google::protobuf::MessageLite* request_message,
              size_t request_size, google::protobuf::MessageLite* reply_message)
      : method(called), request(request_message), size(request_size), reply(reply_message) {}

  // What it draws of the peer's credit for requests.
  size_t cost() const { return size + metadata_size; }

  const Method& method;
  const google::protobuf::MessageLite* request;  // until it is sent; constant since Begin
  const size_t size;                             // of the request
  google::protobuf::MessageLite* const reply;

  // What goes with it, and what is wanted of the peer's. Constant since Begin.
  const wire::Metadata* metadata = nullptr;
  size_t metadata_size = 0;
  Metadata* initial_metadata = nullptr;
  Metadata* trailing_metadata = nullptr;
  StreamState* stream = nullptr;
  Completion* completion = nullptr;            // null: a thread waits
  Deadline deadline = kNoDeadline;             // of one with a completion
  CancelRegistration* cancellation = nullptr;  // ended before the call is left
  // If that is so at the time of Begin: how many microseconds are left until the deadline.
  uint32_t left_at_begin = 0;

  CallId id;  // 0: there was none left

  // What Begin has found. The caller's own.
  bool waits_for_credit = false;
  bool reads = false;        // it holds the read token
  bool looks_first = false;  // nobody has read for a while: there may be news

  // It has failed, and the peer has not taken the request and will not.
  bool not_taken = false;
  // The connection may be gone: the caller has nothing to do with it any more.
  bool left = false;

  // It has ended here before the peer has ended it, who is to be told.
  bool owes_cancel = false;
  // Something of the answer has come.
  bool has_answer = false;
  bool has_initial_metadata = false;
  bool has_trailing_metadata = false;

  // While set, the reading thread fills in another's `reply` or metadata without the lock, and that
  // caller must stay (for its own: OwnReply). It is set for good when the outcome is on its way.
  bool completing = false;
  // To be ended when that is over.
  bool cancel_is_due = false;

  // Read without the lock by the caller that reads for itself; the acquiring load there
  // pairs with the releasing store of whoever completes the call. The caller alone
  // looks at what is below once it is set.
  std::atomic<bool> done{false};
  absl::Status status;

  // A reply that came in fragments: the caller parses it, no other call waits for that.
  FrameHeader reply_header;
  Assembly assembly;

  CallWait wait;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_PENDING_CALL_H_

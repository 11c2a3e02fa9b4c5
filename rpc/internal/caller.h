// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CALLER_H_
#define FERRY_RPC_INTERNAL_CALLER_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/call_table.h"
#include "ferry/rpc/internal/caller_options.h"
#include "ferry/rpc/internal/connection_reader.h"
#include "ferry/rpc/internal/frame_reader.h"
#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/keepalive.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/internal/own_reply.h"
#include "ferry/rpc/internal/pending_call.h"
#include "ferry/rpc/internal/read_token.h"
#include "ferry/rpc/internal/request_credit.h"
#include "ferry/rpc/internal/sender.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// The calling half of a connection: sends requests and waits for what comes back. One of the
// waiting threads reads for all of them, unless the connection has another reader.
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
        calls_(options.side) {
    if (options.beside != nullptr) token_.TryTake();  // for good
  }

  Mutex& mutex() const ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  // Takes the call up, so that Finish, SendOnly or Start has to follow; false when the
  // connection opens none.
  bool Begin(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Sends the request and waits for the reply; when it returns, the connection may be gone.
  // Returns: what the handler returned; UNAVAILABLE when the connection is lost,
  // DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED for a message that is too large either way
  // or a call too many, INVALID_ARGUMENT for a request without its required fields,
  // INTERNAL for a reply that is no message of its type, UNIMPLEMENTED for another number of
  // them, DATA_LOSS when the peer broke the protocol, the reason of a Close; each with a
  // CallFailure.
  absl::Status Finish(PendingCall& call, Deadline deadline);

  // The same for a call that nobody waits for: until the request has left. OK says that it has.
  absl::Status SendOnly(PendingCall& call, Deadline deadline);

  // Sends the request of a call with a completion, which must be told, unless this fails: then the
  // connection may be gone. FinishAsync, by whom it was told, answers what Finish does, and leaves
  // the connection.
  absl::Status StartAsync(PendingCall& call);
  absl::Status FinishAsync(PendingCall& call) { return FinishSlowly(call); }
  // When the next of them ends for its deadline, or before that; ends those whose deadline has
  // passed. By the reader.
  Deadline async_deadline() const { return async_deadline_.load(std::memory_order_relaxed); }
  void ExpireAsync();

  ConnectionReader* beside() const { return options_.beside; }

  // Of streams that StartAsync has begun: caller_events.cc. The next thing that their Turns have to
  // tell; a message, into `incoming`. Behind kEnd follows FinishEvents, which is as FinishAsync.
  enum class Event { kNone, kMessage, kRoom, kEnd };
  Event NextEvent(PendingCall& call, google::protobuf::MessageLite* incoming);
  absl::Status FinishEvents(PendingCall& call);
  // Do not wait. WriteNow: false if it has ended, or there is no room, which is then told.
  bool WriteNow(PendingCall& call, const google::protobuf::MessageLite& message);
  void EndWrites(PendingCall& call);
  void WantRoom(PendingCall& call);
  void SetReads(PendingCall& call, bool reads);
  void CancelEvents(PendingCall& call);
  void CancelAndForget(PendingCall& call);  // also of one that has ended: what was not told

  // Sends the request of a call with streams. If it fails, the connection may be gone; otherwise
  // Drop and Leave must follow at last. One thread reads, another writes; Cancel on any, see
  // Finish.
  absl::Status Start(PendingCall& call, Deadline deadline);
  bool Read(PendingCall& call, google::protobuf::MessageLite& message, Deadline deadline);
  bool Write(PendingCall& call, const google::protobuf::MessageLite& message, Deadline deadline);
  bool WritesDone(PendingCall& call, Deadline deadline);
  absl::Status FinishStream(PendingCall& call, Deadline deadline);
  // Ends the call if it has not ended.
  void Drop(PendingCall& call);

  // Something was sent that has not left, and does not before somebody calls again or SendRest,
  // which returns when it has, or the connection has ended. To be called by one thread at a
  // time, while the connection is in use. A reader beside sends it by itself.
  bool has_rest() const { return options_.beside == nullptr && transport_.queued() != 0; }
  void SendRest();

  // Ends any call here, while its thread is in it or after Start.
  void Cancel(PendingCall& call);

  // Another thread, or a call in Finish, uses the connection.
  bool is_in_use() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return users_ != async_left_.load();
  }
  // Asynchronous calls are open; a hint.
  bool has_unwaited() const {
    return async_begun_.load(std::memory_order_relaxed) !=
           async_left_.load(std::memory_order_relaxed);
  }
  void Enter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { ++users_; }
  void Leave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { --users_; }

  // OK while calls can begin.
  const absl::Status& refusal() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return refusal_; }

  // If nobody reads, takes in what is there.
  void TakeNews();

  // How many bytes of requests, and of messages of each stream, the peer takes at first; 0: it
  // does not count.
  void StartCredit(uint64_t for_requests, uint64_t for_streams);
  void OnCredit(uint64_t bytes);

  // The peer wants no new calls.
  void OnGoAway(const absl::Status& why);
  // Nor does it answer those that it has not begun to answer: it has not taken them.
  void RefuseAll(const absl::Status& why);

  // Return: DATA_LOSS when the frame may not come now.
  absl::Status OnFirstFragment(const FrameHeader& header);
  // Whether anybody waits for what comes in fragments.
  bool IsWantedStill(CallId call);
  absl::Status OnReply(const FrameHeader& header, Body& body);
  absl::Status OnMessage(const FrameHeader& header, Body& body);
  absl::Status OnMetadata(const FrameHeader& header, const Body& body);
  absl::Status OnStreamCredit(const FrameHeader& header);
  // What the peer sends for a call, and begins with that header, is too large.
  absl::Status OnTooLarge(const FrameHeader& header, const absl::Status& status);

  // Who waits for the call of that index, so that what is nested in it may run there. AddNested
  // answers false if nobody does any more.
  enum class Waiting { kNobody, kThisThread, kAnotherThread };
  Waiting WhoWaitsFor(uint32_t index);
  bool AddNested(uint32_t index, std::shared_ptr<QueuedRequest> request);

  // The connection is closed: every call ends with `reason` that is not being completed.
  void FailAll(const absl::Status& reason);

  bool IsForked() const { return fork_mark_.IsForked(); }

 private:
  // Where the next message of a stream may be parsed at once.
  struct DirectRead {
    CallId call;
    google::protobuf::MessageLite& message;
    bool is_filled = false;
    bool is_valid = false;
    size_t size = 0;
  };
  class Beside;
  void Forget(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Why a call failed on this side.
  enum class Sent : bool { kNo, kMaybe };
  absl::Status FailedHere(const Method& method, const absl::Status& reason,
                          Sent sent) const ABSL_ATTRIBUTE_COLD;
  static absl::Status NoIdLeft() ABSL_ATTRIBUTE_COLD;
  static absl::Status Cancelled() ABSL_ATTRIBUTE_COLD;
  absl::Status TooLate() const ABSL_ATTRIBUTE_COLD;
  absl::Status NotSent(PendingCall& call, const absl::Status& reason) ABSL_ATTRIBUTE_COLD;
  absl::Status Outcome(const PendingCall& call, const FrameHeader& header, const Body& body) const;
  // A status that came from the peer.
  absl::Status FailedThere(const PendingCall& call, const FrameHeader& header,
                           const Body& body) const ABSL_ATTRIBUTE_COLD;
  // A reply that is not what it should be.
  absl::Status BadReply(const PendingCall& call, const FrameHeader& header,
                        const Body& body) const ABSL_ATTRIBUTE_COLD;
  absl::Status BadMessage(const PendingCall& call, const google::protobuf::MessageLite& message,
                          size_t size) const ABSL_ATTRIBUTE_COLD;

  void Open(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SendRequest(PendingCall& call, uint8_t flags, Deadline deadline);
  absl::Status SendRequest(PendingCall& call, FrameHeader& header, Deadline deadline);
  absl::Status SendNested(PendingCall& call, FrameHeader& header, Deadline deadline);
  absl::Status SendMetadata(PendingCall& call, Deadline deadline) ABSL_ATTRIBUTE_COLD;
  absl::Status AwaitCredit(PendingCall& call, Deadline deadline) ABSL_ATTRIBUTE_COLD;
  absl::Status LookFirst(const PendingCall& call) ABSL_ATTRIBUTE_COLD;
  void Look() ABSL_ATTRIBUTE_COLD;
  void AwaitDone(PendingCall& call, Deadline deadline);
  void AwaitOthers(PendingCall& call, Deadline deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) ABSL_ATTRIBUTE_NOINLINE;
  void PassOnBeforeWait() const;
  absl::Status FinishBeside(PendingCall& call, Deadline deadline);
  void AwaitBeside(CallWait& wait, Deadline deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  HandlerWait* WaitOf(uint32_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status FinishSlowly(PendingCall& call);
  void LeaveAsync() { async_left_.fetch_add(1); }

  // Ends the call here, unless the reading thread is at it: false then. Its id stays taken
  // until the peer's reply.
  bool EndHere(PendingCall& call, const absl::Status& why, bool tells_peer = true)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // An asynchronous call may be gone then.
  void SetDone(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SendCancel(CallId call) ABSL_ATTRIBUTE_COLD;

  // Of streams.
  bool IsOver(PendingCall& call, Deadline deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitNews(CallWait& wait, Deadline deadline, DirectRead* direct = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool BeginSending(PendingCall& call, size_t size, Deadline deadline);
  bool EndSending(PendingCall& call, const absl::Status& sent, Deadline deadline);
  bool AwaitSent(const std::atomic<bool>& is_over, Deadline deadline) ABSL_ATTRIBUTE_COLD;
  void TellPeer(PendingCall& call);
  void GiveStreamCredit(CallId call, uint32_t bytes);
  void Fail(PendingCall& call, const absl::Status& why) ABSL_ATTRIBUTE_COLD;
  void Break(PendingCall& call, const absl::Status& why) ABSL_ATTRIBUTE_COLD;
  // Answers whose turn it is then, if anybody's.
  Turns* Keep(PendingCall& call, Assembly message, uint32_t& credit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // How many frames are handled between looks at what they are read for, so that nobody has to
  // be woken just to read them: a peer may send them faster than they are read.
  static constexpr int kMostAtOnce = 256;

  void ReadFor(const PendingCall& call, Deadline deadline);
  void StopReading(PendingCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is there, though nothing of it may be for the caller.
  void ReadOn() {
    ReadUntil([] { return true; }, Deadline::min(), false, kMostAtOnce);
  }
  // `most`: how many frames between looks whether it is done.
  void ReadUntil(absl::FunctionRef<bool()> done, Deadline deadline, bool interruptible, int most);
  void KeepAlive() ABSL_ATTRIBUTE_COLD;
  void WakeDue() ABSL_ATTRIBUTE_COLD;
  void WakeSenders() ABSL_ATTRIBUTE_COLD;
  void GiveCredit(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of the calls that wait, which the peer may have taken.
  enum class Taken : bool { kMaybe, kIfAnswered };
  void FailWaiting(const absl::Status& why, Taken taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static absl::Status NotOpen(const FrameHeader& header) ABSL_ATTRIBUTE_COLD;
  absl::StatusOr<PendingCall*> BeginCompleting(const FrameHeader& header);
  void StopCompleting(PendingCall& call);
  void Complete(PendingCall& call);

  Transport& transport_;
  Sender& sender_;
  FrameReader& reader_;
  const CallerOptions options_;
  const ForkMark fork_mark_;

  // Owned by the holder of the read token.
  OwnReply own_;
  DirectRead* direct_ = nullptr;  // its own stream
  Keepalive keepalive_;

  // Threads that wait until what they have sent has left. Sequentially consistent: who waits says
  // so, then looks whether something is queued; who has sent it on then looks here.
  std::atomic<int> senders_waiting_{0};

  // Changed under the lock; without it, a hint.
  std::atomic<Deadline> async_deadline_{kNoDeadline};

  // Of the users, asynchronous calls, which leave without the lock. Sequentially consistent: each
  // leaves and then looks whether its channel has news; who has said that then looks whether the
  // connection is in use. All of these may overflow.
  std::atomic<uint32_t> async_left_{0};
  std::atomic<uint32_t> async_begun_{0};  // changed under the lock; without it, a hint

  Mutex& mutex_;
  ReadToken token_ ABSL_GUARDED_BY(mutex_);
  CallTable calls_ ABSL_GUARDED_BY(mutex_);
  RequestCredit credit_ ABSL_GUARDED_BY(mutex_);
  uint64_t peer_stream_credit_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  uint32_t users_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_call_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t sent_only_ ABSL_GUARDED_BY(mutex_) = 0;  // calls that nobody waits for
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CALLER_H_

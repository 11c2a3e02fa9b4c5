// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SERVED_CALL_H_
#define FERRY_RPC_INTERNAL_SERVED_CALL_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "ferry/rpc/incoming_call.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/call_origin.h"
#include "ferry/rpc/internal/credit.h"
#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/inbox.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/session.h"
#include "ferry/rpc/internal/turns.h"

namespace ferry::internal {

// One call that a session serves.
//
// At first it is its handler's thread's alone, and most calls stay so. It is shared, which puts
// it where frames for it are delivered, when another thread begins to read, and when a stream, a
// callback or the queue of requests wants it. Whoever ends it takes it out there before the REPLY
// is sent, since its id may be used again then.
//
// Thread contract: that of IncomingCall and CallOrigin; the middle part under the session's lock.
class ServedCall final : public IncomingCall, private CallOrigin, private RunningCall {
 public:
  // What is given by reference outlives it; `metadata`, which may be null, is moved from.
  ServedCall(Session& session, const ServiceRegistry::Entry& entry, const FrameHeader& header,
             Body& body, Metadata* metadata, uint32_t cost);
  // Takes over what `from` serves, whose handler goes on without it; `body`, which is empty,
  // outlives it, and so does `from` this constructor.
  ServedCall(ServedCall& from, Body& body);
  ~ServedCall();

  CallId id() const { return id_; }
  Deadline deadline() const override { return deadline_; }
  static absl::Status TooLate() ABSL_ATTRIBUTE_COLD;

  // Runs the handler on this thread, one of the lane's leaders. Or does not, and says why.
  void Serve();
  void Refuse(const absl::Status& why) ABSL_ATTRIBUTE_COLD;

  bool ReadRequest(google::protobuf::MessageLite& request) override;
  bool BeginStream() override;
  bool Read(google::protobuf::MessageLite& request) override;
  bool Write(const google::protobuf::MessageLite& reply) override;
  void Reply(const absl::Status& status, const google::protobuf::MessageLite* reply) override;

  // Under the session's lock, as the next four. Answers the credit that is to be given back.
  uint32_t Share();
  // Returns: why the call fails for it.
  absl::Status AddMessage(const FrameHeader& header, bool is_empty, Assembly message);
  void AddCredit(uint32_t bytes);
  // Whose turn it is then; claimed. Null: nobody's.
  Turns* ClaimTurns();

  // What is left to be done, without the lock, by who has ended calls before their handlers.
  struct Ending {
    CallId call;
    absl::Status status;  // for the peer; OK: nothing
    std::function<void()> callback;
    ServedCall* of_callback;      // stays until that is done
    Turns* turns;                 // claimed
    std::shared_ptr<void> owner;  // for which this cares, if that is not its handler's thread
  };
  Ending EndEarly(const absl::Status& status, bool tells_peer);
  static void Finish(Session& session, std::vector<Ending>& endings);

  // Of a call that is left to a reactor: the next thing to be told; a message, into `incoming`.
  // The others do not wait. Behind that thread's Reply none of them follows.
  enum class Event { kNone, kMessage, kReadsDone, kRoom, kCancelled };
  Event NextEvent(google::protobuf::MessageLite* incoming);
  bool WriteNow(const google::protobuf::MessageLite& reply);
  void SetReads(bool reads);
  void set_turns(Turns* turns);

  // Of a call that has been kept: who it belongs to.
  void set_owner(std::weak_ptr<void> owner);
  CallOrigin& origin() { return *this; }

 private:
  // Whose it is.
  enum class State : uint8_t { kInline, kShared, kReplied };

  // Under the session's lock.
  struct Shared {
    explicit Shared(uint64_t window) : inbox(window) {}

    bool has_message() const { return has_first || !inbox.empty(); }

    Inbox inbox;
    Credit credit;   // for what we send
    Assembly first;  // message of a stream, if it came in the request
    bool has_first = false;
    bool no_more = false;  // requests will come
    bool is_registered = false;
    int sending = 0;     // threads that are at it, without the lock
    bool ended = false;  // a reply was sent, or is about to be, or none can be
    absl::Status owed;   // to the peer, by who is sending; OK: nothing
    HandlerWait* reads = nullptr;
    HandlerWait* writes = nullptr;
    std::function<void()> on_cancel;
    bool callback_runs = false;
    std::weak_ptr<void> owner;  // of a call that has been kept

    // Of one that is left to a reactor.
    Turns* turns = nullptr;
    bool wants_room = false;
    bool pauses = false;
    bool told_done = false;
    bool told_end = false;
    bool awaits_sent = false;  // somebody waits until nothing is being sent
  };

  // The handler's thread's, which most calls do without.
  struct Extras {
    Metadata trailing_metadata;
    std::vector<void*> interceptors;  // states of those that have seen it, and not its answer
  };
  Extras& extras() {
    if (extras_ == nullptr) extras_ = std::make_unique<Extras>();
    return *extras_;
  }
  bool is_intercepted() const { return extras_ != nullptr && !extras_->interceptors.empty(); }

  const Peer& peer() const override { return session_.peer(); }
  bool IsCancelled() const override;
  void OnCancel(std::function<void()> callback) override;
  const Metadata& metadata() const override;
  Metadata& initial_metadata() override {
    if (initial_metadata_ == nullptr) initial_metadata_ = std::make_unique<Metadata>();
    return *initial_metadata_;
  }
  Metadata& trailing_metadata() override { return extras().trailing_metadata; }
  bool SendInitialMetadata() override;
  std::shared_ptr<ChannelBase> channel() override;
  std::shared_ptr<OpenCall> Keep() override;
  void LeaveTo(StreamReactor& reactor) override;
  std::optional<uint16_t> BeginNested(const Caller& caller) override;
  void EndNested() override;

  bool is_one_way() const;
  bool MayRun() ABSL_ATTRIBUTE_COLD;
  void TellAnswer(absl::Status& status) ABSL_ATTRIBUTE_COLD;
  void SendAnswer(const absl::Status& status, const google::protobuf::MessageLite* reply);
  bool BeginHandler();
  void EndHandler();
  void NoteRun();
  void AwaitCallback();
  void ShareNow();
  bool IsOver() const { return shared_->ended || cancelled_.load(std::memory_order_relaxed); }
  void AwaitNews(HandlerWait& wait, DirectRead* direct) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  bool TakeMessage(Assembly& message, DirectRead& direct, uint32_t& credit);
  bool TakeKept(Assembly& message);
  absl::Status NotValid(const google::protobuf::MessageLite& request,
                        size_t size) const ABSL_ATTRIBUTE_COLD;
  bool SendMessage(const google::protobuf::MessageLite& reply, Sender::When when);
  bool BeginSending(size_t cost);
  bool EndSending(const absl::Status& sent);
  void AwaitOthers();
  absl::Status SendInitial();
  absl::Status SendMetadata(const Metadata& metadata, uint8_t flags);
  void EndNow(const absl::Status& status) ABSL_ATTRIBUTE_COLD;
  void SendReply(const absl::Status& status, const google::protobuf::MessageLite* reply,
                 uint32_t credit);
  absl::Status SendLastMetadata() ABSL_ATTRIBUTE_COLD;
  void Register();
  void Unregister();

  Session& session_;
  const ServiceRegistry::Entry& entry_;
  const CallId id_;
  const uint8_t flags_;  // of the request
  const Deadline deadline_;
  const uint32_t cost_;                       // that the request has drawn
  Body& body_;                                // released once the request is read
  std::unique_ptr<const Metadata> metadata_;  // constant; null: none

  // The handler's thread's.
  Lane::Leader* leader_ = nullptr;
  bool in_handler_ = false;
  std::chrono::steady_clock::time_point measured_from_;
  std::unique_ptr<Extras> extras_;

  // The same, and then who writes first.
  std::unique_ptr<Metadata> initial_metadata_;  // null: none
  bool sent_initial_ = false;

  // From kInline on by one exchange, of the handler's thread without the lock or another with it.
  std::atomic<State> state_{State::kInline};
  std::atomic<bool> cancelled_{false};  // set under the lock; without it, a hint
  std::unique_ptr<Shared> shared_;      // set once, under the lock
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SERVED_CALL_H_

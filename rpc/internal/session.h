// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SESSION_H_
#define FERRY_RPC_INTERNAL_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "ferry/rpc/internal/aside.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/entrance.h"
#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/method_pace.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/wait_set.h"

namespace ferry::internal {

class ChannelBase;
class Lane;
class ServedCall;

// Where the leader's own handler, which waits, wants the next message of its call.
struct DirectRead {
  CallId call;
  google::protobuf::MessageLite& message;
  HandlerWait& wait;
  bool is_filled = false;
  bool is_valid = false;
  size_t size = 0;
};

// The serving half of one connection. Thread contract: the leader of its lane reads and
// serves; SayGoodbye by who shuts that down; Close, peer and is_gone on any thread.
class Session final : public std::enable_shared_from_this<Session>,
                      private RequestSink,
                      private ConnectionReader {
 public:
  // `registry` outlives the session. `id` is its lane's.
  Session(std::unique_ptr<Transport> transport, std::shared_ptr<const Entrance> entrance,
          const ServiceRegistry& registry, uint64_t id = 0);
  // Of a channel that serves; `mutex`: of its calls.
  Session(std::unique_ptr<Transport> transport, std::shared_ptr<const Entrance> entrance,
          const ServiceRegistry& registry, uint64_t id, const ConnectionOptions& settings,
          std::shared_ptr<Mutex> mutex);
  // By itself: in a test.
  Session(std::unique_ptr<Transport> transport, size_t max_message,
          const ServiceRegistry& registry);
  ~Session() override;

  // Before the lane leads, and anybody calls. `set`: which the transport has joined.
  void set_lane(std::weak_ptr<Lane> lane, std::shared_ptr<WaitSet> set = nullptr) {
    lane_ = std::move(lane);
    lane_address_ = lane_.lock().get();
    set_ = std::move(set);
  }

  std::shared_ptr<Lane> lane() const { return lane_.lock(); }

  // For calls to the other side.
  std::shared_ptr<ChannelBase> channel();
  // Who sleeps for it is to notice Transport::Interrupt: another thread may have something for it.
  bool is_interrupted() const { return is_interrupted_.load(std::memory_order_relaxed); }
  void set_interrupted() { is_interrupted_.store(true, std::memory_order_relaxed); }

  // On a thread that leads its lane, or runs something for it.
  void RunCallback(absl::FunctionRef<void()> callback);

  Connection& connection() { return connection_; }
  const Entrance& entrance() const { return *entrance_; }
  uint64_t id() const { return id_; }
  // This side has opened the connection.
  bool is_ours() const { return is_ours_; }
  Aside& aside() { return aside_; }

  // Another thread reads now, beside the handler that ran there.
  void HandedOver();
  // Handlers that run or wait beside who reads. The acquire pairs with the release of each that
  // has returned.
  int64_t detached_handlers() const { return max_handlers_ - free_handlers_.load(); }
  void Detach() { free_handlers_.fetch_sub(1); }
  void Attach() { free_handlers_.fetch_add(1); }

  // No handler of it runs any more, nor will one. Once all replies have left, tells the client
  // that no other call was executed, and closes; until then it is to be called again.
  void SayGoodbye();

  // Ends a call that is open, before its handler does; on any thread.
  void EndEarly(CallId call, const absl::Status& status);

  // Ends the connection; handlers find their calls cancelled.
  void Close(const absl::Status& reason);

  const Peer& peer() const { return connection_.peer(); }
  bool is_gone() const { return !close_reason().ok(); }
  absl::Status close_reason() const { return connection_.close_reason(); }

  // As the connection's, but also runs the handler of a request.
  Connection::Step HandleNext();

  // When the next call ends for its deadline, of those that others can end: at the latest.
  Deadline next_deadline();
  // Ends those whose deadline has passed, and answers when the next one does.
  Deadline ExpireCalls();

  // By the leader; null: nowhere.
  void set_direct(DirectRead* direct) { direct_ = direct; }

 private:
  friend class ServedCall;
  using Calls = absl::flat_hash_map<uint32_t, ServedCall*>;
  class QueuedCall;

  absl::Status OnRequest(const FrameHeader& header, Body& body, Metadata* metadata,
                         uint32_t cost) override;
  void OnMessage(const FrameHeader& header, Body& body) override;
  void OnTooLarge(CallId call, const absl::Status& status) override;
  void OnStreamCredit(CallId call, uint32_t bytes) override;
  void OnCancel(CallId call) override;
  void OnGreeted(uint64_t stream_credit) override;
  void OnRefused(const absl::Status& status) override;
  ConnectionReader* reader() override { return this; }

  void AwaitBeside(HandlerWait& wait, Deadline deadline) override;
  void RunNestedBeside(HandlerWait& wait) override;
  void RunNow(QueuedRequest& callback) override;
  bool RunSoon(QueuedRequest& callback) override;
  Session& session() override { return *this; }
  void Recall() override { aside_.Recall(); }

  bool ServeNested(const ServiceRegistry::Entry& entry, const FrameHeader& header, Body& body,
                   Metadata* metadata, uint32_t cost) ABSL_ATTRIBUTE_NOINLINE;
  static absl::Status TooDeep() ABSL_ATTRIBUTE_COLD;
  absl::Status TooManyRequests() const ABSL_ATTRIBUTE_COLD;
  void RefuseCall(CallId call, uint32_t cost) ABSL_ATTRIBUTE_COLD;
  // Null when it is refused.
  std::shared_ptr<QueuedRequest> Keep(const ServiceRegistry::Entry& entry,
                                      const FrameHeader& header, Body& body, Metadata* metadata,
                                      uint32_t cost);
  bool IsInUse(CallId call);
  // Null when it is not open, or has not been shared.
  ServedCall* Find(CallId call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelAll();

  const ServiceRegistry& registry_;
  const std::shared_ptr<const Entrance> entrance_;
  const uint64_t id_;
  const bool is_ours_ = false;
  Aside aside_;
  std::weak_ptr<Lane> lane_;                    // constant
  const Lane* lane_address_ = nullptr;          // constant; of one that may have gone
  std::shared_ptr<WaitSet> set_;                // constant; outlives the transport
  const std::shared_ptr<Mutex> callers_mutex_;  // null: the connection has its own
  const int64_t max_handlers_;
  // How many may begin beside those whose threads read no more; one too many for a moment.
  // Sequentially consistent: who begins one is counted here and then looks at the lane's gate.
  std::atomic<int64_t> free_handlers_;
  bool said_goodbye_ = false;
  // So many frames at most are handled before what answers them leaves.
  static constexpr unsigned kMostDeferred = 16;
  unsigned deferring_ = 0;                   // the leader's
  std::atomic<bool> is_interrupted_{false};  // from the first moment on that it may be
  MethodPace callback_pace_;
  uint64_t peer_stream_credit_ = 0;  // constant since the hello

  // The call whose handler the leader runs, while nobody else has to do with it. Stored by the
  // leader; relaxed, since the lane's role orders it, and the lock who takes it from here.
  std::atomic<ServedCall*> inline_call_{nullptr};
  DirectRead* direct_ = nullptr;  // the leader's

  Mutex mutex_;
  // Open calls that other threads than their handlers' have to do with, by index.
  Calls calls_ ABSL_GUARDED_BY(mutex_);
  std::atomic<size_t> open_calls_{0};  // changed under the lock; without it, a hint
  Deadline next_deadline_ ABSL_GUARDED_BY(mutex_) = kNoDeadline;
  size_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;   // of messages and requests not taken
  bool has_ended_ ABSL_GUARDED_BY(mutex_) = false;  // all calls were cancelled, and later ones are
  std::shared_ptr<ChannelBase> channel_ ABSL_GUARDED_BY(mutex_);  // once it is wanted
  CondVar callback_done_;

  Connection connection_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SESSION_H_

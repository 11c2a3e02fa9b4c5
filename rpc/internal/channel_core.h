// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CHANNEL_CORE_H_
#define FERRY_RPC_INTERNAL_CHANNEL_CORE_H_

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/internal/backoff.h"
#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/channel_server.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/connector.h"
#include "ferry/rpc/internal/event_queue.h"
#include "ferry/rpc/internal/restart_budget.h"
#include "ferry/transport/address.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/end_wait.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// A channel that has made its connection: and what follows when that is lost.
//
// A call picks the connection and joins its calls under one lock, so that a connection is
// destroyed only when no call uses it. One that opens no calls any more is retired: its calls
// go on, and the next call makes another. A call that the peer has not taken, as it said or
// since nothing was sent, goes on to the next connection; no other is ever repeated.
//
// Thread contract: thread-safe; Connect or Adopt come first.
class ChannelCore final : public ChannelBase {
 public:
  // Without an address it stays with the connection that Adopt makes.
  ChannelCore(std::optional<Address> address, const ChannelOptions& options);
  ~ChannelCore() override;

  // Returns: see ferry::Connect.
  absl::Status Connect();
  absl::Status Adopt(std::unique_ptr<Transport> transport, Deadline deadline);

  void AfterStream(Caller& caller) override;
  void SendRest(Caller& caller) override;

  Peer peer() override;
  void Close() override;
  int wait_handle() override;
  void Dispatch() override;

  // The last handle has gone. Waits for the threads, unless it is one of them.
  void Abandon();

 private:
  static constexpr int kMostConnections = 3;

  // A connection on which no call begins any more.
  struct Retired {
    std::shared_ptr<Connection> connection;
    bool is_told_closed;  // to the sink
  };

  std::shared_ptr<ChannelCore> self() {
    return std::static_pointer_cast<ChannelCore>(shared_from_this());
  }

  Caller* Begin(PendingCall& call, std::shared_ptr<void>& hold) override;
  void AfterCall(const absl::Status& status) override ABSL_ATTRIBUTE_COLD;
  void RunOnPool(absl::AnyInvocable<void()> run) override;
  void RunToConnect(absl::AnyInvocable<void()> run) override;
  absl::Status MayCallAsync() const override;
  int most_connections() const override { return may_reconnect() ? kMostConnections : 1; }

  // What a call without a connection does: channel_recovery.cc.
  class Wakeup;
  absl::Status ReadyServices();
  absl::Status Recover(const Patience& patience) override ABSL_ATTRIBUTE_COLD;
  absl::Status Reconnect(const Patience& patience) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Attempt(Deadline deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MayRestart(ChildProcess& child, const absl::Status& lost);
  Connection* Pin();
  std::vector<Connection*> PinAll();
  void Unpin(Connection& connection);
  void Take(ConnectionToPeer made) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Retire() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AfterCall() ABSL_ATTRIBUTE_COLD;
  void SendAllRests() ABSL_ATTRIBUTE_COLD;
  void AwaitRest();
  void StopServing();
  void Reap();
  bool may_reconnect() const { return options_.reconnect != Reconnect::kNever; }
  void StayConnected();
  bool AwaitEnd(Connection& connection);
  bool PauseIfItDidNotLast(Backoff& pace);
  bool HasJustConnected() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::optional<Address> address_;
  const ChannelOptions options_;
  EventQueue events_;
  EndWait end_wait_;

  const std::shared_ptr<Mutex> shared_mutex_ = std::make_shared<Mutex>();  // kept by sessions
  Mutex& mutex_ = *shared_mutex_;
  CondVar changed_;
  std::shared_ptr<Connection> current_ ABSL_GUARDED_BY(mutex_);
  Deadline connected_at_ ABSL_GUARDED_BY(mutex_);
  std::vector<Retired> retired_ ABSL_GUARDED_BY(mutex_);  // has_news_ if any
  Peer peer_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<ChildProcess> child_ ABSL_GUARDED_BY(mutex_);
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);   // why there is no connection
  absl::Status final_ ABSL_GUARDED_BY(mutex_);  // why there will be none
  bool is_connecting_ ABSL_GUARDED_BY(mutex_) = false;
  bool sends_rest_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread::id rest_thread_ ABSL_GUARDED_BY(mutex_);
  Backoff backoff_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ChannelServer>
      server_;              // constant once there is a connection; null: serves nothing
  RestartBudget restarts_;  // owned by the thread that connects
  std::thread thread_;      // of Reconnect::kAtOnce
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CHANNEL_CORE_H_

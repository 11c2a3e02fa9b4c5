// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CHANNEL_CORE_H_
#define FERRY_RPC_INTERNAL_CHANNEL_CORE_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/rpc/cancellation.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/client_stream.h"
#include "ferry/rpc/internal/backoff.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/connector.h"
#include "ferry/rpc/internal/event_queue.h"
#include "ferry/rpc/internal/restart_budget.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/address.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/end_wait.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// What the copies of a channel share: its connection, and what follows when that is lost.
//
// A call picks the connection and joins its calls under one lock, so that a connection is
// destroyed only when no call uses it. One that opens no calls any more is retired: its calls
// go on, and the next call makes another. A call that the peer has not taken, as it said or
// since nothing was sent, goes on to the next connection; no other is ever repeated.
//
// Thread contract: thread-safe; Connect or Adopt come first.
class ChannelCore : public std::enable_shared_from_this<ChannelCore> {
 public:
  // Without an address it stays with the connection that Adopt makes.
  ChannelCore(std::optional<Address> address, const ChannelOptions& options);
  ~ChannelCore();

  // Returns: see ferry::Connect.
  absl::Status Connect();
  absl::Status Adopt(std::unique_ptr<Transport> transport, Deadline deadline);

  // Returns: see Caller::Finish, and FAILED_PRECONDITION in a process that was forked since.
  absl::Status Call(const Method& method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& reply, const CallOptions& options);
  std::unique_ptr<ClientStream> OpenStream(const Method& method,
                                           const google::protobuf::MessageLite* request,
                                           google::protobuf::MessageLite* reply,
                                           const CallOptions& options);
  absl::Status SendOneWay(const Method& method, const google::protobuf::MessageLite& request,
                          const CallOptions& options);
  // A stream has ended, and leaves its connection.
  void AfterStream(Caller& caller);
  // Sees to it, on a thread of its own, that the last that was sent leaves, such as a CANCEL for
  // which there was no room: there may be no next call. The connection is in use.
  void SendRest(Caller& caller);

  Peer peer();
  void Close();

  // The last handle has gone. Waits for the thread, unless it is this one.
  void Abandon();

 private:
  // A connection on which no call begins any more.
  struct Retired {
    std::unique_ptr<Connection> connection;
    bool is_told_closed;  // to the sink
  };

  // What a call is made with, beside its messages: channel_calls.cc.
  struct Setting;
  absl::Status Prepare(Setting& setting) const;
  // Calls `attempt` until it begins on a connection, and once more for each that turns it away.
  template <typename Try>
  absl::Status Run(Setting& setting, Try attempt);
  template <absl::Status (Caller::*kFinish)(PendingCall&, Deadline)>
  absl::Status CallAndWait(const Method& method, const google::protobuf::MessageLite& request,
                           google::protobuf::MessageLite* reply, const CallOptions& options);
  Caller* Begin(PendingCall& call);

  // What a call without a connection does: channel_recovery.cc.
  struct Patience {
    Deadline deadline = kNoDeadline;
    bool waits_for_ready = false;
    Cancellation* cancellation = nullptr;
  };
  class Wakeup;
  absl::Status Recover(const Patience& patience) ABSL_ATTRIBUTE_COLD;
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
  void Reap();
  bool may_reconnect() const { return options_.reconnect != Reconnect::kNever; }
  void StayConnected();
  bool AwaitEnd(Connection& connection);
  bool PauseIfItDidNotLast(Backoff& pace);
  bool HasJustConnected() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::optional<Address> address_;
  const ChannelOptions options_;
  const ForkMark fork_mark_;
  EventQueue events_;
  EndWait end_wait_;

  Mutex mutex_;
  CondVar changed_;
  std::unique_ptr<Connection> current_ ABSL_GUARDED_BY(mutex_);
  Deadline connected_at_ ABSL_GUARDED_BY(mutex_);
  std::vector<Retired> retired_ ABSL_GUARDED_BY(mutex_);
  // Changed under the lock; without it, a hint to who has just left a connection.
  std::atomic<bool> has_retired_{false};
  Peer peer_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<ChildProcess> child_ ABSL_GUARDED_BY(mutex_);
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);   // why there is no connection
  absl::Status final_ ABSL_GUARDED_BY(mutex_);  // why there will be none
  bool is_connecting_ ABSL_GUARDED_BY(mutex_) = false;
  bool sends_rest_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread::id rest_thread_ ABSL_GUARDED_BY(mutex_);
  Backoff backoff_ ABSL_GUARDED_BY(mutex_);
  RestartBudget restarts_;  // owned by the thread that connects
  std::thread thread_;      // of Reconnect::kAtOnce
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CHANNEL_CORE_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SESSION_H_
#define FERRY_RPC_INTERNAL_SESSION_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::internal {

// The serving half of one connection: a leader reads it and runs the handlers itself.
// A spare thread takes the leader's place (a) when a handler enters a wait of ours and
// (b) before the handler of a (ferry.blocking) method runs. When all threads are taken,
// the handler runs all the same, other requests wait, and the next thread that is free
// takes the place.
//
// Both ask through PassOn; (c) a supervisor that finds one handler running for too
// long would do the same.
//
// Thread contract: thread-safe.
class Session final : public std::enable_shared_from_this<Session>,
                      public WorkerPool::Task,
                      private RequestSink {
 public:
  // `registry` and `pool` outlive the session.
  Session(std::unique_ptr<Transport> transport, size_t max_message, const ServiceRegistry& registry,
          WorkerPool& pool);

  // Leads on this thread from the beginning, until the connection is closed or
  // somebody else leads.
  void LeadFirst() { Enter(LeaderRole::kFirstTerm); }

  // As a spare thread: takes the leader's place if it is still in its handler.
  void Run() override;

  // Until the connection is closed and every handler has returned. Answers why it was
  // closed.
  absl::Status AwaitEnd();

  void Close(const absl::Status& reason) { connection_.Close(reason); }
  bool ended();

 private:
  class Leader;
  class ServedCall;

  void OnRequest(const FrameHeader& header, Body& body) override;
  void Enter(LeaderRole::Term term);
  void Lead(LeaderRole::Term term);

  const ServiceRegistry& registry_;
  WorkerPool& pool_;
  Connection connection_;
  LeaderRole role_;

  Mutex mutex_;
  CondVar ended_changed_;
  int threads_ ABSL_GUARDED_BY(mutex_) = 0;  // in Enter
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SESSION_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CHANNEL_BASE_H_
#define FERRY_RPC_INTERNAL_CHANNEL_BASE_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "ferry/rpc/callback.h"
#include "ferry/rpc/cancellation.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/client_stream.h"
#include "ferry/rpc/internal/call_memory.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

class AsyncStream;
class StreamReactor;

// What the copies of a channel share: makes calls on whatever connection there is.
// Thread contract: thread-safe.
class ChannelBase : public std::enable_shared_from_this<ChannelBase> {
 public:
  virtual ~ChannelBase() = default;

  // As the interceptors see them: intercepted_calls.cc.
  // Returns: see Caller::Finish, and FAILED_PRECONDITION in a process that was forked since.
  absl::Status Call(const Method& method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& reply, const CallOptions& options);
  std::unique_ptr<ClientStream> OpenStream(const Method& method,
                                           const google::protobuf::MessageLite* request,
                                           google::protobuf::MessageLite* reply,
                                           const CallOptions& options);
  absl::Status SendOneWay(const Method& method, const google::protobuf::MessageLite& request,
                          const CallOptions& options);
  // `reply` outlives the callback.
  void CallAsync(const Method& method, const google::protobuf::MessageLite& request,
                 google::protobuf::MessageLite& reply, Callback done, const CallOptions& options);

  // Tells the reactor; `reply` and what else it refers to outlive its end.
  void OpenAsync(const Method& method, const google::protobuf::MessageLite* request,
                 google::protobuf::MessageLite* reply, StreamReactor& reactor,
                 const CallOptions& options);

  // Of AsyncCall and AsyncStream. Runs it where callbacks run, or, if there is no such place, on
  // this thread.
  virtual void RunOnPool(absl::AnyInvocable<void()> run) = 0;
  CallMemory& memory() { return memory_; }
  void AfterAsync(const absl::Status& status) {
    if ((!status.ok() || has_news()) && !IsForked()) AfterCall(status);
  }

  virtual Peer peer() = 0;
  virtual void Close() = 0;

  // -1, and nothing, unless it is in the user's loop.
  virtual int wait_handle() { return -1; }
  virtual void Dispatch() {}

  // A stream has ended, and leaves its connection.
  virtual void AfterStream(Caller& caller) = 0;
  // Sees to it that the last that was sent leaves, such as a CANCEL for which there was no room:
  // there may be no next call. The connection is in use.
  virtual void SendRest(Caller& caller) = 0;

 protected:
  // What makes a call wait for a connection, and for how long.
  struct Patience {
    Deadline deadline = kNoDeadline;
    bool waits_for_ready = false;
    Cancellation* cancellation = nullptr;
  };

  explicit ChannelBase(size_t stream_credit, std::vector<ClientInterceptor*> interceptors = {})
      : stream_credit_(stream_credit), interceptors_(std::move(interceptors)) {}

  // Joins the call to the connection's; null when there is none, see Recover. What `hold` is given
  // stays until the connection is left.
  virtual Caller* Begin(PendingCall& call, std::shared_ptr<void>& hold) = 0;
  // OK: Begin may find a connection now.
  virtual absl::Status Recover(const Patience& patience) = 0;
  // A call has failed, or has_news().
  virtual void AfterCall(const absl::Status& status) = 0;
  bool has_news() const { return has_news_.load(); }

  // As RunOnPool, for what may wait for a connection.
  virtual void RunToConnect(absl::AnyInvocable<void()> run) { RunOnPool(std::move(run)); }
  // OK: it may start asynchronous calls.
  virtual absl::Status MayCallAsync() const = 0;

  // How many connections may turn one call away before it fails.
  virtual int most_connections() const = 0;

  bool IsForked() const { return fork_mark_.IsForked(); }

  const size_t stream_credit_;  // of each stream, given to the peer
  // Something is left to be done after a call. A hint; sequentially consistent: see Caller.
  std::atomic<bool> has_news_{false};

 private:
  // What a call is made with, beside its messages.
  struct Setting;
  absl::Status Prepare(Setting& setting) const;
  // The calls themselves; `may`: not OK, and they end with that.
  absl::Status CallUnseen(const Method& method, const google::protobuf::MessageLite& request,
                          google::protobuf::MessageLite& reply, const CallOptions& options);
  absl::Status SendUnseen(const Method& method, const google::protobuf::MessageLite& request,
                          const CallOptions& options);
  std::unique_ptr<ClientStream> OpenUnseen(const Method& method,
                                           const google::protobuf::MessageLite* request,
                                           google::protobuf::MessageLite* reply,
                                           const CallOptions& options, const absl::Status& may);
  void CallUnseen(const Method& method, const google::protobuf::MessageLite& request,
                  google::protobuf::MessageLite& reply, Callback&& done, const CallOptions& options,
                  const absl::Status& may);
  // Calls `attempt` until it begins on a connection, and once more for each that turns it away.
  template <typename Try>
  absl::Status Run(Setting& setting, Try attempt);
  template <absl::Status (Caller::*kFinish)(PendingCall&, Deadline)>
  absl::Status CallAndWait(const Method& method, const google::protobuf::MessageLite& request,
                           google::protobuf::MessageLite* reply, const CallOptions& options);

  // False if there is no connection, and nothing has happened.
  bool TryAsync(Setting& setting, const google::protobuf::MessageLite& request,
                google::protobuf::MessageLite& reply, Callback& done);
  absl::Status PrepareAsync(Setting& setting, const absl::Status& may) const;
  void OpenUnseen(const Method& method, const google::protobuf::MessageLite* request,
                  google::protobuf::MessageLite* reply, StreamReactor& reactor,
                  const CallOptions& options, const absl::Status& may);
  bool TryStart(Setting& setting, AsyncStream& stream);
  void ConnectAndStart(AsyncStream& stream, const CallOptions& options, Deadline deadline);

  struct PatientCall;
  bool TryPatiently(Setting& setting, const std::shared_ptr<PatientCall>& call);
  void ConnectAndCall(const std::shared_ptr<PatientCall>& call);

  const std::vector<ClientInterceptor*> interceptors_;
  const ForkMark fork_mark_;
  CallMemory memory_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CHANNEL_BASE_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_ASYNC_STREAM_H_
#define FERRY_RPC_INTERNAL_ASYNC_STREAM_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ferry/rpc/cancellation.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/cancel_registration.h"
#include "ferry/rpc/internal/pending_call.h"
#include "ferry/rpc/internal/stream_reactor.h"
#include "ferry/rpc/internal/turns.h"
#include "ferry/rpc/method.h"

namespace ferry::internal {

class ChannelBase;

// A call with streams of a channel that no thread waits for. It keeps itself until it has told the
// reactor of its end, and the channel, too. Thread contract: that of StreamControl and Turns; Start
// or Fail once, by who has made it.
class AsyncStream final : public Turns,
                          public Completion,
                          public StreamControl,
                          public std::enable_shared_from_this<AsyncStream>,
                          private CancelTarget {
 public:
  // `request`, until it has begun, and `reply`, until the end: null when they are streams.
  static std::shared_ptr<AsyncStream> Create(ChannelBase& channel, const Method& method,
                                             const google::protobuf::MessageLite* request,
                                             google::protobuf::MessageLite* reply,
                                             size_t stream_credit, StreamReactor& reactor);
  // For Create.
  AsyncStream(ChannelBase& channel, const Method& method,
              const google::protobuf::MessageLite* request, google::protobuf::MessageLite* reply,
              size_t stream_credit, StreamReactor& reactor);

  PendingCall& pending() { return call_; }
  // What is equal to the one it was made with, and stays.
  void set_request(std::shared_ptr<const google::protobuf::MessageLite> request) {
    request_ = std::move(request);
    call_.request = request_.get();
    if (request_ != nullptr) request_->ByteSizeLong();  // is cached
  }

  // While it waits for a connection: is cancelled by Cancel.
  Cancellation& wait() { return wait_; }

  // Sends the request of the call, which has begun on that connection; `hold`: what keeps it.
  void Start(Caller& caller, std::shared_ptr<void> hold, Cancellation* cancellation);
  // In place of that: tells the reactor at once.
  void Fail(const absl::Status& why);

  bool Write(const google::protobuf::MessageLite& message) override;
  void WritesDone() override;
  void PauseReads(bool pause) override;
  void Cancel() override;

  bool ends_locked() const override { return true; }
  bool OnReply() override { return Claim(); }
  void RunOnReader() override { Turns::RunOnReader(); }
  void OnEnded() override;

  Session* session() override;

 private:
  // What was wanted before it has begun; afterwards kBegun.
  enum Wish : unsigned {
    kNoWish = 0,
    kWrite = 1,
    kEndWrites = 2,
    kPause = 4,
    kCancel = 8,
    kBegun = 16
  };

  ConnectionReader& reader() override { return *caller_->beside(); }
  Step Next() override;
  void OnCancel() override { caller_->CancelEvents(call_); }
  // False: it has begun.
  bool Wishes(unsigned wish, bool is_wanted = true);
  // In a forked child nobody leaves any more, nor waits.
  bool EnterUnlessForked() { return EnterUser() && !caller_->IsForked(); }
  void End(const absl::Status& status);

  std::shared_ptr<AsyncStream> self_;     // until the end
  std::shared_ptr<ChannelBase> channel_;  // until the end
  StreamReactor& reactor_;
  std::shared_ptr<const google::protobuf::MessageLite> request_;
  StreamState state_;
  PendingCall call_;
  Caller* caller_ = nullptr;
  std::shared_ptr<void> hold_;
  CancelRegistration registration_;
  Cancellation wait_;
  std::atomic<unsigned> wishes_{kNoWish};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_ASYNC_STREAM_H_

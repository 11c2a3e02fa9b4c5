// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_STREAM_CALL_H_
#define FERRY_RPC_INTERNAL_STREAM_CALL_H_

#include <google/protobuf/message_lite.h>

#include <memory>

#include "absl/status/status.h"
#include "ferry/rpc/cancellation.h"
#include "ferry/rpc/client_stream.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/cancel_registration.h"
#include "ferry/rpc/internal/channel_base.h"
#include "ferry/rpc/internal/pending_call.h"
#include "ferry/transport/deadline.h"

namespace ferry::internal {

// A call with streams on a connection of a channel. Thread contract: that of ClientStream.
class StreamCall final : public ClientStream, private CancelTarget {
 public:
  StreamCall(std::shared_ptr<ChannelBase> channel, const Method& method,
             const google::protobuf::MessageLite* request, size_t request_size,
             google::protobuf::MessageLite* reply, size_t stream_credit);
  ~StreamCall() override;

  PendingCall& call() { return call_; }

  // Sends the request of the call, which has begun. Returns: why it did not; then the call has
  // ended, and so has its use of the connection.
  // `hold`: what keeps the connection.
  absl::Status Start(Caller& caller, std::shared_ptr<void> hold, Cancellation* cancellation,
                     Deadline deadline);
  // It could not begin.
  void Fail(const absl::Status& why) { failed_ = why; }

  bool Read(google::protobuf::MessageLite& message) override;
  bool Write(const google::protobuf::MessageLite& message) override;
  bool WritesDone() override;
  absl::Status Finish() override;
  void Cancel() override;

 private:
  void OnCancel() override;
  bool is_open() const { return caller_ != nullptr && !caller_->IsForked(); }

  const std::shared_ptr<ChannelBase> channel_;
  std::shared_ptr<void> hold_;
  StreamState state_;
  PendingCall call_;
  Caller* caller_ = nullptr;  // null when the call has not begun
  Deadline deadline_ = kNoDeadline;
  CancelRegistration registration_;
  absl::Status failed_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_STREAM_CALL_H_

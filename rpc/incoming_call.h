// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What generated code sees of a call that it serves.

#ifndef FERRY_RPC_INCOMING_CALL_H_
#define FERRY_RPC_INCOMING_CALL_H_

#include <google/protobuf/message_lite.h>

#include "absl/status/status.h"
#include "ferry/rpc/server_context.h"

namespace ferry::internal {

// Thread contract: owned by the thread that serves the call.
class IncomingCall {
 public:
  // Parses the request and lets the connection be read on. Answers false if the bytes
  // are no such message; the call has ended then.
  virtual bool ReadRequest(google::protobuf::MessageLite& request) = 0;

  // Ends the call: with `reply` when the status is OK.
  virtual void Reply(const absl::Status& status, const google::protobuf::MessageLite& reply) = 0;

  ServerContext& context() { return context_; }

 protected:
  explicit IncomingCall(const ServerContext& context) : context_(context) {}
  ~IncomingCall() = default;

 private:
  ServerContext context_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INCOMING_CALL_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What generated code sees of a call that it serves.

#ifndef FERRY_RPC_INCOMING_CALL_H_
#define FERRY_RPC_INCOMING_CALL_H_

#include <google/protobuf/message_lite.h>

#include "absl/status/status.h"
#include "ferry/rpc/server_context.h"

namespace ferry::internal {

// Thread contract: owned by the thread that serves the call, but that Read and Write may be on
// two.
class IncomingCall {
 public:
  // Takes the one request and lets the connection be read on. Answers false if the bytes
  // are no such message, or no handler is to run; the call has ended then.
  virtual bool ReadRequest(google::protobuf::MessageLite& request) = 0;

  // The same for a stream of requests, which Read takes one by one.
  virtual bool BeginStream() = 0;

  // Answer false when the call has ended, Read also when the stream has.
  virtual bool Read(google::protobuf::MessageLite& request) = 0;
  virtual bool Write(const google::protobuf::MessageLite& reply) = 0;

  // Ends the call: with `reply`, unless it is null, when the status is OK.
  virtual void Reply(const absl::Status& status, const google::protobuf::MessageLite* reply) = 0;

  ServerContext& context() { return context_; }

 protected:
  IncomingCall(const Method& method, CallOrigin& origin) : context_(method, origin) {}
  ~IncomingCall() = default;

 private:
  ServerContext context_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INCOMING_CALL_H_

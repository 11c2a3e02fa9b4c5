// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_PENDING_CALL_H_
#define FERRY_RPC_INTERNAL_PENDING_CALL_H_

#include <google/protobuf/message_lite.h>

#include <atomic>

#include "absl/status/status.h"
#include "ferry/proto/frame.h"
#include "ferry/rpc/internal/assembly.h"
#include "ferry/rpc/internal/read_token.h"
#include "ferry/rpc/method.h"

namespace ferry::internal {

// A call whose caller waits; it lives on the caller's stack. Guarded by the mutex of
// its Caller, but for what is said.
struct PendingCall {
  // REQUIRES: the request's size is cached, by its ByteSizeLong().
  PendingCall(const Method& called, const google::protobuf::MessageLite& request_message,
              size_t request_size, google::protobuf::MessageLite& reply_message)
      : method(called), request(request_message), size(request_size), reply(reply_message) {}

  const Method& method;
  const google::protobuf::MessageLite& request;
  const size_t size;  // of the request
  google::protobuf::MessageLite& reply;
  CallId id;  // 0: there was none left

  // What Begin has found. The caller's own.
  bool waits_for_credit = false;
  bool reads = false;        // it holds the read token
  bool looks_first = false;  // nobody has read for a while: there may be news

  // It has failed, and the peer has not taken the request and will not.
  bool not_taken = false;
  // The connection may be gone: the caller has nothing to do with it any more.
  bool left = false;

  // While set, the reading thread fills in `reply` or `assembly` without the lock, and
  // the caller must stay. It is set for good when the outcome is on its way.
  bool completing = false;

  // Read without the lock by the caller that reads for itself; the acquiring load there
  // pairs with the releasing store of whoever completes the call. The caller alone
  // looks at what is below once it is set.
  std::atomic<bool> done{false};
  absl::Status status;

  // Of a reply in fragments. Once it is done, the caller parses it: no other call
  // waits for that.
  FrameHeader reply_header;
  Assembly assembly;

  ReadToken::Waiter waiter;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_PENDING_CALL_H_

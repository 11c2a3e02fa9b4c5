// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Service: the base of generated service classes, and the table through which a
// server runs their methods.

#ifndef FERRY_RPC_SERVICE_H_
#define FERRY_RPC_SERVICE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "ferry/rpc/incoming_call.h"
#include "ferry/rpc/method.h"
#include "ferry/rpc/server_context.h"
#include "ferry/rpc/server_stream.h"

namespace ferry {

class Service;

namespace internal {

// Reads the request, runs the handler, sends the reply.
using ServeFunction = void (*)(Service& service, IncomingCall& call);

struct ServiceMethod {
  const Method* method;
  ServeFunction serve;
};

struct ServiceMethods {
  const ServiceMethod* begin;
  size_t size;
};

}  // namespace internal

// Thread contract: the handlers of one service object run on several threads at once;
// one that keeps state guards it.
class Service {
 public:
  virtual ~Service() = default;

  // For ferry; written by the generator. The table outlives the service.
  virtual internal::ServiceMethods ferry_methods() const = 0;
};

namespace internal {

// What a handler that is not overridden returns.
absl::Status Unimplemented(const Method& method);

// The methods of generated class S, by shape. `S::*handler` is virtual: the user's override
// runs.

template <typename S, typename Request, typename Reply,
          absl::Status (S::*handler)(ServerContext&, const Request&, Reply&)>
void ServeUnary(Service& service, IncomingCall& call) {
  Request request;
  if (!call.ReadRequest(request)) return;
  Reply reply;
  absl::Status status = (static_cast<S&>(service).*handler)(call.context(), request, reply);
  call.Reply(status, &reply);
}

template <typename S, typename Request, typename Reply,
          absl::Status (S::*handler)(ServerContext&, const Request&, ServerWriter<Reply>&)>
void ServeServerStream(Service& service, IncomingCall& call) {
  Request request;
  if (!call.ReadRequest(request)) return;
  ServerWriter<Reply> replies(call);
  call.Reply((static_cast<S&>(service).*handler)(call.context(), request, replies), nullptr);
}

template <typename S, typename Request, typename Reply,
          absl::Status (S::*handler)(ServerContext&, ServerReader<Request>&, Reply&)>
void ServeClientStream(Service& service, IncomingCall& call) {
  if (!call.BeginStream()) return;
  ServerReader<Request> requests(call);
  Reply reply;
  absl::Status status = (static_cast<S&>(service).*handler)(call.context(), requests, reply);
  call.Reply(status, &reply);
}

template <typename S, typename Request, typename Reply,
          absl::Status (S::*handler)(ServerContext&, ServerReaderWriter<Reply, Request>&)>
void ServeTwoWayStream(Service& service, IncomingCall& call) {
  if (!call.BeginStream()) return;
  ServerReaderWriter<Reply, Request> stream(call);
  call.Reply((static_cast<S&>(service).*handler)(call.context(), stream), nullptr);
}

// The client was told that the request is here when it was taken.
template <typename S, typename Request, absl::Status (S::*handler)(ServerContext&, const Request&)>
void ServeOneWay(Service& service, IncomingCall& call) {
  Request request;
  if (!call.ReadRequest(request)) return;
  (static_cast<S&>(service).*handler)(call.context(), request).IgnoreError();
}

}  // namespace internal
}  // namespace ferry

#endif  // FERRY_RPC_SERVICE_H_

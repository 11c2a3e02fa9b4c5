// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Generic calls: a stub and a service that know methods by their names, or ids, and messages as
// their bytes. For proxies, recorders and tools, which have no generated code.
//
//   ferry::GenericMethod greet("greeter.Greeter/Greet", ferry::CallShape::kUnary);
//   ferry::GenericStub stub(channel);
//   absl::StatusOr<ferry::RawMessage> reply =
//       stub.Unary(greet, ferry::ToRaw(request.SerializeAsString()));
//
// The bytes have to be those of some protobuf message: what is none fails as a message of a type
// does. Their fields stay in their order; numbers are written as short as they can be.

#ifndef FERRY_RPC_GENERIC_H_
#define FERRY_RPC_GENERIC_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferry/proto/raw.pb.h"
#include "ferry/rpc/server_stream.h"
#include "ferry/rpc/service.h"
#include "ferry/rpc/stub.h"

namespace ferry {

inline RawMessage ToRaw(std::string bytes) {
  RawMessage message;
  *message.mutable_unknown_fields() = std::move(bytes);
  return message;
}
inline const std::string& BytesOf(const RawMessage& message) { return message.unknown_fields(); }

// A method as generated code knows it. Outlives the calls and services that it is given to. Thread
// contract: thread-safe.
class GenericMethod {
 public:
  // "package.Service/Method"
  GenericMethod(std::string full_name, CallShape shape, Execution run = Execution::kInline)
      : full_name_(std::move(full_name)), method_(full_name_, shape, run) {}
  // Of which only the id that travels is known; that stands for the name, too.
  GenericMethod(uint64_t id, CallShape shape);
  GenericMethod(const GenericMethod&) = delete;
  GenericMethod& operator=(const GenericMethod&) = delete;

  const Method& method() const { return method_; }

 private:
  const std::string full_name_;
  Method method_;
};

// Calls by the methods of generated stubs, named after the shape, which has to be the method's.
// Thread contract: thread-safe; copies share the channel.
class GenericStub {
 public:
  explicit GenericStub(Channel channel) : channel_(std::move(channel)) {}

  absl::StatusOr<RawMessage> Unary(const GenericMethod& method, const RawMessage& request,
                                   const CallOptions& options = {}) const {
    return internal::CallUnary<RawMessage>(channel_, method.method(), request, options);
  }
  void Unary(const GenericMethod& method, const RawMessage& request, ReplyCallback<RawMessage> done,
             const CallOptions& options = {}) const {
    internal::CallUnary<RawMessage>(channel_, method.method(), request, std::move(done), options);
  }
  ClientReader<RawMessage> ServerStream(const GenericMethod& method, const RawMessage& request,
                                        const CallOptions& options = {}) const {
    return internal::CallServerStream<RawMessage, RawMessage>(channel_, method.method(), request,
                                                              options);
  }
  void ServerStream(const GenericMethod& method, const RawMessage& request,
                    ClientReadReactor<RawMessage>& reactor, const CallOptions& options = {}) const {
    internal::CallServerStream<RawMessage, RawMessage>(channel_, method.method(), request, reactor,
                                                       options);
  }
  ClientWriter<RawMessage> ClientStream(const GenericMethod& method, RawMessage* reply,
                                        const CallOptions& options = {}) const {
    return internal::CallClientStream<RawMessage, RawMessage>(channel_, method.method(), *reply,
                                                              options);
  }
  void ClientStream(const GenericMethod& method,
                    ClientWriteReactor<RawMessage, RawMessage>& reactor,
                    const CallOptions& options = {}) const {
    internal::CallClientStream<RawMessage, RawMessage>(channel_, method.method(), reactor, options);
  }
  ClientReaderWriter<RawMessage, RawMessage> TwoWayStream(const GenericMethod& method,
                                                          const CallOptions& options = {}) const {
    return internal::CallTwoWayStream<RawMessage, RawMessage>(channel_, method.method(), options);
  }
  void TwoWayStream(const GenericMethod& method, ClientBidiReactor<RawMessage, RawMessage>& reactor,
                    const CallOptions& options = {}) const {
    internal::CallTwoWayStream<RawMessage, RawMessage>(channel_, method.method(), reactor, options);
  }
  absl::Status OneWay(const GenericMethod& method, const RawMessage& request,
                      const CallOptions& options = {}) const {
    return internal::CallOneWay(channel_, method.method(), request, options);
  }

 private:
  const Channel channel_;
};

// Serves those methods, by one handler for each shape; ServerContext::method says which it is.
// Thread contract: that of Service.
class GenericService : public Service {
 public:
  // Outlive it.
  explicit GenericService(const std::vector<const GenericMethod*>& methods);

  virtual absl::Status Unary(ServerContext& context, const RawMessage& request, RawMessage& reply);
  virtual absl::Status ServerStream(ServerContext& context, const RawMessage& request,
                                    ServerWriter<RawMessage>& replies);
  virtual absl::Status ClientStream(ServerContext& context, ServerReader<RawMessage>& requests,
                                    RawMessage& reply);
  virtual absl::Status TwoWayStream(ServerContext& context,
                                    ServerReaderWriter<RawMessage, RawMessage>& stream);
  virtual absl::Status OneWay(ServerContext& context, const RawMessage& request);

  internal::ServiceMethods ferry_methods() const final {
    return {methods_.data(), methods_.size()};
  }

 private:
  std::vector<internal::ServiceMethod> methods_;
};

}  // namespace ferry

#endif  // FERRY_RPC_GENERIC_H_

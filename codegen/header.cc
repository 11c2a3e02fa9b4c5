// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/header.h"

#include <google/protobuf/descriptor.pb.h>

#include <string_view>

#include "codegen/comment.h"
#include "codegen/emitter.h"
#include "codegen/names.h"
#include "codegen/shape.h"

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

Holes MethodHoles(const pb::MethodDescriptor& method, const Options& options) {
  return {{"comment", LeadingComment(method)},
          {"method", MethodName(method, options)},
          {"request", MessageType(*method.input_type())},
          {"reply", MessageType(*method.output_type())},
          {"deprecated", method.options().deprecated() ? "[[deprecated]]" : ""}};
}

constexpr char kUnaryHandler[] = R"(
      $comment$
      virtual ::absl::Status $method$(
          ::ferry::ServerContext& context, const $request$& request,
          $reply$& reply);

      )";

constexpr char kServerStreamHandler[] = R"(
      $comment$
      virtual ::absl::Status $method$(
          ::ferry::ServerContext& context, const $request$& request,
          ::ferry::ServerWriter<$reply$>& replies);

      )";

constexpr char kClientStreamHandler[] = R"(
      $comment$
      virtual ::absl::Status $method$(
          ::ferry::ServerContext& context, ::ferry::ServerReader<$request$>& requests,
          $reply$& reply);

      )";

constexpr char kTwoWayStreamHandler[] = R"(
      $comment$
      virtual ::absl::Status $method$(
          ::ferry::ServerContext& context,
          ::ferry::ServerReaderWriter<$reply$, $request$>& stream);

      )";

constexpr char kOneWayHandler[] = R"(
      $comment$
      // The status that it returns goes nowhere.
      virtual ::absl::Status $method$(
          ::ferry::ServerContext& context, const $request$& request);

      )";

std::string_view HandlerLayout(Shape shape) {
  return ByShape(shape, {kUnaryHandler, kServerStreamHandler, kClientStreamHandler,
                         kTwoWayStreamHandler, kOneWayHandler});
}

constexpr char kUnaryCall[] = R"(
      $comment$
      // Reuses `reply`: nothing is allocated beyond what protobuf itself does.
      $deprecated$
      ::absl::Status $method$(
          const $request$& request, $reply$* reply,
          const ::ferry::CallOptions& options = {}) const;
      $deprecated$
      ::absl::StatusOr<$reply$> $method$(
          const $request$& request,
          const ::ferry::CallOptions& options = {}) const;
      ::absl::Status $method$(
          const $request$& request, decltype(nullptr),
          const ::ferry::CallOptions& options = {}) const = delete;
      // Asynchronous, see ferry/rpc/callback.h. `reply` outlives the callback.
      $deprecated$
      void $method$(
          const $request$& request, $reply$* reply,
          ::ferry::Callback done, const ::ferry::CallOptions& options = {}) const;
      $deprecated$
      void $method$(
          const $request$& request,
          ::ferry::ReplyCallback<$reply$> done,
          const ::ferry::CallOptions& options = {}) const;

      )";

constexpr char kServerStreamCall[] = R"(
      $comment$
      // A reader that goes away before Finish cancels the call.
      $deprecated$
      ::ferry::ClientReader<$reply$> $method$(
          const $request$& request,
          const ::ferry::CallOptions& options = {}) const;
      // Asynchronous, see ferry/rpc/client_reactor.h.
      $deprecated$
      void $method$(
          const $request$& request, ::ferry::ClientReadReactor<$reply$>& reactor,
          const ::ferry::CallOptions& options = {}) const;

      )";

constexpr char kClientStreamCall[] = R"(
      $comment$
      // Finish fills in `reply`, which outlives the writer. One that goes away before Finish
      // cancels the call.
      $deprecated$
      ::ferry::ClientWriter<$request$> $method$(
          $reply$* reply,
          const ::ferry::CallOptions& options = {}) const;
      ::ferry::ClientWriter<$request$> $method$(
          decltype(nullptr),
          const ::ferry::CallOptions& options = {}) const = delete;
      // Asynchronous, see ferry/rpc/client_reactor.h.
      $deprecated$
      void $method$(
          ::ferry::ClientWriteReactor<$request$, $reply$>& reactor,
          const ::ferry::CallOptions& options = {}) const;

      )";

constexpr char kTwoWayStreamCall[] = R"(
      $comment$
      // A stream that goes away before Finish cancels the call.
      $deprecated$
      ::ferry::ClientReaderWriter<$request$, $reply$> $method$(
          const ::ferry::CallOptions& options = {}) const;
      // Asynchronous, see ferry/rpc/client_reactor.h.
      $deprecated$
      void $method$(
          ::ferry::ClientBidiReactor<$request$, $reply$>& reactor,
          const ::ferry::CallOptions& options = {}) const;

      )";

constexpr char kOneWayCall[] = R"(
      $comment$
      // Returns when the request is on its way; nobody learns what becomes of it.
      $deprecated$
      ::absl::Status $method$(
          const $request$& request,
          const ::ferry::CallOptions& options = {}) const;

      )";

std::string_view CallLayout(Shape shape) {
  return ByShape(
      shape, {kUnaryCall, kServerStreamCall, kClientStreamCall, kTwoWayStreamCall, kOneWayCall});
}

std::string Classes(const pb::ServiceDescriptor& service, const Options& options) {
  std::string comment = LeadingComment(service);
  if (!comment.empty()) comment += "//\n";
  std::string handlers;
  std::string calls;
  for (int i = 0; i < service.method_count(); ++i) {
    const pb::MethodDescriptor& method = *service.method(i);
    const Holes holes = MethodHoles(method, options);
    handlers += Emit(HandlerLayout(ShapeOf(method)), holes);
    calls += Emit(CallLayout(ShapeOf(method)), holes);
  }
  return Emit(R"(
      $comment$
      // Implement the handlers and give the object to ferry::Server::Register.
      // A handler that is not overridden answers UNIMPLEMENTED.
      class $service$ : public ::ferry::Service {
       public:
        $handlers$
        ::ferry::internal::ServiceMethods ferry_methods() const final;
      };

      // Calls a $full_name$ at the other end of a channel.
      // Thread-safe; copies share the channel. No method takes nullptr or {} as a reply.
      class $deprecated$$stub$ {
       public:
        explicit $stub$(::ferry::Channel channel);

        $calls$
       private:
        ::ferry::Channel ferry_channel_;
      };

      )",
              {{"comment", comment},
               {"service", ServiceClass(service, options)},
               {"handlers", handlers},
               {"full_name", std::string(service.full_name())},
               {"stub", StubClass(service, options)},
               {"deprecated", service.options().deprecated() ? "[[deprecated]] " : ""},
               {"calls", calls}});
}

}  // namespace

std::string Header(const pb::FileDescriptor& file, const Options& options) {
  std::string classes;
  for (int i = 0; i < file.service_count(); ++i) {
    classes += Classes(*file.service(i), options);
  }
  return Emit(
      R"(
      // Generated by protoc-gen-ferry from $proto$. DO NOT EDIT.
      #ifndef $guard$
      #define $guard$

      #include "ferry/rpc/service.h"
      #include "ferry/rpc/stub.h"

      #include "$base$.pb.h"

      $classes$
      #endif  // $guard$
      )",
      {{"proto", std::string(file.name())},
       {"guard", IncludeGuard(file)},
       {"base", BaseName(file)},
       {"classes", AllowShadowing(InNamespace(ClassNamespace(file, options), classes))}});
}

}  // namespace ferry::codegen

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/stub_method.h"

namespace ferry::codegen {
namespace {

constexpr char kUnaryCall[] = R"(
      ::absl::Status $stub$::$method$(
          const $request$& request, $reply$* reply,
          const ::ferry::CallOptions& options) const {
        return ::ferry::internal::CallUnary(
            ferry_channel_, $constant$,
            request, *reply, options);
      }

      ::absl::StatusOr<$reply$> $stub$::$method$(
          const $request$& request,
          const ::ferry::CallOptions& options) const {
        return ::ferry::internal::CallUnary<$reply$>(
            ferry_channel_, $constant$,
            request, options);
      }

      void $stub$::$method$(
          const $request$& request, $reply$* reply,
          ::ferry::Callback done, const ::ferry::CallOptions& options) const {
        ::ferry::internal::CallUnary(
            ferry_channel_, $constant$,
            request, *reply, ::std::move(done), options);
      }

      void $stub$::$method$(
          const $request$& request,
          ::ferry::ReplyCallback<$reply$> done,
          const ::ferry::CallOptions& options) const {
        ::ferry::internal::CallUnary<$reply$>(
            ferry_channel_, $constant$,
            request, ::std::move(done), options);
      }

      )";

constexpr char kServerStreamCall[] = R"(
      ::ferry::ClientReader<$reply$> $stub$::$method$(
          const $request$& request,
          const ::ferry::CallOptions& options) const {
        return ::ferry::internal::CallServerStream<$messages$>(
            ferry_channel_, $constant$,
            request, options);
      }

      void $stub$::$method$(
          const $request$& request, ::ferry::ClientReadReactor<$reply$>& reactor,
          const ::ferry::CallOptions& options) const {
        ::ferry::internal::CallServerStream<$messages$>(
            ferry_channel_, $constant$,
            request, reactor, options);
      }

      )";

constexpr char kClientStreamCall[] = R"(
      ::ferry::ClientWriter<$request$> $stub$::$method$(
          $reply$* reply,
          const ::ferry::CallOptions& options) const {
        return ::ferry::internal::CallClientStream<$messages$>(
            ferry_channel_, $constant$,
            *reply, options);
      }

      void $stub$::$method$(
          ::ferry::ClientWriteReactor<$request$, $reply$>& reactor,
          const ::ferry::CallOptions& options) const {
        ::ferry::internal::CallClientStream<$messages$>(
            ferry_channel_, $constant$,
            reactor, options);
      }

      )";

constexpr char kTwoWayStreamCall[] = R"(
      ::ferry::ClientReaderWriter<$request$, $reply$> $stub$::$method$(
          const ::ferry::CallOptions& options) const {
        return ::ferry::internal::CallTwoWayStream<$messages$>(
            ferry_channel_, $constant$,
            options);
      }

      void $stub$::$method$(
          ::ferry::ClientBidiReactor<$request$, $reply$>& reactor,
          const ::ferry::CallOptions& options) const {
        ::ferry::internal::CallTwoWayStream<$messages$>(
            ferry_channel_, $constant$,
            reactor, options);
      }

      )";

constexpr char kOneWayCall[] = R"(
      ::absl::Status $stub$::$method$(
          const $request$& request,
          const ::ferry::CallOptions& options) const {
        return ::ferry::internal::CallOneWay(
            ferry_channel_, $constant$,
            request, options);
      }

      )";

}  // namespace

std::string_view StubMethodLayout(Shape shape) {
  return ByShape(
      shape, {kUnaryCall, kServerStreamCall, kClientStreamCall, kTwoWayStreamCall, kOneWayCall});
}

}  // namespace ferry::codegen

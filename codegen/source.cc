// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/source.h"

#include <string_view>

#include "codegen/emitter.h"
#include "codegen/names.h"
#include "codegen/shape.h"
#include "codegen/stub_method.h"
#include "ferry/proto/options.pb.h"

namespace ferry::codegen {
namespace {

namespace pb = google::protobuf;

Holes MethodHoles(const pb::MethodDescriptor& method, const Options& options) {
  const pb::ServiceDescriptor& service = *method.service();
  const Shape shape = ShapeOf(method);
  const std::string request = MessageType(*method.input_type());
  const std::string reply = MessageType(*method.output_type());
  const bool blocking = method.options().GetExtension(::ferry::blocking);
  return {{"service", ServiceClass(service, options)},
          {"stub", StubClass(service, options)},
          {"method", MethodName(method, options)},
          {"request", request},
          {"reply", reply},
          {"messages", shape == Shape::kOneWay ? request : request + ", " + reply},
          {"full_name", FullName(method)},
          {"shape", ShapeName(shape)},
          {"execution", blocking ? "kBlocking" : "kInline"},
          {"name", ConstantName(method)},
          {"constant", "::" + ConstantsNamespace(service) + "::" + ConstantName(method)}};
}

// What `layout_of` its shape gives for each method.
std::string ForEachMethod(const pb::ServiceDescriptor& service, const Options& options,
                          std::string_view (*layout_of)(Shape)) {
  std::string out;
  for (int i = 0; i < service.method_count(); ++i) {
    const pb::MethodDescriptor& method = *service.method(i);
    out += Emit(layout_of(ShapeOf(method)), MethodHoles(method, options));
  }
  return out;
}

std::string_view ConstantLayout(Shape /*any*/) {
  return R"(
      constexpr ::ferry::Method $name$(
          "$full_name$", ::ferry::CallShape::k$shape$,
          ::ferry::Execution::$execution$);

      )";
}

constexpr char kUnaryHandler[] = R"(
      ::absl::Status $service$::$method$(
          ::ferry::ServerContext&, const $request$&,
          $reply$&) {
        return ::ferry::internal::Unimplemented(
            $constant$);
      }

      )";

constexpr char kServerStreamHandler[] = R"(
      ::absl::Status $service$::$method$(
          ::ferry::ServerContext&, const $request$&,
          ::ferry::ServerWriter<$reply$>&) {
        return ::ferry::internal::Unimplemented(
            $constant$);
      }

      )";

constexpr char kClientStreamHandler[] = R"(
      ::absl::Status $service$::$method$(
          ::ferry::ServerContext&, ::ferry::ServerReader<$request$>&,
          $reply$&) {
        return ::ferry::internal::Unimplemented(
            $constant$);
      }

      )";

constexpr char kTwoWayStreamHandler[] = R"(
      ::absl::Status $service$::$method$(
          ::ferry::ServerContext&,
          ::ferry::ServerReaderWriter<$reply$, $request$>&) {
        return ::ferry::internal::Unimplemented(
            $constant$);
      }

      )";

constexpr char kOneWayHandler[] = R"(
      ::absl::Status $service$::$method$(
          ::ferry::ServerContext&, const $request$&) {
        return ::ferry::internal::Unimplemented(
            $constant$);
      }

      )";

std::string_view HandlerLayout(Shape shape) {
  return ByShape(shape, {kUnaryHandler, kServerStreamHandler, kClientStreamHandler,
                         kTwoWayStreamHandler, kOneWayHandler});
}

std::string_view TableEntryLayout(Shape /*any*/) {
  return R"(
      {&$constant$,
       &::ferry::internal::Serve$shape$<
           $service$, $messages$,
           &$service$::$method$>},
      )";
}

std::string MethodTable(const pb::ServiceDescriptor& service, const Options& options) {
  const Holes holes = {{"service", ServiceClass(service, options)},
                       {"entries", ForEachMethod(service, options, TableEntryLayout)},
                       {"count", std::to_string(service.method_count())}};
  if (service.method_count() == 0) {
    return Emit(R"(
        ::ferry::internal::ServiceMethods $service$::ferry_methods() const {
          return {nullptr, 0};
        }

        )",
                holes);
  }
  return Emit(R"(
      ::ferry::internal::ServiceMethods $service$::ferry_methods() const {
        static constexpr ::ferry::internal::ServiceMethod kMethods[] = {
            $entries$
        };
        return {kMethods, $count$};
      }

      )",
              holes);
}

std::string Constructor(const pb::ServiceDescriptor& service, const Options& options) {
  return Emit(R"(
      $stub$::$stub$(::ferry::Channel channel)
          : ferry_channel_(::std::move(channel)) {}

      )",
              {{"stub", StubClass(service, options)}});
}

}  // namespace

std::string Source(const pb::FileDescriptor& file, const Options& options) {
  std::string constants;
  std::string members;
  for (int i = 0; i < file.service_count(); ++i) {
    const pb::ServiceDescriptor& service = *file.service(i);
    constants +=
        InNamespace(ConstantsNamespace(service), ForEachMethod(service, options, ConstantLayout));
    members += ForEachMethod(service, options, HandlerLayout) + MethodTable(service, options) +
               Constructor(service, options) + ForEachMethod(service, options, StubMethodLayout);
  }
  std::string text = Emit(
      R"(
      // Generated by protoc-gen-ferry from $proto$. DO NOT EDIT.
      #include "$base$.ferry.h"

      #include <utility>

      $constants$
      $members$
      )",
      {{"proto", std::string(file.name())},
       {"base", BaseName(file)},
       {"constants", constants},
       {"members", AllowShadowing(InNamespace(ClassNamespace(file, options), members))}});
  text.pop_back();  // every part ends in a blank line, the file does not
  return text;
}

}  // namespace ferry::codegen

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "interop_service.h"

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace ferry::interop {
namespace {

constexpr int kMaxResponse = 64 * 1024 * 1024;

void EchoMetadata(ServerContext& context) {
  constexpr std::string_view kInitial = "x-ferry-test-echo-initial";
  constexpr std::string_view kTrailing = "x-ferry-test-echo-trailing-bin";
  const std::optional<std::string_view> initial = context.metadata().Find(kInitial);
  if (initial) context.initial_metadata().Add(kInitial, *initial);
  const std::optional<std::string_view> trailing = context.metadata().Find(kTrailing);
  if (trailing) context.trailing_metadata().Add(kTrailing, *trailing);
}

// Returns: INVALID_ARGUMENT for a size that no response has.
absl::Status Fill(int size, Payload& payload) {
  if (size < 0 || size > kMaxResponse) {
    return absl::InvalidArgumentError("a response of " + std::to_string(size) +
                                      " bytes was asked for; expected 0 to " +
                                      std::to_string(kMaxResponse));
  }
  payload.mutable_body()->assign(static_cast<size_t>(size), '\0');
  return absl::OkStatus();
}

absl::Status ToStatus(const EchoStatus& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.code()), status.message());
}

// Waits, unless the call is cancelled: also when its deadline passes.
void Pause(ServerContext& context, absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return;
  // Shared: it may be told when this has returned.
  const auto cancelled = std::make_shared<std::promise<void>>();
  context.OnCancel([cancelled] { cancelled->set_value(); });
  cancelled->get_future().wait_for(absl::ToChronoNanoseconds(duration));
}

// A response for each of the request's parameters, to a ServerWriter or ServerReaderWriter.
// Returns: the status that the request asks for; CANCELLED when nobody reads any more.
template <typename Stream>
absl::Status Respond(ServerContext& context, const StreamingOutputCallRequest& request,
                     Stream& stream) {
  StreamingOutputCallResponse response;
  for (const ResponseParameters& parameters : request.response_parameters()) {
    absl::Status filled = Fill(parameters.size(), *response.mutable_payload());
    if (!filled.ok()) return filled;
    Pause(context, absl::Microseconds(parameters.interval_us()));
    if (!stream.Write(response)) return absl::CancelledError("a response could not be written");
  }
  return ToStatus(request.response_status());
}

}  // namespace

absl::Status InteropService::EmptyCall(ServerContext& context, const Empty& /*request*/,
                                       Empty& /*reply*/) {
  EchoMetadata(context);
  return absl::OkStatus();
}

absl::Status InteropService::UnaryCall(ServerContext& context, const SimpleRequest& request,
                                       SimpleResponse& reply) {
  EchoMetadata(context);
  absl::Status filled = Fill(request.response_size(), *reply.mutable_payload());
  return filled.ok() ? ToStatus(request.response_status()) : filled;
}

absl::Status InteropService::StreamingOutputCall(
    ServerContext& context, const StreamingOutputCallRequest& request,
    ServerWriter<StreamingOutputCallResponse>& replies) {
  EchoMetadata(context);
  return Respond(context, request, replies);
}

absl::Status InteropService::StreamingInputCall(ServerContext& context,
                                                ServerReader<StreamingInputCallRequest>& requests,
                                                StreamingInputCallResponse& reply) {
  EchoMetadata(context);
  size_t size = 0;
  for (StreamingInputCallRequest request; requests.Read(&request);) {
    size += request.payload().body().size();
  }
  reply.set_aggregated_payload_size(static_cast<int>(size));
  return absl::OkStatus();
}

absl::Status InteropService::FullDuplexCall(
    ServerContext& context,
    ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>& stream) {
  EchoMetadata(context);
  for (StreamingOutputCallRequest request; stream.Read(&request);) {
    absl::Status status = Respond(context, request, stream);
    if (!status.ok() || request.has_response_status()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ferry::interop

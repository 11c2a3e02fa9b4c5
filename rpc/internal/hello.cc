// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/hello.h"

#include "absl/strings/str_cat.h"
#include "ferry/proto/frame.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/internal/status_codec.h"

namespace ferry::internal {

wire::Hello MakeHello(size_t max_message, uint64_t request_credit, uint64_t stream_credit) {
  wire::Hello hello;
  hello.set_min_version(kProtocolVersion);
  hello.set_max_version(kProtocolVersion);
  hello.set_max_message(max_message);
  hello.set_max_frame(kMaxFrame);
  hello.set_request_credit(request_credit);
  hello.set_stream_credit(stream_credit);
  return hello;
}

absl::StatusOr<wire::Hello> ReadHello(const Body& body) {
  wire::Hello hello;
  if (!hello.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return absl::DataLossError(
        absl::StrCat("broken frame: hello of ", body.size(), " bytes cannot be parsed"));
  }
  if (hello.min_version() > kProtocolVersion || hello.max_version() < kProtocolVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("it speaks versions ", hello.min_version(), " to ", hello.max_version(),
                     " of ferry's protocol, this side speaks version ", kProtocolVersion));
  }
  if (hello.max_frame() < kMaxFrame) {
    return absl::DataLossError(absl::StrCat("broken frame: hello with max_frame ",
                                            hello.max_frame(), ", expected at least ", kMaxFrame));
  }
  return hello;
}

void GoAway(Sender& sender, const absl::Status& why) {
  FrameHeader header;
  header.type = FrameType::kGoAway;
  header.aux = static_cast<uint16_t>(why.code());
  // If it cannot be sent, the peer sees the end all the same.
  sender.Send(header, EncodeStatus(why), Deadline::min()).IgnoreError();
}

void Refuse(Transport& transport, const absl::Status& reason) {
  Sender sender(transport, kDefaultMaxMessage);
  GoAway(sender, reason);
}

}  // namespace ferry::internal

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry_stream.h"

#include "absl/strings/str_cat.h"
#include "ferry_echo.h"

namespace ferry::bench {

void FerryStream::Prepare(size_t payload_size) {
  payload_size_ = static_cast<int64_t>(payload_size);
  message_ = FerryEcho::MakeMessage(payload_size);
}

absl::Status FerryStream::Download() {
  StreamRequest request;
  request.set_messages(messages_);
  request.set_payload_size(payload_size_);
  ClientReader<EchoMessage> messages = stub_.Download(request);
  int64_t count = 0;
  size_t payload_bytes = 0;
  for (; messages.Read(&message_); ++count) payload_bytes += message_.payload().size();
  absl::Status status = messages.Finish();
  return status.ok() ? Check(count, static_cast<int64_t>(payload_bytes)) : status;
}

absl::Status FerryStream::Upload() {
  StreamSummary summary;
  ClientWriter<EchoMessage> messages = stub_.Upload(&summary);
  for (int64_t i = 0; i < messages_ && messages.Write(message_); ++i) continue;
  absl::Status status = messages.Finish();
  return status.ok() ? Check(summary.messages(), summary.payload_bytes()) : status;
}

absl::Status FerryStream::Check(int64_t messages, int64_t payload_bytes) const {
  if (messages == messages_ && payload_bytes == messages_ * payload_size_) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("of a stream of ", messages_, " messages of ",
                                          payload_size_, " bytes, ", messages, " arrived with ",
                                          payload_bytes, " bytes in all"));
}

absl::StatusOr<int64_t> FerryStream::PeerCpuTime() {
  absl::StatusOr<CpuTimeReply> reply = stub_.CpuTime(CpuTimeRequest());
  if (!reply.ok()) return reply.status();
  return reply->nanoseconds();
}

}  // namespace ferry::bench

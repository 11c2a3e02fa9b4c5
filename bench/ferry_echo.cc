// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry_echo.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ferry/proto/frame.h"
#include "machine.h"

namespace ferry::bench {

EchoMessage FerryEcho::MakeMessage(size_t payload_size) {
  EchoMessage message;
  message.set_payload(std::string(payload_size, 'x'));
  return message;
}

size_t FerryEcho::WireSize(size_t payload_size) {
  size_t message = MakeMessage(payload_size).ByteSizeLong();
  size_t frames = std::max<size_t>((message + kMaxFrame - 1) / kMaxFrame, 1);
  return message + frames * kFrameHeaderSize;
}

absl::Status FerryEcho::RoundTrip() {
  CallOptions options;
  options.timeout = timeout_;
  absl::Status status = stub_.Echo(request_, &reply_, options);
  if (status.ok() && reply_.payload().size() != request_.payload().size()) {
    return absl::DataLossError(absl::StrCat("the echo of ", request_.payload().size(),
                                            " bytes has ", reply_.payload().size()));
  }
  return status;
}

absl::StatusOr<int64_t> FerryEcho::PeerCpuTime() {
  absl::StatusOr<CpuTimeReply> reply = stub_.CpuTime(CpuTimeRequest());
  if (!reply.ok()) return reply.status();
  return reply->nanoseconds();
}

absl::StatusOr<Worker> StartWorker(const std::string& transport) {
  // A path, but in shm a name.
  std::string folder = transport == "shm" ? "" : "/tmp/";
  std::string address =
      transport == "pipe" ? "" : absl::StrCat(transport, ":", folder, "ferry_bench.", getpid());
  std::string start = absl::StrCat(
      "exec:", absl::StrReplaceAll(WorkerPath(), {{"%", "%25"}, {"?", "%3F"}, {" ", "%20"}}),
      "?arg=parent:");
  if (!address.empty()) absl::StrAppend(&start, "&arg=", address);
  absl::StatusOr<Channel> parent = Connect(start);
  if (!parent.ok()) return parent.status();
  pid_t pid = static_cast<pid_t>(parent->peer().pid);
  if (address.empty()) return Worker{*parent, *parent, pid, start};
  absl::StatusOr<Channel> channel = Connect(address);
  if (!channel.ok()) return channel.status();
  return Worker{*parent, *std::move(channel), pid, address};
}

}  // namespace ferry::bench

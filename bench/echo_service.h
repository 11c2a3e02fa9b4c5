// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_ECHO_SERVICE_H_
#define FERRY_BENCH_ECHO_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "echo.ferry.h"
#include "machine.h"

namespace ferry::bench {

// Thread contract: thread-safe.
class EchoServer final : public EchoService {
 public:
  absl::Status Echo(ServerContext&, const EchoMessage& request, EchoMessage& reply) override {
    reply.set_payload(request.payload());
    return absl::OkStatus();
  }

  absl::Status Download(ServerContext&, const StreamRequest& request,
                        ServerWriter<EchoMessage>& messages) override {
    EchoMessage message;
    message.set_payload(std::string(static_cast<size_t>(request.payload_size()), 'x'));
    for (int64_t i = 0; i < request.messages(); ++i) {
      if (!messages.Write(message)) return absl::CancelledError("the client does not read on");
    }
    return absl::OkStatus();
  }

  absl::Status Upload(ServerContext&, ServerReader<EchoMessage>& messages,
                      StreamSummary& summary) override {
    int64_t count = 0;
    size_t payload_bytes = 0;
    for (EchoMessage message; messages.Read(&message); ++count) {
      payload_bytes += message.payload().size();
    }
    summary.set_messages(count);
    summary.set_payload_bytes(static_cast<int64_t>(payload_bytes));
    return absl::OkStatus();
  }

  absl::Status CpuTime(ServerContext&, const CpuTimeRequest&, CpuTimeReply& reply) override {
    reply.set_nanoseconds(ProcessCpuTime());
    return absl::OkStatus();
  }
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_ECHO_SERVICE_H_

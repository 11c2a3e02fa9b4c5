// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_ECHO_SERVICE_H_
#define FERRY_BENCH_ECHO_SERVICE_H_

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

  absl::Status CpuTime(ServerContext&, const CpuTimeRequest&, CpuTimeReply& reply) override {
    reply.set_nanoseconds(ProcessCpuTime());
    return absl::OkStatus();
  }
};

}  // namespace ferry::bench

#endif  // FERRY_BENCH_ECHO_SERVICE_H_

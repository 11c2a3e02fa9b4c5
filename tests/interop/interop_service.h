// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_INTEROP_INTEROP_SERVICE_H_
#define FERRY_TESTS_INTEROP_INTEROP_SERVICE_H_

#include "interop.ferry.h"

namespace ferry::interop {

// Does what interop.proto says. Thread contract: thread-safe.
class InteropService final : public TestServiceService {
  absl::Status EmptyCall(ServerContext& context, const Empty& request, Empty& reply) override;
  absl::Status UnaryCall(ServerContext& context, const SimpleRequest& request,
                         SimpleResponse& reply) override;
  absl::Status StreamingOutputCall(ServerContext& context,
                                   const StreamingOutputCallRequest& request,
                                   ServerWriter<StreamingOutputCallResponse>& replies) override;
  absl::Status StreamingInputCall(ServerContext& context,
                                  ServerReader<StreamingInputCallRequest>& requests,
                                  StreamingInputCallResponse& reply) override;
  absl::Status FullDuplexCall(
      ServerContext& context,
      ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>& stream) override;
};

}  // namespace ferry::interop

#endif  // FERRY_TESTS_INTEROP_INTEROP_SERVICE_H_

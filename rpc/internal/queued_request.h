// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_QUEUED_REQUEST_H_
#define FERRY_RPC_INTERNAL_QUEUED_REQUEST_H_

namespace ferry::internal {

class Session;

// A request that has arrived where nobody could run its handler.
class QueuedRequest {
 public:
  virtual ~QueuedRequest() = default;
  // As one of the lane's leaders, which leads or does not.
  virtual void Run() = 0;
  virtual Session& session() = 0;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_QUEUED_REQUEST_H_

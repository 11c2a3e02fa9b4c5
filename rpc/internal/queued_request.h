// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_QUEUED_REQUEST_H_
#define FERRY_RPC_INTERNAL_QUEUED_REQUEST_H_

namespace ferry::internal {

class Session;

// What a lane runs on the next thread that is free: a request that has arrived where nobody could
// run its handler, or a callback.
class QueuedRequest {
 public:
  virtual ~QueuedRequest() = default;
  // As one of the lane's leaders, which leads or does not. It may be gone when this returns.
  virtual void Run() = 0;
  // Whose it is; null: nobody's.
  virtual Session* session() = 0;
  // Once its connection has ended there is no need to run it.
  virtual bool is_droppable() const { return true; }
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_QUEUED_REQUEST_H_

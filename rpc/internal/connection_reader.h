// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CONNECTION_READER_H_
#define FERRY_RPC_INTERNAL_CONNECTION_READER_H_

#include "ferry/rpc/internal/handler_wait.h"
#include "ferry/rpc/internal/queued_request.h"
#include "ferry/transport/deadline.h"

namespace ferry::internal {

class Session;

// Who reads a connection that serves, too, so that callers wait beside. Thread contract:
// thread-safe.
class ConnectionReader {
 public:
  // Without a lock: returns when the wait has been told, or past the deadline, and now and then for
  // no reason. Runs the handlers that are nested in the wait.
  virtual void AwaitBeside(HandlerWait& wait, Deadline deadline) = 0;
  // Runs those that are left when it waits no more.
  virtual void RunNestedBeside(HandlerWait& wait) = 0;

  // Runs a callback on a thread of its own: by the thread that reads at once, if it does not wait
  // for something; by any soon, also under the Caller's lock. False if there is no such thread any
  // more, as there is before all calls have ended.
  virtual void RunNow(QueuedRequest& callback) = 0;
  virtual bool RunSoon(QueuedRequest& callback) = 0;
  virtual Session& session() = 0;
  // Something is expected for which no thread waits: somebody is to read.
  virtual void Recall() = 0;

 protected:
  ~ConnectionReader() = default;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CONNECTION_READER_H_

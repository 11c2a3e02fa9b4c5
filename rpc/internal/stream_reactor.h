// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_STREAM_REACTOR_H_
#define FERRY_RPC_INTERNAL_STREAM_REACTOR_H_

#include <google/protobuf/message_lite.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ferry/rpc/internal/call_origin.h"

namespace ferry::internal {

// What is done with a call with streams that no thread waits for. Thread contract: on any thread;
// what writes, and Finish, on one at a time. Once the call has ended, nothing happens.
class StreamControl {
 public:
  virtual ~StreamControl() = default;

  // False if the call has ended, or there is no room: then OnWritable follows, once there is.
  virtual bool Write(const google::protobuf::MessageLite& message) = 0;
  virtual void PauseReads(bool pause) = 0;

  // Of the client.
  virtual void WritesDone() {}
  virtual void Cancel() {}

  // Of the server; `reply`: null when it is a stream.
  virtual void Finish(const absl::Status& /*status*/,
                      const google::protobuf::MessageLite* /*reply*/) {}
  virtual CallOrigin* origin() { return nullptr; }
};

// What is told of it, one at a time. Thread contract: see Turns.
class StreamReactor {
 public:
  virtual ~StreamReactor() = default;

  // Where the next message is to be put, and that it has come.
  virtual google::protobuf::MessageLite* Incoming() { return nullptr; }
  virtual void OnIncoming() {}
  // No further message comes; of the server.
  virtual void OnReadsDone() {}
  virtual void OnWritable() {}
  // Nobody waits for the call any more; of the server.
  virtual void OnCancel() {}
  // The last: this may be gone when it returns. The status: of the client.
  virtual void OnOver(const absl::Status& status) = 0;

  // Before anything is told.
  virtual void Begin(std::shared_ptr<StreamControl> control) { control_ = std::move(control); }
  const std::shared_ptr<StreamControl>& control() const { return control_; }

 private:
  std::shared_ptr<StreamControl> control_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_STREAM_REACTOR_H_

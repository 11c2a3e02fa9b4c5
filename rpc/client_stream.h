// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The client's end of a call with streams: generated stubs return these.
//
//   ferry::ClientReader<Log> logs = stub.Follow(request, options);   // server stream
//   for (Log log; logs.Read(&log);) …
//   absl::Status status = logs.Finish();
//
//   Summary summary;
//   ferry::ClientWriter<Chunk> chunks = stub.Upload(&summary);       // client stream
//   while (… && chunks.Write(chunk)) …
//   absl::Status status = chunks.Finish();
//
// Read and Write answer false when there is no more to be done: the call has ended, or with
// Read the last message was there. Finish says why.
//
// Thread contract of all three classes: one thread reads while another writes; Cancel on any
// thread; Finish when both are done. An object that goes away before Finish cancels its call.

#ifndef FERRY_RPC_CLIENT_STREAM_H_
#define FERRY_RPC_CLIENT_STREAM_H_

#include <google/protobuf/message_lite.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"

namespace ferry {

namespace internal {

// A call with streams, whatever its types. Thread contract: see above.
class ClientStream {
 public:
  virtual ~ClientStream() = default;

  virtual bool Read(google::protobuf::MessageLite& message) = 0;
  virtual bool Write(const google::protobuf::MessageLite& message) = 0;
  virtual bool WritesDone() = 0;
  virtual absl::Status Finish() = 0;
  virtual void Cancel() = 0;
};

}  // namespace internal

// Of a method that returns a stream.
template <typename Reply>
class [[nodiscard]] ClientReader {
 public:
  // For generated code.
  explicit ClientReader(std::unique_ptr<internal::ClientStream> stream)
      : stream_(std::move(stream)) {}

  // Waits for the next message; false when none will come any more.
  bool Read(Reply* reply) { return stream_->Read(*reply); }

  // How the call has ended; waits for that, and drops messages that were not read. Once.
  // Returns: what the stub of a unary method does.
  absl::Status Finish() { return stream_->Finish(); }

  void Cancel() { stream_->Cancel(); }

 private:
  std::unique_ptr<internal::ClientStream> stream_;
};

// Of a method that takes a stream.
template <typename Request>
class [[nodiscard]] ClientWriter {
 public:
  // For generated code.
  explicit ClientWriter(std::unique_ptr<internal::ClientStream> stream)
      : stream_(std::move(stream)) {}

  // Returns when the message has been handed to the system, or lies where the server reads it;
  // waits while the server does not read. False when the call has ended. A message that cannot
  // be sent (too large, required fields missing) ends it.
  bool Write(const Request& request) { return stream_->Write(request); }

  // No message will follow. Finish does it, too.
  bool WritesDone() { return stream_->WritesDone(); }

  // WritesDone, then waits for the reply, which is filled in when this returns OK. Once.
  absl::Status Finish() { return stream_->Finish(); }

  void Cancel() { stream_->Cancel(); }

 private:
  std::unique_ptr<internal::ClientStream> stream_;
};

// Of a method that takes a stream and returns one.
template <typename Request, typename Reply>
class [[nodiscard]] ClientReaderWriter {
 public:
  // For generated code.
  explicit ClientReaderWriter(std::unique_ptr<internal::ClientStream> stream)
      : stream_(std::move(stream)) {}

  bool Read(Reply* reply) { return stream_->Read(*reply); }
  bool Write(const Request& request) { return stream_->Write(request); }
  bool WritesDone() { return stream_->WritesDone(); }
  absl::Status Finish() { return stream_->Finish(); }
  void Cancel() { stream_->Cancel(); }

 private:
  std::unique_ptr<internal::ClientStream> stream_;
};

}  // namespace ferry

#endif  // FERRY_RPC_CLIENT_STREAM_H_

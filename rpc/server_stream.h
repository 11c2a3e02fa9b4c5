// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The server's end of a call with streams: handlers get these.
//
//   absl::Status Upload(ferry::ServerContext&, ferry::ServerReader<Chunk>& chunks,
//                       Summary& summary) override {
//     for (Chunk chunk; chunks.Read(&chunk);) …
//     return absl::OkStatus();
//   }
//
// A handler that waits in Read or Write holds up nobody. Both answer false once the call is
// cancelled: see ServerContext. Thread contract of all three classes: one thread reads while
// another writes, and none does when the handler has returned.

#ifndef FERRY_RPC_SERVER_STREAM_H_
#define FERRY_RPC_SERVER_STREAM_H_

#include "ferry/rpc/incoming_call.h"

namespace ferry {

// What the client sends.
template <typename Request>
class ServerReader {
 public:
  // For generated code.
  explicit ServerReader(internal::IncomingCall& call) : call_(call) {}
  ServerReader(const ServerReader&) = delete;
  ServerReader& operator=(const ServerReader&) = delete;

  // Waits for the next message; false when none will come any more, or the call is cancelled.
  bool Read(Request* request) { return call_.Read(*request); }

 private:
  internal::IncomingCall& call_;
};

// What the client gets.
template <typename Reply>
class ServerWriter {
 public:
  // For generated code.
  explicit ServerWriter(internal::IncomingCall& call) : call_(call) {}
  ServerWriter(const ServerWriter&) = delete;
  ServerWriter& operator=(const ServerWriter&) = delete;

  // Waits while the client does not read. False when the call is cancelled. A message that
  // cannot be sent (too large, required fields missing) ends the call with that status.
  bool Write(const Reply& reply) { return call_.Write(reply); }

 private:
  internal::IncomingCall& call_;
};

// Both. As in gRPC, what is written comes first.
template <typename Reply, typename Request>
class ServerReaderWriter {
 public:
  // For generated code.
  explicit ServerReaderWriter(internal::IncomingCall& call) : call_(call) {}
  ServerReaderWriter(const ServerReaderWriter&) = delete;
  ServerReaderWriter& operator=(const ServerReaderWriter&) = delete;

  bool Read(Request* request) { return call_.Read(*request); }
  bool Write(const Reply& reply) { return call_.Write(reply); }

 private:
  internal::IncomingCall& call_;
};

}  // namespace ferry

#endif  // FERRY_RPC_SERVER_STREAM_H_

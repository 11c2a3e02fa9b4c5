// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The client's end of a call with streams that no thread waits for: what comes is told by
// callbacks, where those of asynchronous unary calls run (ChannelOptions::async, in_loop).
//
//   class Follower final : public ferry::ClientReadReactor<Log> {
//     void OnRead(const Log& log) override { … }
//     void OnDone(const absl::Status& status) override { …; delete this; }
//   };
//   stub.Follow(request, *new Follower);
//
// Callbacks of one call come one after the other, under no lock of ferry's. OnDone is the last, and
// comes exactly once: until then the reactor stays. It serves one call. None comes inside the
// stub's method, but for the OnDone of a channel that has no thread for it: without that option, or
// one of a ServerContext whose server has gone.
//
// Messages come as they arrive; the server may send more when OnRead has returned, or waits, while
// reads are paused. Write sends at once, or not at all when the server has no room: OnWritable
// comes when it has again.
//
// Thread contract of all three classes: thread-safe until OnDone, but that one thread writes at a
// time. Who uses a reactor on threads of its own has to know that it is still there.

#ifndef FERRY_RPC_CLIENT_REACTOR_H_
#define FERRY_RPC_CLIENT_REACTOR_H_

#include "absl/status/status.h"
#include "ferry/rpc/internal/stream_reactor.h"

namespace ferry {

namespace internal {

// What they have in common. Thread contract: see above.
class ClientReactor : public StreamReactor {
 public:
  // The call has ended: the status is what the stub of a unary method returns.
  virtual void OnDone(const absl::Status& status) = 0;

  // OnDone follows, with CANCELLED if the call has not ended yet, or OnRead has not told all of its
  // messages, which it does not then; in here, if the channel has ended.
  void Cancel() {
    if (auto kept = control()) kept->Cancel();
  }

 protected:
  bool WriteMessage(const google::protobuf::MessageLite& message) {
    auto kept = control();  // another thread may end it, and this object, as soon as it can
    return kept != nullptr && kept->Write(message);
  }
  void EndWrites() {
    if (auto kept = control()) kept->WritesDone();
  }
  void Pause(bool pause) {
    if (auto kept = control()) kept->PauseReads(pause);
  }

 private:
  void OnOver(const absl::Status& status) final { OnDone(status); }
};

}  // namespace internal

// Of a method that returns a stream.
template <typename Reply>
class ClientReadReactor : public internal::ClientReactor {
 public:
  virtual void OnRead(const Reply& reply) = 0;

  // No OnRead, once the present one has returned, until reads go on; nor OnDone, as long as there
  // are messages, and it is not cancelled: one of both has to come, whatever becomes of the
  // channel.
  void PauseReads() { Pause(true); }
  void ResumeReads() { Pause(false); }

 private:
  google::protobuf::MessageLite* Incoming() final { return &incoming_; }
  void OnIncoming() final { OnRead(incoming_); }

  Reply incoming_;
};

// Of a method that takes a stream.
template <typename Request, typename Reply>
class ClientWriteReactor : public internal::ClientReactor {
 public:
  // False: it was not sent. Either the server has no room now, and OnWritable follows, or the call
  // has ended, and OnDone does. A message that cannot be sent (too large, required fields missing)
  // ends the call.
  bool Write(const Request& request) { return WriteMessage(request); }
  void OnWritable() override {}

  // No message will follow.
  void WritesDone() { EndWrites(); }

  // Filled in when OnDone comes with OK.
  Reply& reply() { return reply_; }

 private:
  Reply reply_;
};

// Of a method that takes a stream and returns one: as both.
template <typename Request, typename Reply>
class ClientBidiReactor : public internal::ClientReactor {
 public:
  virtual void OnRead(const Reply& reply) = 0;
  void PauseReads() { Pause(true); }
  void ResumeReads() { Pause(false); }

  bool Write(const Request& request) { return WriteMessage(request); }
  void OnWritable() override {}
  void WritesDone() { EndWrites(); }

 private:
  google::protobuf::MessageLite* Incoming() final { return &incoming_; }
  void OnIncoming() final { OnRead(incoming_); }

  Reply incoming_;
};

}  // namespace ferry

#endif  // FERRY_RPC_CLIENT_REACTOR_H_

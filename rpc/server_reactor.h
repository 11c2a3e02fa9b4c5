// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The server's end of a call with streams that takes no thread while it waits: a handler leaves the
// call to a reactor, to which callbacks tell what comes.
//
//   class Echo final : public ferry::ServerBidiReactor<Line, Line> {
//     void OnRead(const Line& line) override { Write(line); }
//     void OnReadsDone() override { Finish(); }
//     void OnDone() override { delete this; }
//   };
//   absl::Status Chat(ferry::ServerContext& context,
//                     ferry::ServerReaderWriter<Line, Line>& stream) override {
//     return ferry::React(context, stream, *new Echo);
//   }
//
// Callbacks of one call come one after the other, under no lock of ferry's, from React on, on
// ferry's threads (in Server::Dispatch, with a loop); and once the server has ended, inside what
// the program calls here, such as Finish. Each reactor needs its Finish, also of a call that was
// cancelled; OnDone follows it, is the last, and comes exactly once: until then the reactor stays.
// It serves one call, which counts as one whose handler runs: for ServerOptions::max_requests, and
// for the grace of a shutdown.
//
// Messages come as they arrive; the client may send more when OnRead has returned, or waits, while
// reads are paused. Write sends at once, or not at all when the client has no room: OnWritable
// comes when it has again. Calls made in callbacks inherit no deadline.
//
// Thread contract of all three classes: thread-safe until OnDone, but that one thread writes, or
// finishes, at a time; metadata that are sent are that thread's. Who uses a reactor on threads of
// its own has to know that it is still there.

#ifndef FERRY_RPC_SERVER_REACTOR_H_
#define FERRY_RPC_SERVER_REACTOR_H_

#include "absl/status/status.h"
#include "ferry/rpc/internal/stream_reactor.h"
#include "ferry/rpc/server_context.h"
#include "ferry/rpc/server_stream.h"

namespace ferry {

namespace internal {

// What they have in common. Thread contract: see above.
class ServerReactor : public StreamReactor {
 public:
  // Nobody waits for the call any more (ServerContext::IsCancelled); what is written goes nowhere.
  void OnCancel() override { FinishWith(absl::CancelledError("nobody waits for it"), nullptr); }
  virtual void OnDone() = 0;

  // As those of ServerContext. REQUIRES: before OnDone.
  bool IsCancelled() const { return origin().IsCancelled(); }
  Deadline deadline() const { return origin().deadline(); }
  const Metadata& metadata() const { return origin().metadata(); }
  Metadata& initial_metadata() { return origin().initial_metadata(); }
  Metadata& trailing_metadata() { return origin().trailing_metadata(); }

 protected:
  bool WriteMessage(const google::protobuf::MessageLite& message) {
    auto kept = control();  // another thread may end it, and this object, as soon as it can
    return kept->Write(message);
  }
  void Pause(bool pause) {
    auto kept = control();
    kept->PauseReads(pause);
  }
  void FinishWith(const absl::Status& status, const google::protobuf::MessageLite* reply) {
    auto kept = control();
    kept->Finish(status, reply);
  }

 private:
  CallOrigin& origin() const { return *control()->origin(); }
  void OnOver(const absl::Status&) final { OnDone(); }
};

}  // namespace internal

// Of a method that takes a stream.
template <typename Request, typename Reply>
class ServerReadReactor : public internal::ServerReactor {
 public:
  virtual void OnRead(const Request& request) = 0;
  // The client has sent its last message.
  void OnReadsDone() override {}

  // No OnRead, once the present one has returned, nor OnReadsDone, until reads go on.
  void PauseReads() { Pause(true); }
  void ResumeReads() { Pause(false); }

  // What Finish sends.
  Reply& reply() { return reply_; }
  // Ends the call, once: with the reply when the status is OK.
  void Finish(const absl::Status& status = absl::OkStatus()) { FinishWith(status, &reply_); }

 private:
  google::protobuf::MessageLite* Incoming() final { return &incoming_; }
  void OnIncoming() final { OnRead(incoming_); }

  Request incoming_;
  Reply reply_;
};

// Of a method that returns a stream.
template <typename Reply>
class ServerWriteReactor : public internal::ServerReactor {
 public:
  // False: it was not sent. Either the client has no room now, and OnWritable follows, or nobody
  // waits for the call any more, and OnCancel does. A message that cannot be sent (too large,
  // required fields missing) ends the call with that status, and is a cancellation, too.
  bool Write(const Reply& reply) { return WriteMessage(reply); }
  void OnWritable() override {}

  // Ends the call, once.
  void Finish(const absl::Status& status = absl::OkStatus()) { FinishWith(status, nullptr); }
};

// Of a method that takes a stream and returns one: as both.
template <typename Request, typename Reply>
class ServerBidiReactor : public internal::ServerReactor {
 public:
  virtual void OnRead(const Request& request) = 0;
  void OnReadsDone() override {}
  void PauseReads() { Pause(true); }
  void ResumeReads() { Pause(false); }

  bool Write(const Reply& reply) { return WriteMessage(reply); }
  void OnWritable() override {}
  void Finish(const absl::Status& status = absl::OkStatus()) { FinishWith(status, nullptr); }

 private:
  google::protobuf::MessageLite* Incoming() final { return &incoming_; }
  void OnIncoming() final { OnRead(incoming_); }

  Request incoming_;
};

// In a handler, once, before the stream is used: leaves the call to the reactor. What the handler
// returns, and its context, mean nothing afterwards.
template <typename Request, typename Reply>
absl::Status React(ServerContext& context, ServerReader<Request>&, Reply&,
                   ServerReadReactor<Request, Reply>& reactor) {
  return context.LeaveTo(reactor);
}
template <typename Reply>
absl::Status React(ServerContext& context, ServerWriter<Reply>&,
                   ServerWriteReactor<Reply>& reactor) {
  return context.LeaveTo(reactor);
}
template <typename Request, typename Reply>
absl::Status React(ServerContext& context, ServerReaderWriter<Reply, Request>&,
                   ServerBidiReactor<Request, Reply>& reactor) {
  return context.LeaveTo(reactor);
}

}  // namespace ferry

#endif  // FERRY_RPC_SERVER_REACTOR_H_

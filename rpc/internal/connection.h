// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Connection: the protocol on one transport. Symmetric: each side may call and serve.

#ifndef FERRY_RPC_INTERNAL_CONNECTION_H_
#define FERRY_RPC_INTERNAL_CONNECTION_H_

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/rpc/internal/assembly.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/internal/sender.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/spinner.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Serves the requests that arrive on a connection.
class RequestSink {
 public:
  virtual ~RequestSink() = default;

  // On the thread that reads. The connection can be read on as soon as the body is
  // released; it may be on another thread when OnRequest returns, which then touches
  // nothing of it any more.
  virtual void OnRequest(const FrameHeader& header, Body& body) = 0;

  // On the same thread: the peer has said hello; a limit of memory has cost it a request.
  virtual void OnGreeted() = 0;
  virtual void OnRefused(const absl::Status& status) = 0;
};

struct ConnectionOptions {
  size_t max_message = kDefaultMaxMessage;
  // Bytes of requests that the peer may send before they are taken; 0: not counted.
  uint64_t request_credit = 0;
  // Bytes of unfinished requests, and of replies that the peer does not read, beyond which
  // requests fail or wait.
  size_t max_memory = kDefaultMaxConnectionMemory;
  // Of calls that this side makes.
  absl::Duration keepalive = absl::InfiniteDuration();
  bool looks_after_pause = false;
};

// Thread contract: the constructor's thread aside, caller, Reply, SendGoAway, Close,
// close_reason and peer on any thread; the rest on the one thread that reads. A connection
// with a sink is read by the sink's owner, one without by those who call.
class Connection final : private FrameReader {
 public:
  enum class Side : uint32_t { kConnected = 0, kAccepted = 1 };
  using FrameReader::Step;

  // Sends our hello. `sink`, which may be null, and the mutex for what callers share outlive
  // the connection; without one it has its own.
  Connection(std::unique_ptr<Transport> transport, Side side, const ConnectionOptions& options,
             RequestSink* sink, Mutex* mutex = nullptr);

  // Reads until the peer has said hello.
  // Returns: DEADLINE_EXCEEDED, or why the connection was closed.
  absl::Status AwaitHello(Deadline deadline);

  // Calls of ours.
  Caller& caller() { return caller_; }

  // Ends a call of the peer: with `reply` when the status is OK. `credit`: the bytes of its
  // request that are given back.
  void Reply(CallId call, const absl::Status& status, const google::protobuf::MessageLite& reply,
             uint32_t credit);

  // Ends a call of the peer with a status that is not OK.
  void ReplyError(CallId call, const absl::Status& status, uint32_t credit) ABSL_ATTRIBUTE_COLD;

  // Gives bytes of requests back that have no reply yet.
  void GiveCredit(uint32_t bytes);
  bool counts_credit() const { return options_.request_credit != 0; }

  // Asks the peer to open no new calls. With a status: its open calls were not taken, and
  // nothing follows but Close. REQUIRES then: all that was committed has been sent.
  void SendGoAway(const absl::Status& why);

  // Takes one frame from the transport to where it belongs.
  Step HandleNext() override;
  // Looks for a while, then sleeps.
  void WaitForFrames(Deadline deadline, bool interruptible) override;

  // For a wait set: takes in what is there, and Transport::Arm.
  void TakeIn();
  bool Arm() { return transport_->Arm(); }

  // To poll it in place of WaitForFrames.
  Transport& transport() { return *transport_; }

  bool greeted() const { return greeted_; }

  // Pending calls fail with `reason`, and the peer sees the end.
  void Close(const absl::Status& reason);
  absl::Status close_reason() const { return transport_->close_reason(); }
  const Peer& peer() const { return transport_->peer(); }

 private:
  // A request of the peer that has not arrived as a whole.
  struct PartialRequest {
    FrameHeader header;
    Assembly assembly;
    uint32_t arrived = 0;  // bytes, those dropped included
  };

  absl::Status HandleFrame(const Frame& frame, Body& body);
  absl::Status HandleHello(const Body& body);
  absl::Status HandleFirst(const Frame& frame, const Body& body);
  absl::Status HandleRequest(const Frame& frame, Body& body);
  absl::Status HandleContinue(const Frame& frame, Body& body);
  absl::Status AddToRequest(PartialRequest& request, const Frame& frame);
  void HandlePing(const FrameHeader& header);
  absl::Status HandleGoAway(const FrameHeader& header, const Body& body) ABSL_ATTRIBUTE_COLD;
  void Deliver(const FrameHeader& header, Body& body);
  void Refuse(const FrameHeader& header, const Body& body) ABSL_ATTRIBUTE_COLD;

  const std::unique_ptr<Transport> transport_;
  const uint32_t side_;
  const ConnectionOptions options_;
  RequestSink* const sink_;
  std::atomic<bool> said_last_{false};  // relaxed: what just misses it, the peer drops
  Sender sender_;
  Mutex own_mutex_;
  Caller caller_;

  // Owned by the thread that reads.
  bool greeted_ = false;
  absl::flat_hash_map<uint32_t, PartialRequest> partial_requests_;
  size_t partial_bytes_ = 0;  // in them
  Spinner spinner_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CONNECTION_H_

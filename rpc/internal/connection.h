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
#include "ferry/rpc/internal/aside.h"
#include "ferry/rpc/internal/assembly.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/caller.h"
#include "ferry/rpc/internal/limits.h"
#include "ferry/rpc/internal/sender.h"
#include "ferry/rpc/metadata.h"
#include "ferry/rpc/method.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/spinner.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// DATA_LOSS: a frame that may not come there.
absl::Status UnexpectedFrame(const FrameHeader& header, const char* where) ABSL_ATTRIBUTE_COLD;

// Serves the calls that the peer opens. All on the thread that reads.
class RequestSink {
 public:
  virtual ~RequestSink() = default;

  // Who reads the connection, if callers do not; also before the sink is complete.
  virtual ConnectionReader* reader() { return nullptr; }

  // `metadata` may be null; `cost` is what the request has drawn of the credit that we gave. The
  // connection can be read on as soon as the body is released; it may be on another thread when
  // OnRequest returns, which then touches nothing of it any more.
  // Returns: DATA_LOSS when the id is in use.
  virtual absl::Status OnRequest(const FrameHeader& header, Body& body, Metadata* metadata,
                                 uint32_t cost) = 0;

  // What belongs to a call that is not open is dropped. OnMessage: also the end of a stream.
  virtual void OnMessage(const FrameHeader& header, Body& body) = 0;
  virtual void OnTooLarge(CallId call, const absl::Status& status) = 0;
  virtual void OnStreamCredit(CallId call, uint32_t bytes) = 0;
  virtual void OnCancel(CallId call) = 0;

  // The peer has said hello, and gives that much credit for each stream.
  virtual void OnGreeted(uint64_t stream_credit) = 0;
  // A limit of memory has cost it a request.
  virtual void OnRefused(const absl::Status& status) = 0;
};

struct ConnectionOptions {
  size_t max_message = kDefaultMaxMessage;
  // Bytes of requests that the peer may send before they are taken; 0: not counted.
  uint64_t request_credit = 0;
  // Bytes of messages that the peer may send on each stream before they are read.
  size_t stream_credit = kDefaultStreamCredit;
  // Bytes of unfinished requests and messages, and of replies that the peer does not read, beyond
  // which requests fail or wait.
  size_t max_memory = kDefaultMaxConnectionMemory;
  // Of calls that this side makes.
  absl::Duration keepalive = absl::InfiniteDuration();
  bool looks_after_pause = false;
};

// Thread contract: the constructor's thread aside, caller, Reply, what sends, Close,
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
  Sender& sender() { return sender_; }

  // Ends a call of the peer: with `reply`, unless it is null, when the status is OK. `credit`:
  // the bytes of its request that are given back.
  void Reply(CallId call, const absl::Status& status, const google::protobuf::MessageLite* reply,
             uint32_t credit);

  // Ends a call of the peer with a status that is not OK.
  void ReplyError(CallId call, const absl::Status& status, uint32_t credit) ABSL_ATTRIBUTE_COLD;

  // Of a call of the peer that is open. Return: what Sender::Send does.
  absl::Status SendMessage(CallId call, const google::protobuf::MessageLite& message,
                           Sender::When when);
  absl::Status SendMetadata(CallId call, const Metadata& metadata, uint8_t flags);
  void GiveStreamCredit(CallId call, uint32_t bytes);

  // Gives bytes of requests back that have no reply yet.
  void GiveCredit(uint32_t bytes);
  bool counts_credit() const { return options_.request_credit != 0; }

  bool IsForked() const { return caller_.IsForked(); }

  // Asks the peer to open no new calls. With a status: its open calls were not taken, and
  // nothing follows but Close. REQUIRES then: all that was committed has been sent.
  void SendGoAway(const absl::Status& why);

  // Takes one frame from the transport to where it belongs.
  Step HandleNext() override;
  // Looks for a while, then sleeps.
  void WaitForFrames(Deadline deadline, bool interruptible) override {
    WaitForFrames(deadline, interruptible, nullptr);
  }
  // Looks no longer than until somebody wants the lead, if there may be one who does.
  void WaitForFrames(Deadline deadline, bool interruptible, const Aside* aside);

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
  // What has not arrived as a whole.
  struct Partial {
    FrameHeader header;  // of the first fragment
    Assembly assembly;
    uint32_t arrived = 0;  // bytes, those dropped included
    absl::Status refused;  // dropped, and why
  };
  // What has come for a request that has not.
  struct EarlyMetadata {
    CallId call;
    Metadata metadata;
    uint32_t size = 0;     // as it came
    size_t memory = 0;     // that it takes here
    absl::Status refused;  // its request is, too
  };

  absl::Status HandleFrame(const Frame& frame, Body& body);
  absl::Status HandleHello(const Body& body);
  absl::Status HandleFirst(const Frame& frame, const Body& body);
  absl::Status HandleOfConnection(const FrameHeader& header, const Body& body);
  absl::Status HandleOfCall(const Frame& frame, Body& body);
  absl::Status HandleContinue(const Frame& frame, Body& body);
  absl::Status CheckDirection(const FrameHeader& header) const;
  absl::Status AddFragment(Partial& partial, const Frame& frame);
  absl::Status RefusePartial(Partial& partial, const absl::Status& why) ABSL_ATTRIBUTE_COLD;
  absl::Status EndRefused(const Partial& partial) ABSL_ATTRIBUTE_COLD;
  absl::Status Deliver(const FrameHeader& header, Body& body);
  absl::Status DeliverOfCaller(const FrameHeader& header, Body& body);
  absl::Status DeliverRequest(const FrameHeader& header, Body& body);
  absl::Status DeliverWithMetadata(const FrameHeader& header, Body& body) ABSL_ATTRIBUTE_NOINLINE;
  absl::Status HoldMetadata(const FrameHeader& header, const Body& body);
  absl::Status Hold(EarlyMetadata early);
  EarlyMetadata TakeMetadata(CallId call);
  absl::Status TooMuchHeld() const ABSL_ATTRIBUTE_COLD;
  void HandlePing(const FrameHeader& header);
  absl::Status HandleGoAway(const FrameHeader& header, const Body& body) ABSL_ATTRIBUTE_COLD;
  absl::Status WhyRefused(const Body& body, const EarlyMetadata& early) const ABSL_ATTRIBUTE_COLD;

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
  absl::flat_hash_map<uint32_t, Partial> partial_;               // by call
  absl::flat_hash_map<uint32_t, EarlyMetadata> early_metadata_;  // by index
  size_t held_bytes_ = 0;                                        // in both, but for replies
  Spinner spinner_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CONNECTION_H_

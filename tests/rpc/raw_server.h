// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Peers that speak frame by frame, to see what a channel or a server does.

#ifndef FERRY_TESTS_RPC_RAW_SERVER_H_
#define FERRY_TESTS_RPC_RAW_SERVER_H_

#include <gtest/gtest.h>

#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "ferry/proto/wire.pb.h"
#include "ferry/transport/inproc_transport.h"
#include "ferry/transport/listener.h"

namespace ferry::test {

inline FrameHeader HeaderOf(FrameType type, CallId call = {}) {
  FrameHeader header;
  header.type = type;
  header.call = call;
  return header;
}

// One connection of it. Thread contract: thread-compatible.
class RawSession {
 public:
  RawSession(std::unique_ptr<Transport> transport, uint64_t request_credit,
             uint64_t stream_credit = 0)
      : transport_(std::move(transport)) {
    wire::Hello hello;
    hello.set_min_version(1);
    hello.set_max_version(1);
    hello.set_max_frame(kMaxFrame);
    hello.set_request_credit(request_credit);
    hello.set_stream_credit(stream_credit);
    FrameHeader header = HeaderOf(FrameType::kHello);
    header.method = kHelloMagic;
    Send(header, hello.SerializeAsString());
    Expect(FrameType::kHello);
  }

  void Send(const FrameHeader& header, const std::string& payload = "") {
    Reservation reservation;
    ASSERT_EQ(transport_->Reserve(header, payload.size(), reservation), ReserveResult::kOk);
    std::memcpy(reservation.data, payload.data(), payload.size());
    transport_->Commit(reservation);
    transport_->Flush(kNoDeadline);
  }

  void GoAway(absl::StatusCode code, const std::string& text) {
    wire::Status status;
    status.set_message(text);
    FrameHeader header = HeaderOf(FrameType::kGoAway);
    header.aux = static_cast<uint16_t>(code);
    Send(header, status.SerializeAsString());
  }

  // Until the client, which reads, has handled all that was sent.
  void AwaitHandled() {
    Send(HeaderOf(FrameType::kPing));
    Expect(FrameType::kPing);
  }

  // The next frame, which is to be of this type.
  FrameHeader Expect(FrameType type) {
    Frame frame;
    while (transport_->TryRead(frame) == ReadResult::kEmpty) transport_->Wait({});
    FrameHeader header = frame.header;
    EXPECT_EQ(header.type, type) << FrameTypeName(header.type);
    transport_->Release();
    return header;
  }

  // The next frame, such as "reply EMPTY aux=1 arg=7 + 4 bytes", or "closed".
  std::string Next() {
    Frame frame;
    ReadResult result;
    while ((result = transport_->TryRead(frame)) == ReadResult::kEmpty) transport_->Wait({});
    if (result == ReadResult::kClosed) return "closed";
    const FrameHeader& header = frame.header;
    call_ = header.call;
    std::string_view type = FrameTypeName(header.type);
    std::string text(type);
    constexpr const char* kFlags[] = {" MORE", " END", " EMPTY", " ONE_WAY", " TRAILING", " ACK"};
    for (size_t i = 0; i < std::size(kFlags); ++i) {
      if ((header.flags >> i & 1) != 0) text += kFlags[i];
    }
    if (header.aux != 0) text += " aux=" + std::to_string(header.aux);
    if (header.arg != 0) text += " arg=" + std::to_string(header.arg);
    if (header.length != 0) text += " + " + std::to_string(header.length) + " bytes";
    payload_.assign(frame.payload, header.length);
    transport_->Release();
    return text;
  }
  // Of the frame that was the last Next.
  CallId call() const { return call_; }
  const std::string& payload() const { return payload_; }

  // Whether nothing has arrived after a while.
  bool IsSilent() {
    WaitOptions wait;
    wait.deadline = DeadlineAfter(absl::Milliseconds(30));
    Frame frame;
    if (transport_->TryRead(frame) != ReadResult::kEmpty) return false;
    transport_->Wait(wait);
    return transport_->TryRead(frame) == ReadResult::kEmpty;
  }

  Transport& transport() { return *transport_; }

 private:
  std::unique_ptr<Transport> transport_;
  CallId call_;
  std::string payload_;
};

class RawServer {
 public:
  explicit RawServer(const std::string& name) : listener_(*ListenInproc(name)) {}

  std::unique_ptr<RawSession> Accept(uint64_t request_credit = 0, uint64_t stream_credit = 0) {
    for (;;) {
      absl::StatusOr<std::unique_ptr<Transport>> transport = listener_->TryAccept();
      EXPECT_TRUE(transport.ok()) << transport.status();
      if (*transport != nullptr) {
        return std::make_unique<RawSession>(*std::move(transport), request_credit, stream_credit);
      }
      std::this_thread::yield();
    }
  }

 private:
  std::unique_ptr<Listener> listener_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_RAW_SERVER_H_

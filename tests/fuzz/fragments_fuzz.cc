// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: fragments of any sizes, to one message and to a connection. Totals are right, and
// no more memory is taken than has arrived, nor than the connection may hold.

#include <sanitizer/allocator_interface.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "ferry/rpc/internal/connection.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/program.h"
#include "tests/fuzz/script_transport.h"

namespace ferry::test {
namespace {

constexpr size_t kMaxMessage = 100000;
constexpr size_t kMaxMemory = 150000;
// What is not for messages: tables, statuses, the frame itself, what the script has queued.
constexpr size_t kSlack = 4 * kMaxFrame;

// Not more than so much above what it was at first. Thread contract: one thread.
class MemoryLimit {
 public:
  void Check(size_t most) const {
    test::Check(__sanitizer_get_current_allocated_bytes() <= base_ + most, "memory is bounded");
  }

 private:
  const size_t base_ = __sanitizer_get_current_allocated_bytes();
};

void FuzzMessage(Program program) {
  constexpr size_t kMost = 1 << 20;
  internal::Assembly assembly;
  std::string expected;
  bool was_refused = false;
  MemoryLimit memory;
  size_t total = 0;
  for (bool is_first = true; !program.empty() && !(assembly.complete() && !is_first);
       is_first = false) {
    size_t size = std::max(program.Size(), size_t{1});
    if (total != 0) size = std::min(size, total - expected.size());
    bool is_last = program.Digit(4) == 0;
    size_t left = total != 0 ? total - expected.size() : size * (is_last ? 1 : 500);
    bool contradicts = program.Digit(8) == 7;
    FrameHeader header = ContinueHeader({2}, left + (contradicts ? 1 : 0), size);
    if (is_first) header.type = FrameType::kMessage;
    std::string payload(size, static_cast<char>('a' + expected.size() % 26));
    header.length = static_cast<uint32_t>(size);
    if (!is_first && total == 0) total = expected.size() + header.arg;
    bool is_wrong = !is_first && !was_refused && expected.size() + header.arg != total;
    absl::Status added = assembly.Add({header, payload.data()}, kMost);
    Check(absl::IsDataLoss(added) == is_wrong, "a contradiction is found");
    if (is_wrong) return;
    expected += payload;
    bool is_refused = !is_first && total > kMost;
    Check(absl::IsResourceExhausted(added) == (is_refused && !was_refused), "too much is refused");
    was_refused = was_refused || is_refused;
    Check(assembly.dropped() == was_refused, "what is refused is dropped");
    Check(was_refused || std::string(assembly.data(), assembly.size()) == expected,
          "what was sent is put together");
    memory.Check(4 * expected.size() + 2 * payload.size() + 4096);  // ours, too
    if (total != 0 && expected.size() >= total) return;
  }
}

// A connection that somebody sends fragments to. Thread contract: one thread.
class Fragments final : public Script, public internal::RequestSink {
 public:
  explicit Fragments(Program program) : program_(program) {
    internal::ConnectionOptions options;
    options.max_message = kMaxMessage;
    options.max_memory = kMaxMemory;
    auto transport = std::make_unique<ScriptTransport>(*this);
    transport_ = transport.get();
    connection_ = std::make_unique<internal::Connection>(
        std::move(transport), internal::Connection::Side::kAccepted, options, this);
  }

  void Run() {
    wire::Hello hello;
    hello.set_min_version(1);
    hello.set_max_version(1);
    hello.set_max_frame(kMaxFrame);
    FrameHeader header;
    header.type = FrameType::kHello;
    header.method = kHelloMagic;
    transport_->Put(header, hello.SerializeAsString());
    while (!program_.empty()) {
      Put();
      while (connection_->HandleNext() == internal::Connection::Step::kHandled) {
      }
      memory_.Check(2 * kMaxMemory + kSlack);
    }
    absl::Status end = connection_->close_reason();
    Check(end.ok() || absl::IsDataLoss(end), "a connection ends for one reason");
  }

 private:
  struct Message {
    size_t arrived = 0;
    size_t total = 0;
    bool is_under_way = false;
  };

  void Put() {
    constexpr FrameType kTypes[] = {FrameType::kRequest, FrameType::kMessage, FrameType::kMetadata};
    uint32_t index = program_.Digit(16);
    Message& message = messages_[index];
    size_t size = std::max(program_.Size(), size_t{2});
    FrameHeader header;
    if (!message.is_under_way) {
      header.type = kTypes[program_.Digit(3)];
      header.flags = kFlagMore;
      message = {size, 0, true};
    } else {
      if (message.total == 0) message.total = message.arrived + size * (1 + program_.Digit(5));
      size = std::min(size, message.total - message.arrived);
      header = ContinueHeader({}, message.total - message.arrived, size);
      message.arrived += size;
      message.is_under_way = message.arrived < message.total;
    }
    header.call = CallId::Make(0, index, 1);
    transport_->Put(header, Filler(size));
  }

  void OnSent(const FrameHeader&, std::string_view) override {}
  void OnTaken(const FrameHeader&, std::string_view) override {}
  void OnAsked() override {}
  void OnGone() override {}
  void Next() override {}

  absl::Status OnRequest(const FrameHeader& header, internal::Body& body, Metadata*,
                         uint32_t) override {
    return OnWhole(header, body);
  }
  void OnMessage(const FrameHeader& header, internal::Body& body) override {
    OnWhole(header, body).IgnoreError();
  }
  absl::Status OnWhole(const FrameHeader& header, const internal::Body& body) {
    const Message& message = messages_[header.call.index()];
    Check(body.size() == message.total && body.size() <= kMaxMessage, "what arrives is whole");
    Check(std::string(body.data(), body.size()) == Whole(body.size()), "and as it was sent");
    return absl::OkStatus();
  }
  static std::string Whole(size_t size) {
    std::string whole;
    while (whole.size() < size) whole += Filler(std::min(size - whole.size(), kMaxFrame));
    return whole;
  }
  void OnTooLarge(CallId, const absl::Status&) override {}
  void OnStreamCredit(CallId, uint32_t) override {}
  void OnCancel(CallId) override {}
  void OnGreeted(uint64_t) override {}
  void OnRefused(const absl::Status&) override {}

  Program program_;
  MemoryLimit memory_;
  ScriptTransport* transport_ = nullptr;  // the connection's
  Message messages_[16];
  std::unique_ptr<internal::Connection> connection_;
};

}  // namespace
}  // namespace ferry::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferry::test::Filler(0);
  ferry::test::Program program({reinterpret_cast<const char*>(data), size});
  if (program.Digit(2) == 0) {
    ferry::test::FuzzMessage(program);
  } else {
    ferry::test::Fragments(program).Run();
  }
  return 0;
}

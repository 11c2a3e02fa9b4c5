// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/rpc/stress_calls.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace ferry::test {

using absl::StatusCode;

namespace {

// A stream that goes when the last of its users does, with what has to outlive it.
template <typename Stream>
struct Held {
  std::shared_ptr<Cancellation> cancellation;
  Piece reply;
  std::optional<Stream> stream;

  static std::shared_ptr<Held> Of(std::shared_ptr<Cancellation> cancellation) {
    auto held = std::make_shared<Held>();
    held->cancellation = std::move(cancellation);
    return held;
  }
};

}  // namespace

struct StressCaller::Plan {
  CallOptions options;
  std::shared_ptr<Cancellation> cancellation;
  bool is_cancelled = false;    // may be, by whatever means
  bool cancels_stream = false;  // by the stream
  bool drops = false;           // before Finish
  uint32_t sends = 0;
  uint32_t size = 0;
  uint32_t read_pause_us = 0;
  Deed deed;

  bool ends_early() const { return is_cancelled || options.timeout != absl::InfiniteDuration(); }
};

uint32_t StressCaller::Size() {
  if (Chance(80)) return UpTo(200);
  return Chance(80) ? UpTo(20000) : UpTo(300000);
}

absl::Duration StressCaller::Soon() {
  return absl::Microseconds(1 << UpTo(12)) + absl::Microseconds(UpTo(900));
}

StressCaller::Plan StressCaller::MakePlan() {
  Plan plan;
  if (Chance(30)) plan.options.timeout = Soon();
  if (Chance(10)) plan.options.timeout = absl::Minutes(10);
  plan.options.wait_for_ready = Chance(20);
  if (Chance(10)) plan.options.metadata.Add("key", std::string(UpTo(100), 'v'));
  if (Chance(25)) {
    plan.is_cancelled = true;
    plan.cancellation = std::make_shared<Cancellation>();
    plan.options.cancellation = plan.cancellation.get();
    if (Chance(10)) {
      plan.cancellation->Cancel();
    } else {
      later_.Do(Soon(), [cancellation = plan.cancellation] { cancellation->Cancel(); });
    }
  }
  plan.cancels_stream = Chance(15);
  plan.drops = Chance(10);
  plan.is_cancelled = plan.is_cancelled || plan.cancels_stream;
  plan.sends = Chance(80) ? UpTo(5) : UpTo(60);
  plan.size = Size();
  if (Chance(10)) plan.read_pause_us = UpTo(2000);
  Deed& deed = plan.deed;
  if (Chance(15)) deed.set_code(static_cast<int>(StatusCode::kAborted));
  if (Chance(15)) deed.set_reads(UpTo(3));
  deed.set_writes(Chance(80) ? UpTo(5) : UpTo(60));
  deed.set_size(Size());
  if (Chance(15)) deed.set_pause_us(UpTo(2000));
  deed.set_has_callback(Chance(30));
  const bool will_be_told = plan.options.timeout < absl::Seconds(1) || plan.cancellation != nullptr;
  deed.set_awaits_cancel(peer_.has_threads && will_be_told && Chance(20));
  return plan;
}

Piece StressCaller::Message(const Plan& plan, uint32_t index) const {
  Piece piece = MakePiece(index, plan.size);
  if (index == 0) *piece.mutable_deed() = plan.deed;
  return piece;
}

void StressCaller::Check(const Plan& plan, const absl::Status& status) const {
  const StatusCode code = status.code();
  const bool is_allowed =
      code == StatusCode::kOk || static_cast<int>(code) == plan.deed.code() ||
      (code == StatusCode::kCancelled && plan.is_cancelled) ||
      (code == StatusCode::kDeadlineExceeded && plan.options.timeout != absl::InfiniteDuration()) ||
      (code == StatusCode::kUnavailable && peer_.may_lose_peer);
  EXPECT_TRUE(is_allowed) << status << " of a " << activity_.what();
}

template <typename Held>
void StressCaller::CancelLater(const Plan& plan, const std::shared_ptr<Held>& held) {
  if (!plan.cancels_stream) return;
  later_.Do(Soon(), [weak = std::weak_ptr<Held>(held)] {
    if (std::shared_ptr<Held> cancelled = weak.lock()) cancelled->stream->Cancel();
  });
}

void StressCaller::CallOnce(const Channel& channel) {
  Plan plan = MakePlan();
  StressStub stub(channel);
  ++calls_;
  switch (UpTo(5)) {
    case 0:
    case 1:
      CallUnary(stub, plan);
      break;
    case 2:
      Send(stub, plan);
      break;
    case 3:
      ReadAll(stub, plan);
      break;
    case 4:
      WriteAll(stub, plan);
      break;
    default:
      Converse(stub, plan);
      break;
  }
  activity_.End();
}

void StressCaller::CallUnary(const StressStub& stub, Plan& plan) {
  activity_.Begin("unary call");
  Piece request = Message(plan, 0);
  request.set_index(UpTo(1000));
  absl::StatusOr<Piece> reply =
      Chance(20) ? stub.OneBlocking(request, plan.options) : stub.One(request, plan.options);
  Check(plan, reply.status());
  if (!reply.ok()) return;
  EXPECT_EQ(ProblemOf(*reply, request.index()), "");
  EXPECT_EQ(reply->payload().size(), plan.deed.size());
}

void StressCaller::Send(const StressStub& stub, Plan& plan) {
  activity_.Begin("one-way call");
  plan.deed.clear_code();
  Check(plan, stub.Note(Message(plan, 0), plan.options));
}

void StressCaller::ReadAll(const StressStub& stub, Plan& plan) {
  activity_.Begin("server stream");
  auto held = Held<ClientReader<Piece>>::Of(plan.cancellation);
  auto& stream = held->stream.emplace(stub.Down(Message(plan, 0), plan.options));
  CancelLater(plan, held);
  const uint32_t most = plan.drops || Chance(10) ? UpTo(plan.deed.writes()) : ~uint32_t{0};
  uint32_t count = 0;
  for (Piece piece; count < most && stream.Read(&piece); ++count) {
    EXPECT_EQ(ProblemOf(piece, count), "");
    if (plan.read_pause_us != 0) absl::SleepFor(absl::Microseconds(plan.read_pause_us));
  }
  if (plan.drops) return;
  activity_.Begin("Finish of a server stream");
  absl::Status status = stream.Finish();
  Check(plan, status);
  if (status.ok() && most == ~uint32_t{0}) {
    EXPECT_EQ(count, plan.deed.writes());
  }
}

void StressCaller::WriteAll(const StressStub& stub, Plan& plan) {
  activity_.Begin("client stream");
  auto held = Held<ClientWriter<Piece>>::Of(plan.cancellation);
  auto& stream = held->stream.emplace(stub.Up(&held->reply, plan.options));
  CancelLater(plan, held);
  uint32_t count = 0;
  while (count < plan.sends && stream.Write(Message(plan, count))) ++count;
  if (Chance(20)) stream.WritesDone();
  if (plan.drops) return;
  activity_.Begin("Finish of a client stream");
  absl::Status status = stream.Finish();
  Check(plan, status);
  if (status.ok()) {
    EXPECT_EQ(ProblemOf(held->reply, held->reply.index()), "");
  }
  const bool reads_all = plan.deed.reads() > plan.sends || plan.sends == 0;
  if (status.ok() && reads_all && count == plan.sends) {
    EXPECT_EQ(held->reply.index(), plan.sends);
  }
}

// With two threads, or in turns: who writes all before reading waits for credit for ever.
void StressCaller::Converse(const StressStub& stub, Plan& plan) {
  activity_.Begin("two-way stream");
  auto held = Held<ClientReaderWriter<Piece, Piece>>::Of(plan.cancellation);
  auto& stream = held->stream.emplace(stub.Both(plan.options));
  CancelLater(plan, held);
  auto write = [&](uint32_t index) { return stream.Write(Message(plan, index)); };
  std::thread writer;
  const bool in_turns = Chance(70);
  if (!in_turns) {
    writer = std::thread([&] {
      uint32_t sent = 0;
      while (sent < plan.sends && write(sent)) ++sent;
      stream.WritesDone();
    });
  }
  uint32_t sent = 0;
  uint32_t read = 0;
  for (;;) {
    if (in_turns && sent < plan.sends) {
      if (!write(sent++)) break;
    } else if (in_turns && sent++ == plan.sends) {
      stream.WritesDone();
    }
    Piece piece;
    if (!stream.Read(&piece)) break;
    EXPECT_EQ(ProblemOf(piece, read++), "");
    if (plan.read_pause_us != 0) absl::SleepFor(absl::Microseconds(plan.read_pause_us));
    if (plan.drops && Chance(20)) break;
  }
  if (!in_turns && plan.drops) stream.Cancel();
  if (writer.joinable()) writer.join();
  if (plan.drops) return;
  activity_.Begin("Finish of a two-way stream");
  absl::Status status = stream.Finish();
  Check(plan, status);
  const bool reads_all = plan.deed.reads() > plan.sends || plan.sends == 0;
  if (status.ok() && reads_all) {
    EXPECT_EQ(read, plan.sends == 0 ? 0 : plan.sends + plan.deed.writes());
  }
}

}  // namespace ferry::test

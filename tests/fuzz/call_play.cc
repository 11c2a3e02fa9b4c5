// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/call_play.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "ferry/rpc/internal/channel_core.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/play_caller.h"
#include "tests/fuzz/play_service.h"
#include "tests/fuzz/raw_server.h"

namespace ferry::test {
namespace {

constexpr size_t kMaxMessage = 2000;

// The whole play on one thread, which makes the calls, and plays the server when it would
// sleep. Thread contract: one thread.
class CallPlay final : public Script {
 public:
  explicit CallPlay(std::string_view bytes)
      : program_(bytes),
        stream_credit_(CreditOf(program_.Digit(4))),
        model_(kMaxMessage, stream_credit_, PlayMethodsById()) {}

  void Run() {
    uint32_t hello = program_.Digit(4);
    dies_ = program_.Digit(2) == 1;
    bool finishes = program_.Digit(2) == 0;
    auto transport = std::make_unique<ScriptTransport>(*this);
    transport_ = transport.get();
    server_.emplace(program_, model_, *transport_);
    server_->SayHello(hello);
    ChannelOptions options;
    options.max_message = kMaxMessage;
    options.stream_credit = stream_credit_;
    options.admit = [](const Peer&) { return absl::OkStatus(); };
    absl::StatusOr<Channel> channel =
        internal::OpenChannel(std::move(transport), options, kNoDeadline);
    if (!channel.ok()) return;
    caller_.emplace(*std::move(channel), model_);
    while (TakeDeed()) {
    }
    caller_->EndAll(finishes);
    is_over_ = true;
    caller_.reset();
  }

 private:
  static size_t CreditOf(uint32_t kind) {
    constexpr size_t kCredits[] = {256 * 1024, 300, 1, 50};
    return kCredits[kind];
  }

  void OnSent(const FrameHeader& header, std::string_view payload) override {
    model_.OnSent(header, payload);
  }
  void OnTaken(const FrameHeader& header, std::string_view payload) override {
    fate_ = model_.OnTaken(header, payload);
  }
  void OnGone() override { transport_ = nullptr; }
  void OnAsked() override {
    if (is_over_) return;
    absl::Status end = transport_->close_reason();
    if (fate_ == Fate::kBroken) Check(absl::IsDataLoss(end), "a broken frame is found");
    if (fate_ == Fate::kEnds) Check(!end.ok(), "the server wants the end");
    if (fate_ != Fate::kGoesOn) return;
    Check(end.ok() || transport_->has_refused() || absl::IsUnavailable(end),
          "what keeps to the contract goes on");
  }

  // Of the program's deeds the next. What the server does before that waits to be read.
  bool TakeDeed() {
    Deed deed;
    if (!later_.empty()) {
      deed = later_.front();
      later_.pop_front();
      caller_->Do(deed);
      return true;
    }
    if (program_.empty()) return false;
    char letter = program_.Letter();
    if (PlayCaller::Take(letter, program_, deed)) {
      caller_->Do(deed);
    } else if (letter == 'z') {
      program_ = Program("");
    } else if (transport_ != nullptr) {
      server_->Step(letter);
    }
    return true;
  }

  void Next() override {
    bool has_put = false;
    while (!program_.empty()) {
      char letter = program_.Letter();
      bool goes_on = letter == '&';  // what follows is there at once
      if (goes_on) letter = program_.Letter();
      Deed deed;
      if (letter == 'z') program_ = Program("");
      if (PlayCaller::Take(letter, program_, deed)) {
        if (!caller_.has_value() || !caller_->DoMeanwhile(deed)) later_.push_back(deed);
        has_put = has_put || deed.letter == 'X' || deed.letter == 'K';
      } else {
        has_put = server_->Step(letter) || has_put;
      }
      if (has_put && !goes_on) break;
    }
    if (has_put) return;
    if (!dies_ && server_->CanWrapUp()) {
      if (server_->WrapUp()) return;
      Check(!caller_.has_value(), "nobody waits when every call has its reply");
    }
    transport_->PutEnd(absl::UnavailableError("the script is over"));
  }

  Program program_;
  const size_t stream_credit_;
  CallingModel model_;
  bool dies_ = false;
  bool is_over_ = false;
  Fate fate_ = Fate::kGoesOn;
  ScriptTransport* transport_ = nullptr;  // the channel's
  std::optional<RawServer> server_;
  std::optional<PlayCaller> caller_;
  std::deque<Deed> later_;
};

}  // namespace

void PlayCalls(std::string_view program) { CallPlay(program).Run(); }

std::vector<std::string> CallSeeds() {
  return {
      "0000U01r0010",                        // unary
      "0100U31d010d011r0010U01r0510",        // with metadata, and an error
      "0100U01r0012f041",                    // in fragments
      "0100U01r0042f050f051",                // too large
      "0100S0101Fr0010",                     // server stream, not read
      "0100S0101m010m010R0R0R0r0000",        // and read
      "1100S0101m010m030R0m030R0R0r0000",    // by little credit
      "1100S0101m030m030m030R0R0R0r0000",    // more than the credit
      "0200S0200W02W03c09W03W02F0c09r0010",  // client stream by little credit
      "0200S0200W02E0F0r0010",
      "0100S0330W01m010R0m030R0W03E0d011R0r0000F0",  // two-way
      "0100S0300R0X0r0000S1300W11X1W11r0000",        // cancelled
      "0100S0340R0Kr0000U41K",                       // on another thread, by a Cancellation
      "0100U81r0010S0381R0r0000",                    // too late
      "0300U02C:U02U02C:",                           // by little request credit
      "0200O01O01O01O01C9r0000r1000r2000",           // one-way
      "0100k000k001k200k100k300k400f011U01r0010",    // calls of the server's
      "0100U01pu0C1g0p",                             // of the connection
      "0100U01!10001r0010",                          // damage
      "0100S0101S1300S2200R0m110m210W01R1r2010r0000F0F1F2",
      "0110S0101R0m010",                       // the server dies
      "0101S0101S1300S2200",                   // streams that are let go
      "0100U01m010r0010S0101R0r0012f041",      // wrong numbers of messages
      "0100S0101R0m060",                       // what cannot be parsed
      "0100U01g>",                             // the server goes
      "0100S0101U01m160m110r1000r0010R0R0F0",  // a message that is none before a good reply
  };
}

}  // namespace ferry::test

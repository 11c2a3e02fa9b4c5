// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/served_play.h"

#include <memory>
#include <optional>

#include "ferry/rpc/internal/service_registry.h"
#include "ferry/rpc/internal/sole_lane.h"
#include "ferry/rpc/internal/supervisor.h"
#include "ferry/rpc/internal/worker_pool.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/play_service.h"
#include "tests/fuzz/raw_client.h"

namespace ferry::test {
namespace {

constexpr size_t kMaxMessage = 2000;

// Of all plays: it has a thread, and nobody to look at.
internal::Supervisor& Nobody() {
  static auto* supervisor = new internal::Supervisor;
  return *supervisor;
}

// The whole play on one thread: that of the lane's leader, which runs the handlers, and plays
// the client when it would sleep. Thread contract: one thread.
class ServedPlay final : public Script {
 public:
  explicit ServedPlay(std::string_view bytes)
      : program_(bytes),
        limits_(LimitsOf(program_.Digit(4))),
        model_(limits_, PlayMethodsById()),
        service_(model_, [this] { lane_->Run(); }) {
    registry_.Add(service_).IgnoreError();
    auto transport = std::make_unique<ScriptTransport>(*this);
    transport_ = transport.get();
    client_.emplace(program_, model_, *transport_);
    session_ =
        std::make_shared<internal::Session>(std::move(transport), EntranceOf(limits_), registry_);
    lane_ = internal::SoleLane::Create(pool_, Nobody(), session_);
  }

  void Run() {
    uint32_t hello = program_.Digit(4);
    dies_ = program_.Digit(2) == 1;
    if (program_.Digit(2) == 0) client_->SayHello(hello);
    lane_->LeadFirst();
    pool_->WorkUntil([this] { return lane_->ended(); });
    Check(service_.running() == 0, "handlers end when the connection does");
    Check(lane_->ended(), "the lane ends when the connection does");
  }

 private:
  static ServedLimits LimitsOf(uint32_t kind) {
    constexpr uint64_t kRequests[] = {1 << 20, 0, 700, 1 << 20};
    constexpr uint64_t kStreams[] = {256 * 1024, 300, 1, 50};
    return {kMaxMessage, kRequests[kind], kStreams[kind], kind == 3};
  }

  static std::shared_ptr<const internal::Entrance> EntranceOf(const ServedLimits& limits) {
    auto entrance = std::make_shared<internal::Entrance>();
    entrance->options.max_message = limits.max_message;
    entrance->options.request_credit = limits.request_credit;
    entrance->options.stream_credit = limits.stream_credit;
    entrance->options.max_connection_memory = limits.memory_is_short ? 1000 : 100 << 20;
    return entrance;
  }

  void OnSent(const FrameHeader& header, std::string_view payload) override {
    model_.OnSent(header, payload);
  }
  void OnTaken(const FrameHeader& header, std::string_view payload) override {
    fate_ = model_.OnTaken(header, payload);
  }
  void OnAsked() override { CheckFate(); }
  void OnGone() override { transport_ = nullptr; }

  // What was taken last has had the effect that it must have.
  void CheckFate() {
    absl::Status end = transport_->close_reason();
    if (fate_ == Fate::kBroken) Check(absl::IsDataLoss(end), "a broken frame is found");
    if (fate_ == Fate::kEnds) Check(!end.ok(), "the client wants the end");
    if (fate_ != Fate::kGoesOn) return;
    Check(end.ok() || transport_->has_refused() || absl::IsUnavailable(end),
          "what keeps to the contract goes on");
  }

  void Next() override {
    bool has_put = false;
    while (!program_.empty()) {
      char letter = program_.Letter();
      bool goes_on = letter == '&';  // what follows is there at once
      if (goes_on) letter = program_.Letter();
      if (letter == 'z') program_ = Program("");
      if (letter == 's' && !has_put) RunSpare();
      has_put = client_->Step(letter) || has_put;
      service_.set_script(client_->script());
      if (has_put && !goes_on) break;
    }
    if (has_put) return;
    if (!dies_ && client_->CanWrapUp() && !model_.is_unclear()) {
      if (client_->WrapUp()) return;
      CheckOutcome();
    }
    transport_->PutEnd(absl::UnavailableError("the script is over"));
  }

  // On the stack of the leader, which waits.
  void RunSpare() {
    service_.set_may_wait(false);
    pool_->WorkUntil([] { return true; });
    service_.set_may_wait(true);
  }

  void CheckOutcome() {
    for (const auto& [id, call] : model_.calls()) {
      Check(!call.is_open, "every call gets its reply");
    }
    model_.CheckBalance();
  }

  Program program_;
  const ServedLimits limits_;
  ServedModel model_;
  PlayService service_;
  bool dies_ = false;
  Fate fate_ = Fate::kGoesOn;
  ScriptTransport* transport_ = nullptr;  // the session's
  std::optional<RawClient> client_;
  internal::ServiceRegistry registry_;
  const std::shared_ptr<internal::WorkerPool> pool_ = std::make_shared<internal::WorkerPool>(0);
  std::shared_ptr<internal::Session> session_;
  std::shared_ptr<internal::SoleLane> lane_;
};

}  // namespace

void PlayServed(std::string_view program) { ServedPlay(program).Run(); }

std::vector<std::string> ServedSeeds() {
  return {
      "0300o0010.",                            // unary
      "0300o0010e.o0160it.o0020b.",            // and with an error, metadata, bad ones
      "0300d010o0010it.",                      // metadata of the client
      "0300o1010WWW.c08x0",                    // server stream
      "0100o1010Www.c06c08c0:",                // short of credit
      "0300o2000RRw.m010m020e0",               // client stream
      "0300o2000r.m010m020x0o2000.m010",       // one that is cancelled, and one that returns early
      "0300o3010E.m010m010m011",               // two-way stream
      "1200o3000iErw.m010c06m010c09m010e0",    // without request credit, little of streams
      "0300o3000EEE.o0110.so1210WW.m010e0ss",  // requests while a handler waits
      "0300o3000hE.m010o0110.m010e0",          // another leader comes
      "0300o3000pEh.&m010&o0110h.m010&x0e0o0010cq.",
      "0300o4010.o0012r.",                         // one-way
      "0300o1034W.f030f031o2034R.f131m012f011e0",  // fragments
      "0300o0014.f040f040f041o0010.",              // a request that is too large
      "0300o2000RR.m002f050f051",                  // a message that is too large
      "3300o2000r.m030m030m030o2130.o2230.",       // memory is short
      "0300o0018cq.o1018W.o3018R.",                // deadlines
      "0300pu0C1g0p",                              // of the connection
      "0300o2000R.!10001m010",                     // damage
      "0301o0010.",                                // no hello
      "0300o3000RRR.z",
      "0310o3000cRRR.m010",            // the client dies
      "2300o2000RR.m010m010m010m010",  // messages without credit
      "0300o1010LW.c0:",               // a reply that is too large
  };
}

}  // namespace ferry::test

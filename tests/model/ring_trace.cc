// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/model/ring_trace.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace ferry::model {
namespace {

constexpr const char* kThreadNames[] = {"P1", "P2", "RA", "P3", "RB"};

std::string MessageName(uint8_t message) {
  if (message == 0) return "nothing";
  return "message " + std::to_string(NumberOf(message)) + " of " +
         kThreadNames[ThreadOfSender(SenderOf(message))];
}

std::string ExtentName(uint8_t extent) {
  return std::to_string(SlotsOf(extent)) + " slots, " + std::to_string(UnitsOf(extent)) + " units";
}

// A word of either region and what it holds.
std::string WordName(int word) {
  int in_process = word % kWordsOfProcess;
  std::string name = word < kWordsOfProcess ? "A." : "B.";
  if (in_process < kBody) return name + "stamp[" + std::to_string(in_process) + "]";
  if (in_process < kRxWake) return name + "body[" + std::to_string(in_process - kBody) + "]";
  constexpr const char* kNames[] = {"rx_wake", "released", "tx_wake", "has_backlog"};
  return name + kNames[in_process - kRxWake];
}
std::string ValueName(int word, uint8_t value) {
  int in_process = word % kWordsOfProcess;
  if (in_process == kReleased || in_process == kTxWake) return ExtentName(value);
  if (in_process >= kBody && in_process < kRxWake) return MessageName(value);
  return std::to_string(value);
}

// The word that a thread's next step loads or stores; -1: none.
int WordOf(const Scenario& scenario, const RingState& state, int name) {
  const Thread& thread = state.threads[name];
  Process process = ProcessOf(name);
  Process peer = PeerOf(process);
  int unit = (UnitsOf(thread.place) + thread.units) % scenario.units;
  switch (thread.at) {
    case At::kReadHasBacklog:
    case At::kSetHasBacklog:
    case At::kClearHasBacklog:
    case At::kSeeBacklog:
      return WordIn(process, kHasBacklog);
    case At::kReadReleased:
    case At::kPumpReadReleased:
    case At::kCheckReleased:
      return WordIn(peer, kReleased);
    case At::kWrite:
      return WordIn(process, kBody + unit);
    case At::kCopy:
      return WordIn(peer, kBody + unit);
    case At::kCommit:
      return WordIn(process, kStamp + SlotsOf(thread.place) % scenario.slots);
    case At::kTake:
    case At::kCheckStamp:
      return WordIn(peer, kStamp + SlotsOf(thread.head) % scenario.slots);
    case At::kReadRxWake:
      return WordIn(peer, kRxWake);
    case At::kArmRx:
      return WordIn(process, kRxWake);
    case At::kReadTxWake:
      return WordIn(peer, kTxWake);
    case At::kArmTx:
      return WordIn(process, kTxWake);
    case At::kPublish:
      return WordIn(process, kReleased);
    default:
      return -1;
  }
}

bool SameMemory(const RingState& a, const RingState& b) {
  return std::memcmp(&a.memory, &b.memory, sizeof(a.memory)) == 0;
}

std::string DescribePrivateStep(const RingState& before, const RingState& after, int name) {
  std::string peer = ProcessOf(name) == kA ? "B" : "A";
  const Thread& thread = after.threads[name];
  switch (before.threads[name].at) {
    case At::kReserve:
    case At::kReserveAgain:
    case At::kPumpReserve:
      if (thread.at != At::kWrite) return "finds no room";
      return "reserves slot " + std::to_string(SlotsOf(thread.place)) + " for " +
             MessageName(thread.message);
    case At::kReadSeen:
      return "reads released_seen: " + ExtentName(thread.seen);
    case At::kStoreSeen:
      return "stores released_seen = " + ExtentName(thread.seen);
    case At::kPumpReadTail:
      return "reads tail: " + ExtentName(thread.place);
    case At::kLock:
      if (IsReader(name)) return "takes the lock";
      return "takes the lock, appends " + MessageName(before.threads[name].message);
    case At::kUnlock:
      return "leaves the lock";
    case At::kRingForData:
      return "rings " + peer + ": data";
    case At::kRingForRoom:
      return "rings " + peer + ": room";
    case At::kDrain:
      return "drains its socket";
    case At::kSleep:
      return std::string("wakes") + (thread.flags & kUndrained ? "" : ", drains its socket") +
             (thread.flags & kSawEnd ? ", sees the end" : "");
    default:
      return "goes on";
  }
}

std::string DescribeRun(const Scenario& scenario, const RingState& before, const RingState& after,
                        int name) {
  int word = WordOf(scenario, before, name);
  if (word < 0) return DescribePrivateStep(before, after, name);
  std::string value = ValueName(word, after.memory.Load(name, word));
  bool stores = !SameMemory(before, after) || before.threads[name].at == At::kPublish ||
                before.threads[name].at == At::kArmRx || before.threads[name].at == At::kArmTx;
  if (!stores) return "reads " + WordName(word) + ": " + value;
  bool waits = !after.memory.HasDrained(name);
  return "stores " + WordName(word) + " = " + value + (waits ? ", into its buffer" : "");
}

std::string DescribeStep(const Scenario& scenario, Step step, const RingState& before,
                         const RingState& after) {
  if (step.kind == Step::Kind::kKill) return "A   is killed";
  std::string name = kThreadNames[step.thread] + std::string("  ");
  if (step.kind == Step::Kind::kRun) {
    return name + DescribeRun(scenario, before, after, step.thread);
  }
  auto oldest = before.memory.buffers[step.thread][0];
  int word = oldest.word_and_1 - 1;
  return name + "    " + WordName(word) + " = " + ValueName(word, oldest.value) + " reaches memory";
}

std::string DescribeEnd(const Scenario& scenario, const RingState& state) {
  if (state.fault == Fault::kWrongBody) return "a body was overwritten before it was copied out";
  if (state.fault == Fault::kWrongOrder) return "a message came twice or in the wrong order";
  std::string text = "nothing can happen any more; delivered";
  for (int sender = 0; sender < kSenders; ++sender) {
    if (scenario.CountOf(sender) == 0) continue;
    text += std::string(" ") + kThreadNames[ThreadOfSender(sender)] + ":" +
            std::to_string(state.delivered[sender]) + "/" +
            std::to_string(scenario.CountOf(sender));
  }
  for (int process = 0; process < kProcesses; ++process) {
    const auto& backlog = state.own[process].backlog;
    auto waiting = std::end(backlog) - std::count(std::begin(backlog), std::end(backlog), 0);
    text += std::string(process == kA ? ", backlog of A " : ", of B ") +
            std::to_string(waiting - std::begin(backlog));
  }
  return text;
}

}  // namespace

std::string DescribeTrace(const Scenario& scenario, Mutation mutation,
                          const std::vector<RingState>& trace) {
  RingModel model(scenario, mutation, false);
  std::string text;
  for (size_t i = 1; i < trace.size(); ++i) {
    std::string line;
    model.ForEachNext(trace[i - 1], [&](Step step, const RingState& next) {
      if (std::memcmp(&next, &trace[i], sizeof(next)) != 0 || !line.empty()) return;
      line = DescribeStep(scenario, step, trace[i - 1], next);
    });
    std::string number = std::to_string(i);
    text += std::string(4 - std::min<size_t>(4, number.size()), ' ') + number + "  " + line + "\n";
  }
  return text + "      " + DescribeEnd(scenario, trace.back()) + "\n";
}

}  // namespace ferry::model

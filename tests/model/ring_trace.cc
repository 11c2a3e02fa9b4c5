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

std::string PositionName(uint8_t position) {
  if (position == kNever) return "never";
  return "slot " + std::to_string(IndexOf(position)) + ", unit " + std::to_string(UnitOf(position));
}

// A word of either region and what it holds.
std::string WordName(int word) {
  int in_process = word % kWordsOfProcess;
  std::string name = word < kWordsOfProcess ? "A." : "B.";
  if (in_process < kSlotRest) return name + "slot[" + std::to_string(in_process) + "]";
  if (in_process < kBody) return name + "rest[" + std::to_string(in_process - kSlotRest) + "]";
  if (in_process < kRxWake) return name + "body[" + std::to_string(in_process - kBody) + "]";
  constexpr const char* kNames[] = {"rx_wake", "released", "tx_wake", "has_backlog"};
  return name + kNames[in_process - kRxWake];
}
std::string ValueName(int word, uint8_t value) {
  int in_process = word % kWordsOfProcess;
  if (in_process < kSlotRest) {
    return "stamp " + std::to_string(StampOf(value)) + ", size " + std::to_string(SizeIn(value)) +
           ((value & kAbandoned) != 0 ? ", abandoned" : "");
  }
  if (in_process == kReleased || in_process == kTxWake) return PositionName(value);
  if (in_process >= kBody && in_process < kRxWake) return MessageName(value);
  return std::to_string(value);
}

// The word that a thread's next step loads or stores; -1: none.
int WordOf(const Scenario& scenario, const RingState& state, int name) {
  const Thread& thread = state.threads[name];
  Process process = ProcessOf(name);
  Process peer = PeerOf(process);
  switch (thread.at) {
    case At::kReadHasBacklog:
    case At::kFlush:
    case At::kSetHasBacklog:
    case At::kSetHasBacklogLate:
    case At::kClearHasBacklog:
    case At::kSeeBacklog:
      return WordIn(process, kHasBacklog);
    case At::kRefresh:
    case At::kCheckReleased:
      return WordIn(peer, kReleased);
    case At::kWrite:
      return WordIn(process, kBody + thread.units +
                                 scenario.BodyAt(thread.end, scenario.SizeOf(thread.message)));
    case At::kCopy:
      return WordIn(peer, kBody + thread.units + scenario.BodyAt(thread.end, SizeIn(thread.found)));
    case At::kWriteSlotWord:
    case At::kMarkAbandoned:
    case At::kCommit:
      return WordIn(process, kSlotWord + IndexOf(thread.tail) % scenario.slots);
    case At::kWriteSlotRest:
      return WordIn(process, kSlotRest + IndexOf(thread.tail) % scenario.slots);
    case At::kTake:
    case At::kCheckStamp:
      return WordIn(peer, kSlotWord + IndexOf(thread.head) % scenario.slots);
    case At::kTakeRest:
      return WordIn(peer, kSlotRest + IndexOf(thread.head) % scenario.slots);
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
    case At::kLoadTail:
    case At::kRefreshTail:
      return "reads tail: " + PositionName(before.own[ProcessOf(name)].tail);
    case At::kLookAgain:
      return "reads tail again: " + PositionName(before.own[ProcessOf(name)].tail);
    case At::kLoadReleased:
    case At::kRefreshSeen:
    case At::kPumpKnown:
      return "reads released as known: " + PositionName(before.own[ProcessOf(name)].released);
    case At::kSwapReleased:
      return "swaps released as known for " + PositionName(before.threads[name].found) +
             ", which is then " + PositionName(after.own[ProcessOf(name)].released);
    case At::kSwapTail:
      if (thread.at != At::kWriteSlotWord) return "does not swap tail, which has moved";
      return "swaps tail: has " + PositionName(thread.tail) + ", for " +
             MessageName(thread.message);
    case At::kLockToPump:
      return "takes the lock";
    case At::kLockToAppend:
      return "takes the lock, appends " + MessageName(before.threads[name].message);
    case At::kUnlockAppended:
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
                before.threads[name].at == At::kArmRx || before.threads[name].at == At::kArmTx ||
                before.threads[name].at == At::kSetHasBacklog;
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
  if (state.fault == Fault::kBadFrame) return "a reader calls an honest peer broken";
  if (state.fault == Fault::kBadRelease) return "a sender calls an honest peer broken";
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

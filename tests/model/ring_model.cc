// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/model/ring_model.h"

#include <initializer_list>

namespace ferry::model {

RingState RingModel::Initial() const {
  RingState state{};
  for (int sender = 0; sender < kSenders; ++sender) {
    bool sends = scenario_.CountOf(sender) > 0;
    state.threads[ThreadOfSender(sender)].at = sends ? At::kReadHasBacklog : At::kDone;
  }
  if (scenario_.Has(Scenario::kBacklogFirst)) {
    for (int i = 0; i < scenario_.CountOf(2); ++i) state.own[kA].backlog[i] = MessageOf(2, i);
    state.memory.words[WordIn(kA, kHasBacklog)] = true;
    state.threads[kP3].at = At::kDone;
    for (int sender : {0, 1}) {
      state.threads[sender].at = At::kLoadTail;
      state.threads[sender].message = MessageOf(sender, 0);
    }
  }
  for (Process process : {kA, kB}) {
    // A reader to whom nothing is sent only pumps and sleeps.
    Thread& reader = state.threads[ReaderOf(process)];
    reader.at = scenario_.Sends(PeerOf(process)) ? At::kTake
                : scenario_.Sends(process)       ? At::kSeeBacklog
                                                 : At::kSleep;
    uint8_t start = scenario_.Start();
    reader.head = reader.published = start;
    state.own[process].tail = state.own[process].released = start;
    uint8_t* words = state.memory.words + WordIn(process, 0);
    words[kReleased] = start;
    words[kRxWake] = words[kTxWake] = kNever;
    for (int i = 0; i < scenario_.slots; ++i) {
      int index = IndexOf(start) + i;
      words[kSlotWord + index % scenario_.slots] = SlotWord(scenario_.StaleStamp(index), 0);
    }
  }
  for (int sender = 0; sender < kSenders; ++sender) {
    state.delivered[sender] = static_cast<uint8_t>(scenario_.NextDelivered(sender, 0));
  }
  return state;
}

bool RingModel::IsGoodEnd(const State& state) const {
  const Thread& reader_b = state.threads[kReaderB];
  if (scenario_.Has(Scenario::kKillA)) {
    return state.killed && reader_b.at == At::kEnd && state.threads[kP3].at == At::kDone &&
           !state.own[kB].locked && IndexOf(reader_b.head) >= state.owed;
  }
  for (int sender = 0; sender < kSenders; ++sender) {
    if (state.threads[ThreadOfSender(sender)].at != At::kDone) return false;
    if (state.delivered[sender] != scenario_.CountOf(sender)) return false;
  }
  return reader_b.at == At::kSleep && state.threads[kReaderA].at == At::kSleep;
}

bool RingModel::NextIsPlainStore(const State& state, int thread) const {
  switch (state.threads[thread].at) {
    case At::kWriteSlotWord:
    case At::kWriteSlotRest:
    case At::kWrite:
    case At::kMarkAbandoned:
      return true;
    default:
      return false;
  }
}

// B owes itself what is committed in memory now, up to a slot that was reserved and is not
// committed: nobody will, and what lies behind it may be later in its thread's order.
void RingModel::Kill(State& state) const {
  state.killed = true;
  int index = IndexOf(state.threads[kReaderB].head);
  auto stamp = [&] {
    return StampOf(state.memory.words[WordIn(kA, kSlotWord + index % scenario_.slots)]);
  };
  while (stamp() == index + 1) ++index;
  state.owed = static_cast<uint8_t>(index);
  // What only A could see is forgotten, so that fewer states differ.
  for (int thread : {kP1, kP2, kReaderA}) state.threads[thread] = Thread{};
  state.own[kA] = PrivateWords{};
}

}  // namespace ferry::model

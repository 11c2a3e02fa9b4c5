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
  // A reader to whom nothing is sent only wakes to pump.
  for (int process = 0; process < kProcesses; ++process) {
    bool consumes = scenario_.Sends(PeerOf(Process(process)));
    state.threads[ReaderOf(Process(process))].at = consumes ? At::kTake : At::kSleep;
  }
  return state;
}

bool RingModel::IsGoodEnd(const State& state) const {
  const Thread& reader_b = state.threads[kReaderB];
  if (scenario_.kill_a) {
    return state.killed && reader_b.at == At::kEnd && state.threads[kP3].at == At::kDone &&
           !state.own[kB].locked && SlotsOf(reader_b.head) >= state.owed;
  }
  for (int sender = 0; sender < kSenders; ++sender) {
    if (state.threads[ThreadOfSender(sender)].at != At::kDone) return false;
    if (state.delivered[sender] != scenario_.CountOf(sender)) return false;
  }
  return reader_b.at == At::kSleep && state.threads[kReaderA].at == At::kSleep;
}

bool RingModel::NextIsPlainStore(const State& state, int thread) const {
  switch (state.threads[thread].at) {
    case At::kWrite:
    case At::kSetHasBacklog:
    case At::kClearHasBacklog:
      return true;
    default:
      return false;
  }
}

// B owes itself what is committed in memory now, up to a slot that was reserved and is not
// committed: nobody will, and what lies behind it may be later in its thread's order.
void RingModel::Kill(State& state) const {
  state.killed = true;
  int index = SlotsOf(state.threads[kReaderB].head);
  while (state.memory.words[WordIn(kA, kStamp + index % scenario_.slots)] == index + 1) ++index;
  state.owed = static_cast<uint8_t>(index);
  // What only A could see is forgotten, so that fewer states differ.
  for (int thread : {kP1, kP2, kReaderA}) state.threads[thread] = Thread{};
  state.own[kA] = PrivateWords{};
}

}  // namespace ferry::model

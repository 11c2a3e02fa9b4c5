// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_MODEL_THREAD_STEP_H_
#define FERRY_TESTS_MODEL_THREAD_STEP_H_

#include <cstdint>

#include "tests/model/mutation.h"
#include "tests/model/ring_state.h"
#include "tests/model/scenario.h"

namespace ferry::model {

// One step of one thread, done to a state.
//
// What is private to a process is sequentially consistent here. That loses nothing: `tail`
// is only changed by compare-and-swap; the backlog is touched under a lock, which drains
// the buffer when it is taken and when it is left; and between a store to released_seen and
// the next compare-and-swap or lock, its thread only reads `tail`, so to see the store
// later is to have it happen later.
class ThreadStep final {
 public:
  ThreadStep(const Scenario& scenario, Mutation mutation, RingState& state, int thread)
      : scenario_(scenario),
        mutation_(mutation),
        state_(state),
        thread_(thread),
        process_(ProcessOf(thread)),
        peer_(PeerOf(process_)),
        self_(state.threads[thread]),
        own_(state.own[process_]) {}

  // False, and the state is of no use, if the thread has to wait.
  bool Run();

 private:
  // What a thread stands at belongs to one of these.
  bool Produce();
  bool WriteAndCommit();
  bool Pump();
  bool Read();
  bool SleepAndWake();

  bool GoTo(At at) {
    self_.at = at;
    return true;
  }
  bool Is(Mutation mutation) const { return mutation_ == mutation; }
  bool Has(ThreadFlag flag) const { return (self_.flags & flag) != 0; }
  void Set(ThreadFlag flag) { self_.flags = static_cast<uint8_t>(self_.flags | flag); }
  void Clear(ThreadFlag flag) { self_.flags = static_cast<uint8_t>(self_.flags & ~flag); }

  uint8_t LoadOwn(int word) const { return state_.memory.Load(thread_, WordIn(process_, word)); }
  uint8_t LoadPeers(int word) const { return state_.memory.Load(thread_, WordIn(peer_, word)); }
  bool PlainStore(int word, uint8_t value) {
    return state_.memory.PlainStore(thread_, WordIn(process_, word), value);
  }
  // Plain in the mutation.
  bool SeqCstStore(int word, uint8_t value, Mutation plain) {
    if (Is(plain)) return PlainStore(word, value);
    return state_.memory.SeqCstStore(thread_, WordIn(process_, word), value);
  }
  bool HasDrained() const { return state_.memory.HasDrained(thread_); }
  bool Fail(Fault fault) {
    state_.fault = fault;
    return true;
  }

  bool NextMessage();
  bool HasRoom(uint8_t tail, uint8_t released, uint8_t message) const;
  bool Reserve(At if_full);
  bool AfterCommit();
  bool PumpMore();
  bool PumpIsOver();

  bool Consumes() const { return scenario_.Sends(peer_); }
  bool HeadIsCommitted() const;
  bool Copy();
  bool Deliver();
  bool AfterCopy();
  bool Publish();
  bool AfterPublish();
  bool FallAsleep();
  bool LookAtRing() { return Consumes() ? GoTo(At::kTake) : FallAsleep(); }

  const Scenario& scenario_;
  const Mutation mutation_;
  RingState& state_;
  const int thread_;
  const Process process_;
  const Process peer_;
  Thread& self_;
  PrivateWords& own_;
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_THREAD_STEP_H_

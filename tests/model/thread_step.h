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
// The steps are those of the code, in its order; a step has one load or store at most of
// what others see. What is private to a process is sequentially consistent here. That
// loses nothing: `tail` and `released` are only changed by compare-and-swap, and the
// backlog under a lock, which drains the buffer when it is taken and when it is left.
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
  bool Reserve();
  bool WriteAndCommit();
  bool Pump();
  bool Read();
  bool SleepAndWake();

  bool GoTo(At at) {
    self_.at = at;
    return true;
  }
  bool Is(Mutation mutation) const { return mutation_ == mutation; }
  bool ArmsLater() const {
    return Is(Mutation::kArmLater) || Is(Mutation::kArmLaterNoSecondLook) || Is(Mutation::kOldTail);
  }
  bool LooksAgain() const {
    return !Is(Mutation::kNoSecondLook) && !Is(Mutation::kArmLaterNoSecondLook) &&
           !Is(Mutation::kOldTail);
  }
  bool Has(ThreadFlag flag) const { return (self_.flags & flag) != 0; }
  void Set(ThreadFlag flag) { self_.flags = static_cast<uint8_t>(self_.flags | flag); }
  void Clear(ThreadFlag flag) { self_.flags = static_cast<uint8_t>(self_.flags & ~flag); }

  uint8_t LoadOwn(int word) const { return state_.memory.Load(thread_, WordIn(process_, word)); }
  uint8_t LoadPeers(int word) const { return state_.memory.Load(thread_, WordIn(peer_, word)); }
  bool PlainStore(int word, uint8_t value) {
    return state_.memory.PlainStore(thread_, WordIn(process_, word), value);
  }
  bool SeqCstStore(int word, uint8_t value) {
    return state_.memory.SeqCstStore(thread_, WordIn(process_, word), value);
  }
  // Plain in the mutation.
  bool SeqCstStore(int word, uint8_t value, Mutation plain) {
    return Is(plain) ? PlainStore(word, value) : SeqCstStore(word, value);
  }
  bool HasDrained() const { return state_.memory.HasDrained(thread_); }
  bool Fail(Fault fault) {
    state_.fault = fault;
    return true;
  }

  bool Stage();
  bool Flush();
  bool NextMessage();
  bool BeginToReserve();
  int Skipped(uint8_t tail) const;
  int EndIn(uint8_t tail) const;
  bool HasRoom(uint8_t tail, uint8_t released) const;
  bool PlaceOrRefresh();
  bool MayBeReleased();
  bool NoRoom();
  bool WriteIsOver();
  bool AfterCommit();
  bool PumpNext();
  bool PumpIsOver();
  bool Lock();
  bool Unlock();

  bool Consumes() const { return scenario_.Sends(peer_); }
  int HeadSlot() const { return IndexOf(self_.head) % scenario_.slots; }
  bool IsStale(uint8_t slot_word) const;
  bool TakeRest();
  bool AfterPassing();
  bool Copy();
  bool Deliver();
  void Advance();
  bool HasReadMuch() const;
  bool BeginToPublish();
  bool Publish();
  bool RingOrOwe();
  bool AfterPublish();
  bool FallAsleep();
  bool PublishAndArm();
  bool Sleep();

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

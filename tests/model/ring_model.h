// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The protocol of the shared-memory rings, as a model for Explorer: producers that share
// a ring without a lock, readers that sleep at a socket, and a backlog for what finds no
// room. With a Mutation, the protocol with one mistake in it.
//
// The processor is x86: stores wait in buffers, nothing else is reordered. So this says
// nothing about arm64, where loads and plain stores are reordered, too.

#ifndef FERRY_TESTS_MODEL_RING_MODEL_H_
#define FERRY_TESTS_MODEL_RING_MODEL_H_

#include <cstdint>

#include "tests/model/mutation.h"
#include "tests/model/ring_state.h"
#include "tests/model/scenario.h"
#include "tests/model/thread_step.h"

namespace ferry::model {

struct Step {
  enum class Kind : uint8_t { kRun, kDrain, kKill };
  Kind kind;
  int thread;
};

class RingModel final {
 public:
  using State = RingState;

  // Reduced, a thread that does a plain store does it before anything else happens: into
  // its own buffer, where nobody sees it, so the order with others' steps does not matter.
  RingModel(const Scenario& scenario, Mutation mutation, bool reduced)
      : scenario_(scenario),
        mutation_(mutation),
        reduced_(reduced && !scenario.Has(Scenario::kKillA)) {}

  State Initial() const;
  bool IsBroken(const State& state) const { return state.fault != Fault::kNone; }
  bool IsGoodEnd(const State& state) const;

  template <typename Visit>  // void(Step, const State& next)
  void ForEachNext(const State& state, Visit visit) const {
    for (int thread = 0; reduced_ && thread < kThreads; ++thread) {
      if (!NextIsPlainStore(state, thread)) continue;
      State next = state;
      if (!Run(next, thread)) continue;
      visit(Step{Step::Kind::kRun, thread}, next);
      return;
    }
    for (int thread = 0; thread < kThreads; ++thread) {
      State next = state;
      if (Run(next, thread)) visit(Step{Step::Kind::kRun, thread}, next);
      if (state.memory.HasDrained(thread)) continue;
      next = state;
      next.memory.DrainOne(thread);
      visit(Step{Step::Kind::kDrain, thread}, next);
    }
    if (!scenario_.Has(Scenario::kKillA) || state.killed) return;
    State next = state;
    Kill(next);
    visit(Step{Step::Kind::kKill, kP1}, next);
  }

 private:
  bool Run(State& state, int thread) const {  // false if the thread cannot go on now
    if (state.killed && ProcessOf(thread) == kA) return false;
    return ThreadStep(scenario_, mutation_, state, thread).Run();
  }
  bool NextIsPlainStore(const State& state, int thread) const;
  void Kill(State& state) const;

  const Scenario scenario_;
  const Mutation mutation_;
  const bool reduced_;
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_RING_MODEL_H_

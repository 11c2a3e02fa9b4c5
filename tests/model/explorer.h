// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Explicit-state search: every state that a model can reach is looked at once.

#ifndef FERRY_TESTS_MODEL_EXPLORER_H_
#define FERRY_TESTS_MODEL_EXPLORER_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/model/state_set.h"

namespace ferry::model {

enum class Verdict {
  kHolds,
  kBroken,   // a state says so itself
  kStuck,    // nothing can happen any more, and it is no good end
  kCircles,  // it can go on for ever
};

// A Model has a type State and says
//   State Initial() const;
//   bool IsBroken(const State&) const;   nothing follows such a state
//   bool IsGoodEnd(const State&) const;  asked where nothing can happen any more
//   void ForEachNext(const State&, f) const;  calls f(step, next state) for all that can
// Thread contract: one thread.
template <typename Model>
class Explorer final {
 public:
  using State = typename Model::State;

  struct Result {
    Verdict verdict = Verdict::kHolds;
    uint64_t states = 0;
    uint64_t transitions = 0;
    std::vector<State> trace;  // from the initial state to the one that is wrong
  };

  explicit Explorer(const Model& model) : model_(model) {}

  // Depth first: also sees circles, and so proves that every run ends.
  Result SearchAll() {
    Enter(states_.Add(model_.Initial()).id);
    while (!path_.empty() && result_.verdict == Verdict::kHolds) {
      Visit& visit = path_.back();
      if (visit.next == successors_.size()) {
        Leave();
        continue;
      }
      uint32_t id = successors_[visit.next++];
      if (progress_[id] == Progress::kNew) {
        Enter(id);
      } else if (progress_[id] == Progress::kOnPath) {
        Fail(Verdict::kCircles, id);
      }
    }
    result_.states = states_.size();
    return result_;
  }

  // Breadth first: the trace of a failure is as short as any.
  Result FindShortest() {
    states_.Add(model_.Initial());
    parents_.push_back(0);
    for (uint32_t id = 0; id < states_.size(); ++id) {
      Verdict verdict = Expand(id, [&](uint32_t, bool is_new) {
        if (is_new) parents_.push_back(id);
      });
      if (verdict != Verdict::kHolds) {
        FailAfterParents(verdict, id);
        break;
      }
    }
    result_.states = states_.size();
    return result_;
  }

 private:
  enum class Progress : uint8_t { kNew, kOnPath, kDone };
  // Of the states on the path, each has its part of successors_, the last at the end.
  struct Visit {
    uint32_t id;
    size_t first;
    size_t next;
  };

  template <typename OnNext>
  Verdict Expand(uint32_t id, OnNext on_next) {
    const State& state = states_[id];
    if (model_.IsBroken(state)) return Verdict::kBroken;
    uint64_t before = result_.transitions;
    model_.ForEachNext(state, [&](auto, const State& next) {
      ++result_.transitions;
      auto added = states_.Add(next);
      on_next(added.id, added.is_new);
    });
    if (result_.transitions != before || model_.IsGoodEnd(state)) return Verdict::kHolds;
    return Verdict::kStuck;
  }

  void Enter(uint32_t id) {
    path_.push_back({id, successors_.size(), successors_.size()});
    Verdict verdict = Expand(id, [&](uint32_t next, bool) { successors_.push_back(next); });
    progress_.resize(states_.size(), Progress::kNew);
    progress_[id] = Progress::kOnPath;
    if (verdict != Verdict::kHolds) Fail(verdict, id);
  }

  void Leave() {
    progress_[path_.back().id] = Progress::kDone;
    successors_.resize(path_.back().first);
    path_.pop_back();
  }

  void Fail(Verdict verdict, uint32_t last) {
    result_.verdict = verdict;
    for (const Visit& visit : path_) result_.trace.push_back(states_[visit.id]);
    if (verdict == Verdict::kCircles) result_.trace.push_back(states_[last]);
  }

  void FailAfterParents(Verdict verdict, uint32_t last) {
    result_.verdict = verdict;
    for (uint32_t id = last; id != 0; id = parents_[id]) result_.trace.push_back(states_[id]);
    result_.trace.push_back(states_[0]);
    std::reverse(result_.trace.begin(), result_.trace.end());
  }

  const Model& model_;
  StateSet<State> states_;
  Result result_;

  std::vector<Progress> progress_;  // by state; as successors_ and path_: SearchAll's
  std::vector<uint32_t> successors_;
  std::vector<Visit> path_;
  std::vector<uint32_t> parents_;  // by state; FindShortest's
};

}  // namespace ferry::model

#endif  // FERRY_TESTS_MODEL_EXPLORER_H_

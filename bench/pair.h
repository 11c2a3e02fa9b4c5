// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_PAIR_H_
#define FERRY_BENCH_PAIR_H_

#include <functional>
#include <string>

namespace ferry::bench {

inline constexpr char kPayload[] = "32 bytes of payload, no end here";  // 32 without its end

// One of those that in_flight compares: a program that makes calls to a child of its own, so many
// of them at a time. Thread contract: used by the main thread of each process.
class Pair {
 public:
  virtual ~Pair() = default;

  // In the child, which is killed at last. `ready` is to be called when it can be reached at
  // `path`, where nothing is yet.
  virtual void Serve(const std::string& path, const std::function<void()>& ready) = 0;

  // In the parent.
  virtual void Connect(const std::string& path) = 0;
  // Returns when all have ended.
  virtual void Run(int calls, int in_flight) = 0;
  // Behind the end of the child.
  virtual void End() {}
  // So many calls under way at most.
  virtual int most_in_flight() const { return 1 << 30; }
};

// PROGRAM CALLS IN_FLIGHT prints on one line how many seconds the calls took, what CPU time in
// seconds both processes used for them, and how many were under way.
int PairMain(Pair& pair, int argc, char** argv);

// Says why, and ends the process.
[[noreturn]] void Fail(const std::string& why);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_PAIR_H_

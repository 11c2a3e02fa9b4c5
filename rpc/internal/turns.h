// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_TURNS_H_
#define FERRY_RPC_INTERNAL_TURNS_H_

#include <atomic>
#include <cstdint>

#include "ferry/rpc/internal/queued_request.h"

namespace ferry::internal {

class ConnectionReader;

// What happens to a call, told one by one by callbacks, on whichever thread is at hand; and the
// threads of the user that are in it meanwhile. It stays until Next has answered kOver.
// Thread contract: thread-safe, but that Next and BeginTurns are what it says.
class Turns : public QueuedRequest {
 public:
  // Something has happened. True: who asks has to see to it that Run follows: RunOnReader, on the
  // thread that reads and without a lock, or RunSoon.
  bool Claim() { return word_.exchange(kNews) == kIdle; }
  void RunOnReader();
  void RunSoon();

  void Run() override;
  bool is_droppable() const override { return false; }

 protected:
  // Until then nobody runs it, and who begins it has claimed it.
  Turns() = default;

  // Where it runs. REQUIRES: it is claimed.
  virtual ConnectionReader& reader() = 0;

  // By who runs: tells of one thing, if there is one.
  enum class Step { kTold, kNothing, kOver };
  virtual Step Next() = 0;

  // By who has begun it. True: something has happened since.
  bool BeginTurns() { return !Rest(); }

  // Around what a thread of the user does with the call; not once EnterUser has answered false.
  bool EnterUser() {
    if ((users_.fetch_add(kUser) & kClosed) == 0) return true;
    LeaveUser();
    return false;
  }
  void LeaveUser() {
    if (users_.fetch_sub(kUser) == kUser + kClosed && Claim()) RunSoon();
  }
  // By who runs: none enters any more. False if one is there, behind which Run comes again.
  bool CloseToUsers() { return (users_.fetch_or(kClosed) & ~kClosed) == 0; }

 private:
  enum Word : uint8_t { kIdle, kRuns, kNews };
  static constexpr uint32_t kClosed = 1;
  static constexpr uint32_t kUser = 2;

  // False: there is news.
  bool Rest() {
    Word runs = kRuns;
    return word_.compare_exchange_strong(runs, kIdle);
  }
  void RunAll();

  // Both sequentially consistent. Who has something to tell does that and then claims; who runs
  // sets kRuns and then looks: one of both sees the other.
  std::atomic<Word> word_{kRuns};
  std::atomic<uint32_t> users_{0};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_TURNS_H_

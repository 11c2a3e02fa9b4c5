// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_PEER_FRAMES_H_
#define FERRY_TESTS_FUZZ_PEER_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "ferry/proto/frame.h"
#include "ferry/proto/wire.pb.h"

namespace ferry::test {

// What a frame of the peer's must do to the connection, by docs/protocol.md.
enum class Fate {
  kGoesOn,
  kUnclear,  // it may be against the contract in a way that is not looked for
  kBroken,   // ends with DATA_LOSS
  kEnds,     // ends, the peer wants it
};

// What is told of the peer's frames, once they are known to be in place. Whole messages have
// the header of their first fragment.
class PeerCalls {
 public:
  virtual void OnHello(const wire::Hello& hello) = 0;
  virtual void OnCredit(uint32_t bytes) = 0;
  virtual void OnPing(uint64_t number) = 0;
  virtual void OnGoAway() = 0;
  // The first fragment of a message that has more.
  virtual Fate OnFirst(const FrameHeader& header) = 0;
  // `was_refused`: it is too large.
  virtual Fate OnWhole(const FrameHeader& header, std::string_view payload, bool was_refused) = 0;

 protected:
  ~PeerCalls() = default;
};

// The contract for what a peer sends, but for the state of its calls, written down once more.
// Thread contract: thread-compatible.
class PeerFrames {
 public:
  // `side` is the opener bit of who receives; if its memory is short, it may refuse anything.
  // What is given by reference outlives it.
  PeerFrames(uint32_t side, size_t max_message, bool memory_is_short, PeerCalls& calls)
      : side_(side), max_message_(max_message), memory_is_short_(memory_is_short), calls_(calls) {}

  // `header` has passed ValidateFrameHeader.
  Fate Take(const FrameHeader& header, std::string_view payload);

  bool greeted() const { return greeted_; }

  // Calls whose message is unfinished, with what is to come of it: 0 if nobody has said that.
  struct Partial {
    FrameHeader header;
    std::string bytes;
    size_t arrived = 0;
    size_t total = 0;
    bool was_refused = false;

    size_t left() const { return total - arrived; }
  };
  const std::map<uint32_t, Partial>& partial() const { return partial_; }

 private:
  Fate TakeFirst(const FrameHeader& header, std::string_view payload);
  Fate TakeOfConnection(const FrameHeader& header);
  Fate TakeContinue(const FrameHeader& header, std::string_view payload);
  bool IsMisdirected(const FrameHeader& header) const;

  const uint32_t side_;
  const size_t max_message_;
  const bool memory_is_short_;
  PeerCalls& calls_;
  bool greeted_ = false;
  std::map<uint32_t, Partial> partial_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_PEER_FRAMES_H_

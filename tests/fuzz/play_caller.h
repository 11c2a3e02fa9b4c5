// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_PLAY_CALLER_H_
#define FERRY_TESTS_FUZZ_PLAY_CALLER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "ferry/proto/wire.pb.h"
#include "ferry/rpc/channel.h"
#include "tests/fuzz/calling_model.h"
#include "tests/fuzz/program.h"

namespace ferry::test {

// Something that one does with a channel.
struct Deed {
  char letter = 0;
  uint32_t slot = 0;
  uint32_t shape = 0;
  uint32_t options = 0;
  size_t size = 0;
};

// Makes the calls of a program, some at a time. Thread contract: one thread.
class PlayCaller {
 public:
  // `model` outlives it.
  PlayCaller(Channel channel, CallingModel& model) : channel_(std::move(channel)), model_(model) {
    cancellations_.push_back(std::make_unique<Cancellation>());
  }

  // Whether the letter is that of a deed, which is then taken from the program.
  static bool Take(char letter, Program& program, Deed& deed);

  // While another deed waits in the channel, on the same thread. False if it has to wait.
  bool DoMeanwhile(const Deed& deed);
  void Do(const Deed& deed);

  // Ends the calls that go on: in the one way or the other.
  void EndAll(bool finishes);

 private:
  struct Stream {
    wire::Status reply;
    Metadata initial;
    Metadata trailing;
    CallShape shape{};
    size_t call = kNone;  // in the model
    std::unique_ptr<internal::ClientStream> stream;
  };
  static constexpr size_t kNone = ~size_t{0};
  static constexpr uint32_t kSlots = 4;

  CallOptions OptionsOf(uint32_t bits, Metadata& initial, Metadata& trailing);
  void Call(const Deed& deed);
  void Open(const Deed& deed);
  void Read(Stream& stream);
  void Finish(std::unique_ptr<Stream>& stream);
  void Outcome(size_t call, const absl::Status& status);

  const Channel channel_;
  CallingModel& model_;
  std::deque<std::unique_ptr<Cancellation>> cancellations_;  // the last is not cancelled
  std::unique_ptr<Stream> streams_[kSlots];
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_PLAY_CALLER_H_

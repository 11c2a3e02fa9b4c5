// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Two connected transports, and what is sent between them.

#ifndef FERRY_TESTS_TRANSPORT_TRANSPORT_PAIR_H_
#define FERRY_TESTS_TRANSPORT_TRANSPORT_PAIR_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ferry/transport/transport.h"

namespace ferry::test {

using TransportPair = std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>>;

// Two anonymous pipes, with both ends in this process; of the usual capacity, or so many bytes.
TransportPair CreatePipePair(int capacity = 0);

// Sends one message of `call`.
void SendMessage(Transport& transport, uint32_t call, const std::string& message);

// The messages that have arrived, put together again.
class Frames {
 public:
  explicit Frames(Transport& transport) : transport_(transport) {}

  // Takes in what is there; false when the transport is closed.
  bool Drain();
  // Waits for the next whole message; "(closed)" when there is none.
  std::string Next();
  // The next whole message that Drain has taken in, if there is one.
  std::optional<std::string> Take();
  // The call of what Next or Take answered last.
  uint32_t call() const { return call_; }

 private:
  struct Message {
    uint32_t call;
    std::string bytes;
  };

  Transport& transport_;
  std::deque<Message> partial_;
  std::deque<Message> whole_;
  uint32_t call_ = 0;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_TRANSPORT_TRANSPORT_PAIR_H_

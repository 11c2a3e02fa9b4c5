// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_PROGRAM_H_
#define FERRY_TESTS_FUZZ_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ferry/proto/frame.h"

namespace ferry::test {

// What a fuzzer has made up, taken byte by byte; '0's behind the end. Letters and digits do
// what one can read in the seeds, and every other byte does something, too. Thread contract:
// thread-compatible.
class Program {
 public:
  explicit Program(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  char Letter() {
    if (bytes_.empty()) return '0';
    char byte = bytes_.front();
    bytes_.remove_prefix(1);
    return byte;
  }
  // Below `end`; the digit itself if it is one.
  uint32_t Digit(uint32_t end) { return static_cast<uint8_t>(Letter() - '0') % end; }
  uint32_t Number() {
    uint32_t number = 0;
    for (int i = 0; i < 4; ++i) number = number << 8 | static_cast<uint8_t>(Letter() - '0');
    return number;
  }
  // Up to the next '.', or so many.
  std::string Text(size_t most) {
    std::string text;
    while (!empty() && text.size() < most) {
      char letter = Letter();
      if (letter == '.') break;
      text.push_back(letter);
    }
    return text;
  }
  // Of a message; all are even.
  size_t Size() {
    constexpr size_t kSizes[] = {0, 6, 40, 600, 2200, 65534};
    uint32_t digit = Digit(7);
    return digit < std::size(kSizes) ? kSizes[digit] : kGarbage;
  }
  static constexpr size_t kGarbage = 2;  // bytes that are no message

 private:
  std::string_view bytes_;
};

// Unknown fields, of which any even number of bytes are a message; at most a frame of them.
inline std::string Filler(size_t size) {
  static const std::string* const most = [] {
    auto* bytes = new std::string;
    while (bytes->size() < kMaxFrame) *bytes += "\x78\x01";
    return bytes;
  }();
  return most->substr(0, size);
}

// A ferry.wire.Status that tells itself from others, if there is room, or a Metadata.
inline std::string PlayMessage(size_t size, uint32_t number, bool is_metadata = false) {
  if (size == Program::kGarbage) return "\xff\xff";
  std::string begin = is_metadata ? std::string("\x0a\x06\x0a\x01n\x12\x01v", 8)
                                  : "\x0a\x04" + std::to_string(1000 + number % 9000);
  if (size < begin.size()) return Filler(size);
  return begin + Filler(size - begin.size());
}

// What is wrong with a frame, on purpose. Thread contract: thread-compatible.
struct Damage {
  bool is_due = false;
  uint32_t field = 0;
  uint32_t value = 0;

  void Apply(FrameHeader& header, std::string& payload) {
    if (!is_due) return;
    is_due = false;
    switch (field) {
      case 0:
        header.type = static_cast<FrameType>(value);
        return;
      case 1:
        header.flags = static_cast<uint8_t>(header.flags ^ (1u << value % 8));
        return;
      case 2:
        header.aux = static_cast<uint16_t>(value % 20);
        return;
      case 3:
        header.call.value ^= 1u << value % 32;
        return;
      case 4:
        header.method ^= value;
        return;
      case 5:
        header.arg = value;
        return;
      default:
        if (!payload.empty()) payload[value % payload.size()] = static_cast<char>(value >> 8);
        return;
    }
  }
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_PROGRAM_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What the two ends of a named pipe say to each other before frames flow: records of a
// fixed size, which a pipe takes whole or not at all. Numbers are little-endian.
//
//   HELLO, from a client into the pipe that all clients share:
//     0 "ferry.hi"   8 version u32   12 zero u32   16 nonce, 16 bytes   32 zeros
//   WELCOME, from the server into the client's own pipe:
//     0 "ferry.ok"   8 version u32   12 status code u32   16 text, padded with zeros

#ifndef FERRY_TRANSPORT_INTERNAL_PIPE_HELLO_H_
#define FERRY_TRANSPORT_INTERNAL_PIPE_HELLO_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ferry::internal {

inline constexpr size_t kPipeRecordSize = 512;  // PIPE_BUF is 512 or more everywhere
inline constexpr uint32_t kPipeVersion = 1;

// By it a client is found. A name for its pipes is made of it, so it is no path.
using Nonce = std::array<unsigned char, 16>;

struct PipeHello {
  uint32_t version = kPipeVersion;
  Nonce nonce = {};
};

std::string EncodePipeHello(const PipeHello& hello);

// `answer` is OK or why the client is turned away.
std::string EncodePipeWelcome(const absl::Status& answer);

// The answer in a WELCOME; DATA_LOSS if it is none.
absl::Status DecodePipeWelcome(absl::string_view record);

// Finds the HELLOs in what is read from a pipe that anybody may have written to, and
// passes by whatever else is there. Thread contract: thread-compatible.
class PipeHelloReader {
 public:
  // How much to read next, so that nothing behind the next HELLO is taken. Never 0.
  size_t wanted() const { return kPipeRecordSize - bytes_.size(); }

  // Adds what was read, of at most wanted() bytes. Answers whether there is a HELLO now.
  bool Add(absl::string_view bytes, PipeHello& hello);

 private:
  std::string bytes_;  // may begin a HELLO; shorter than one
};

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_PIPE_HELLO_H_

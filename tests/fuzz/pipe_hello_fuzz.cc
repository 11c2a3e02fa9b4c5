// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The HELLOs of named pipes behind any bytes, and any bytes as a WELCOME.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ferry/transport/internal/pipe_hello.h"

using ferry::internal::PipeHello;
using ferry::internal::PipeHelloReader;

namespace {

// The last HELLO in `bytes`; a nonce of zeros if there is none.
PipeHello LastHello(PipeHelloReader& reader, const std::string& bytes) {
  PipeHello last;
  for (size_t at = 0; at < bytes.size();) {
    size_t wanted = reader.wanted();
    if (wanted == 0 || wanted > ferry::internal::kPipeRecordSize) abort();
    std::string part = bytes.substr(at, wanted);
    at += part.size();
    PipeHello hello;
    if (reader.Add(part, hello)) last = hello;
  }
  return last;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  ferry::internal::DecodePipeWelcome(bytes).IgnoreError();

  PipeHello ours;
  ours.nonce.fill(0xa5);
  // What anybody has written may swallow one HELLO that follows, but not two.
  std::string record = EncodePipeHello(ours);
  PipeHelloReader reader;
  if (LastHello(reader, bytes + record + record).nonce != ours.nonce) abort();
  return 0;
}

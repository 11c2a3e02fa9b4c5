// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: a code, and any bytes as a status that came, which is then sent on.

#include <cstddef>
#include <cstdint>
#include <string>

#include "ferry/rpc/internal/status_codec.h"
#include "tests/fuzz/check.h"

namespace ferry::test {
namespace {

absl::Status Decode(uint16_t code, const std::string& bytes) {
  Frame frame;
  frame.header.type = FrameType::kReply;
  frame.header.length = static_cast<uint32_t>(bytes.size());
  frame.payload = bytes.data();
  internal::Assembly assembly;
  Check(assembly.Add(frame, bytes.size()).ok(), "what fits is taken");
  return internal::DecodeStatus(code, internal::Body(assembly));
}

void Fuzz(uint16_t code, const std::string& bytes) {
  absl::Status status = Decode(code, bytes);
  wire::Status parsed;
  if (!parsed.ParseFromString(bytes)) {
    Check(absl::IsInternal(status), "what is no status is INTERNAL");
    return;
  }
  Check(static_cast<uint16_t>(status.code()) == code && !status.ok(), "the code arrives");
  Check(status.message() == absl::string_view(parsed.message()), "the text arrives");
  Check(Decode(code, internal::EncodeStatus(status).SerializeAsString()) == status,
        "what is sent arrives");
}

}  // namespace
}  // namespace ferry::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ferry::test::Fuzz(static_cast<uint16_t>(1 + data[0] % 16),
                    std::string(reinterpret_cast<const char*>(data + 1), size - 1));
  return 0;
}

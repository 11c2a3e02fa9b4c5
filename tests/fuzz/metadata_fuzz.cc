// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer: any bytes as metadata that came, which are then sent on if they may be.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "ferry/rpc/internal/metadata_codec.h"
#include "tests/fuzz/check.h"

namespace ferry::test {
namespace {

bool Decode(const std::string& bytes, Metadata& metadata) {
  Frame frame;
  frame.header.type = FrameType::kMetadata;
  frame.header.length = static_cast<uint32_t>(bytes.size());
  frame.payload = bytes.data();
  internal::Assembly assembly;
  Check(assembly.Add(frame, bytes.size()).ok(), "what fits is taken");
  return internal::DecodeMetadata(internal::Body(assembly), metadata);
}

bool AreSame(const Metadata& a, const Metadata& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void Fuzz(const std::string& bytes) {
  Metadata metadata;
  if (!Decode(bytes, metadata)) return;
  absl::Status valid = metadata.Validate();
  Check(valid.ok() || absl::IsInvalidArgument(valid) || absl::IsResourceExhausted(valid),
        "there are two reasons against metadata");
  std::string encoded = internal::EncodeMetadata(metadata).SerializeAsString();
  Check(!valid.ok() || encoded.size() <= Metadata::kMaxBytes, "what is valid may be sent");
  Metadata again;
  Check(Decode(encoded, again) && AreSame(metadata, again), "what is sent arrives");
  for (const Metadata::Entry& entry : metadata) {
    Check(metadata.Find(entry.first).has_value(), "what is there is found");
    if (!valid.ok()) continue;
    for (char c : entry.first) {
      bool is_name =
          (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
      Check(is_name, "a valid name has the letters that it may have");
    }
  }
}

}  // namespace
}  // namespace ferry::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferry::test::Fuzz(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}

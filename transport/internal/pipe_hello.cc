// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/pipe_hello.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace ferry::internal {
namespace {

constexpr absl::string_view kHello = "ferry.hi";
constexpr absl::string_view kWelcome = "ferry.ok";
constexpr size_t kVersionAt = 8;
constexpr size_t kCodeAt = 12;
constexpr size_t kBodyAt = 16;

constexpr uint32_t kMaxVersion = 0xffff;  // what is above is no version, but text

void Put32(std::string& record, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) record[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

uint32_t Get32(absl::string_view record, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= uint32_t{static_cast<unsigned char>(record[at + i])} << (8 * i);
  }
  return value;
}

std::string BeginRecord(absl::string_view magic, uint32_t version) {
  std::string record(magic);
  record.resize(kPipeRecordSize);
  Put32(record, kVersionAt, version);
  return record;
}

bool AreZeros(absl::string_view bytes) { return bytes.find_first_not_of('\0') == bytes.npos; }

// Of a record that begins with kHello.
bool ParseHello(absl::string_view record, PipeHello& hello) {
  hello.version = Get32(record, kVersionAt);
  std::copy_n(record.begin() + kBodyAt, hello.nonce.size(), hello.nonce.begin());
  if (hello.version == 0 || hello.version > kMaxVersion || Get32(record, kCodeAt) != 0)
    return false;
  // Other versions may use the rest.
  return hello.version != kPipeVersion || AreZeros(record.substr(kBodyAt + hello.nonce.size()));
}

}  // namespace

std::string EncodePipeHello(const PipeHello& hello) {
  std::string record = BeginRecord(kHello, hello.version);
  std::copy(hello.nonce.begin(), hello.nonce.end(), record.begin() + kBodyAt);
  return record;
}

std::string EncodePipeWelcome(const absl::Status& answer) {
  std::string record = BeginRecord(kWelcome, kPipeVersion);
  Put32(record, kCodeAt, static_cast<uint32_t>(answer.raw_code()));
  absl::string_view text = answer.message().substr(0, kPipeRecordSize - kBodyAt);
  std::copy(text.begin(), text.end(), record.begin() + kBodyAt);
  return record;
}

absl::Status DecodePipeWelcome(absl::string_view record) {
  if (record.size() != kPipeRecordSize || !absl::StartsWith(record, kWelcome)) {
    return absl::DataLossError("the answer is not one of a ferry server");
  }
  // A code that has no name in this version reads as UNKNOWN.
  auto code = static_cast<absl::StatusCode>(Get32(record, kCodeAt));
  absl::string_view text = record.substr(kBodyAt);
  text = text.substr(0, text.find('\0'));
  if (code != absl::StatusCode::kOk) return {code, text};
  if (Get32(record, kVersionAt) == kPipeVersion) return absl::OkStatus();
  return absl::DataLossError("the answer is one of another version of ferry");
}

bool PipeHelloReader::Add(absl::string_view bytes, PipeHello& hello) {
  bytes_.append(bytes.data(), bytes.size());
  for (;;) {
    size_t begin = bytes_.find(kHello.data(), 0, kHello.size());
    if (begin == bytes_.npos) {
      // The end may be the beginning of one.
      bytes_.erase(0, bytes_.size() - std::min(bytes_.size(), kHello.size() - 1));
      return false;
    }
    bytes_.erase(0, begin);
    if (bytes_.size() < kPipeRecordSize) return false;
    if (ParseHello(bytes_, hello)) {
      bytes_.clear();
      return true;
    }
    bytes_.erase(0, 1);
  }
}

}  // namespace ferry::internal

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/proto/frame.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ferry {
namespace {

static_assert(sizeof(void*) == 8, "ferry is for 64-bit systems");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the header is copied as it lies in memory");

constexpr uint16_t kHighestStatusCode = 16;

// What a frame type may carry; everything else in its header must be zero.
struct TypeRule {
  std::string_view name;
  uint8_t flags;  // those allowed
  bool call;      // belongs to a call
  bool payload;   // may have one
  bool aux;
  bool method;
  bool arg;
};

constexpr TypeRule kRules[] = {
    {"hello", 0, false, true, false, true, false},
    {"request", kFlagMore | kFlagEnd | kFlagEmpty | kFlagOneWay, true, true, true, true, true},
    {"continue", kFlagMore, true, true, false, false, true},
    {"message", kFlagMore | kFlagEnd | kFlagEmpty, true, true, false, false, false},
    {"reply", kFlagMore | kFlagEmpty, true, true, true, false, true},
    {"metadata", kFlagMore | kFlagTrailing, true, true, false, false, false},
    {"cancel", 0, true, false, false, false, false},
    {"credit", 0, true, false, false, false, true},
    {"ping", kFlagAck, false, false, false, true, false},
    {"goaway", 0, false, true, true, false, false},
};

const TypeRule* RuleOf(FrameType type) {
  size_t index = static_cast<size_t>(type) - 1;
  return index < std::size(kRules) ? &kRules[index] : nullptr;
}

template <typename T>
void Put(char*& out, T value) {
  std::memcpy(out, &value, sizeof(value));
  out += sizeof(value);
}

template <typename T>
void Take(const char*& in, T& value) {
  std::memcpy(&value, in, sizeof(value));
  in += sizeof(value);
}

template <typename... Args>
absl::Status Broken(const absl::FormatSpec<Args...>& format, const Args&... args) {
  return absl::DataLossError(absl::StrCat("broken frame: ", absl::StrFormat(format, args...)));
}

// What holds between the fields of one type.
absl::Status ValidateFields(const FrameHeader& header) {
  switch (header.type) {
    case FrameType::kHello:
      if (header.method != kHelloMagic) {
        return Broken("hello with magic %#x, expected %#x", header.method, kHelloMagic);
      }
      break;
    case FrameType::kContinue: {
      if (header.length == 0) return Broken("continue without payload");
      bool more = (header.flags & kFlagMore) != 0;
      if (header.arg < header.length || more != (header.arg > header.length)) {
        return Broken("continue of %d bytes with %d to come and flags %#x", header.length,
                      header.arg, header.flags);
      }
      break;
    }
    case FrameType::kReply:
    case FrameType::kGoAway:
      if (header.aux > kHighestStatusCode) {
        return Broken("%s with status code %d, expected 0 to %d", RuleOf(header.type)->name,
                      header.aux, kHighestStatusCode);
      }
      break;
    case FrameType::kCredit:
      if (header.arg == 0) return Broken("credit of 0 bytes");
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

void EncodeFrameHeader(const FrameHeader& header, char* out) {
  Put(out, header.length);
  Put(out, header.type);
  Put(out, header.flags);
  Put(out, header.aux);
  Put(out, header.call.value);
  Put(out, header.method);
  Put(out, header.arg);
}

FrameHeader DecodeFrameHeader(const char* bytes) {
  FrameHeader header;
  Take(bytes, header.length);
  Take(bytes, header.type);
  Take(bytes, header.flags);
  Take(bytes, header.aux);
  Take(bytes, header.call.value);
  Take(bytes, header.method);
  Take(bytes, header.arg);
  return header;
}

absl::Status ValidateFrameHeader(const FrameHeader& header, size_t max_frame) {
  uint8_t type = static_cast<uint8_t>(header.type);
  const TypeRule* rule = RuleOf(header.type);
  if (rule == nullptr && type < kFirstSkippableType) return Broken("unknown type %#x", type);
  if (header.length > max_frame) {
    return Broken("%s of %d bytes, expected at most %d", FrameTypeName(header.type), header.length,
                  max_frame);
  }
  if (rule == nullptr) return absl::OkStatus();

  if ((header.flags & ~rule->flags) != 0) {
    return Broken("%s with flags %#x, expected none but %#x", rule->name, header.flags,
                  rule->flags);
  }
  if ((header.flags & kFlagEmpty) != 0 && (header.length != 0 || (header.flags & kFlagMore) != 0)) {
    return Broken("%s without message but %d bytes, flags %#x", rule->name, header.length,
                  header.flags);
  }
  if (!rule->payload && header.length != 0) {
    return Broken("%s with %d bytes of payload, expected none", rule->name, header.length);
  }
  if (!rule->call && header.call.value != 0) {
    return Broken("%s with call %#x, expected 0", rule->name, header.call.value);
  }
  if (!rule->aux && header.aux != 0) {
    return Broken("%s with aux %d, expected 0", rule->name, header.aux);
  }
  if (!rule->method && header.method != 0) {
    return Broken("%s with method %#x, expected 0", rule->name, header.method);
  }
  if (!rule->arg && header.arg != 0) {
    return Broken("%s with arg %d, expected 0", rule->name, header.arg);
  }
  return ValidateFields(header);
}

FrameHeader ContinueHeader(CallId call, size_t remaining, size_t max_frame) {
  FrameHeader header;
  header.length = static_cast<uint32_t>(std::min(remaining, max_frame));
  header.type = FrameType::kContinue;
  header.flags = remaining > max_frame ? kFlagMore : 0;
  header.call = call;
  header.arg = static_cast<uint32_t>(remaining);
  return header;
}

std::string_view FrameTypeName(FrameType type) {
  const TypeRule* rule = RuleOf(type);
  return rule != nullptr ? rule->name : "frame of unknown type";
}

}  // namespace ferry

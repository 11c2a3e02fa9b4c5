// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/status_codec.h"

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ferry::internal {
namespace {

// absl::Status searches through its payloads one by one; a peer gets no more of that.
constexpr int kMaxDetails = 64;

}  // namespace

wire::Status EncodeStatus(const absl::Status& status) {
  wire::Status wire;
  wire.set_message(std::string(status.message()));
  status.ForEachPayload([&wire](absl::string_view url, const absl::Cord& bytes) {
    wire::Status::Detail& detail = *wire.add_details();
    detail.set_type_url(std::string(url));
    detail.set_value(std::string(bytes));
  });
  return wire;
}

absl::Status DecodeStatus(uint16_t code, const Body& body) {
  wire::Status wire;
  if (!wire.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return absl::InternalError(absl::StrCat("the peer failed the call with code ", code,
                                            " and a status of ", body.size(),
                                            " bytes that cannot be parsed"));
  }
  absl::Status status(static_cast<absl::StatusCode>(code), wire.message());
  int details = std::min(wire.details_size(), kMaxDetails);
  for (int i = 0; i < details; ++i) {
    const wire::Status::Detail& detail = wire.details(i);
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

}  // namespace ferry::internal

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/sender.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

absl::Status Sender::Send(const FrameHeader& header, const MessageLite& message,
                          Deadline deadline) {
  size_t size = message.ByteSizeLong();
  if (absl::Status checked = CheckSize(message, size); !checked.ok()) return checked;
  Reservation reservation;
  switch (transport_.Reserve(header, size, reservation)) {
    case ReserveResult::kOk:
      break;
    case ReserveResult::kNoRoom:
      return absl::ResourceExhaustedError("the transport has no room for the message");
    case ReserveResult::kClosed:
      return transport_.close_reason();
  }
  auto* begin = reinterpret_cast<uint8_t*>(reservation.data);
  uint8_t* end = message.SerializeWithCachedSizesToArray(begin);
  if (end != begin + size) {
    transport_.Abandon(reservation);
    return absl::InternalError(absl::StrCat("a ", message.GetTypeName(),
                                            " was changed by another thread while it was sent"));
  }
  transport_.Commit(reservation);
  transport_.Flush(deadline);
  return absl::OkStatus();
}

absl::Status Sender::CheckSize(const MessageLite& message, size_t size) const {
  if (!message.IsInitialized()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ", message.GetTypeName(),
                     " lacks required fields: ", message.InitializationErrorString()));
  }
  size_t theirs = peer_max_message_.load(std::memory_order_relaxed);
  if (size <= max_message_ && size <= theirs) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("a ", message.GetTypeName(), " of ", size, " bytes, at most ",
                   size > max_message_ ? max_message_ : theirs, " are allowed by ",
                   size > max_message_ ? "this side" : "the peer"));
}

void Sender::SendControl(const FrameHeader& header) {
  Reservation reservation;
  if (transport_.Reserve(header, 0, reservation) != ReserveResult::kOk) return;
  transport_.Commit(reservation);
  transport_.Flush(Deadline::min());
}

}  // namespace ferry::internal

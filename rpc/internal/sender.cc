// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/sender.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

absl::Status Sender::Send(const FrameHeader& header, const MessageLite& message, size_t size,
                          Deadline deadline, When when) {
  if (!CanBeSent(message, size)) return Refusal(message, size);
  Reservation reservation;
  if (transport_.Reserve(header, size, reservation) == ReserveResult::kClosed) {
    return transport_.close_reason();
  }
  auto* begin = reinterpret_cast<uint8_t*>(reservation.data);
  uint8_t* end = message.SerializeWithCachedSizesToArray(begin);
  if (end != begin + size) return Changed(message, reservation);
  transport_.Commit(reservation);
  Flush(deadline, when);
  return absl::OkStatus();
}

// Sequentially consistent, as are who defers and then looks whether it goes on, and who finds that
// it does not and then comes here: one of both flushes.
void Sender::FlushDeferredNow(Deadline deadline) {
  if (deferred_.exchange(false)) transport_.Flush(deadline);
}

absl::Status Sender::Refusal(const MessageLite& message, size_t size) const {
  if (!message.IsInitialized()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ", message.GetTypeName(),
                     " lacks required fields: ", message.InitializationErrorString()));
  }
  size_t limit = limit_.load(std::memory_order_relaxed);
  return absl::ResourceExhaustedError(
      absl::StrCat("a ", message.GetTypeName(), " of ", size, " bytes, at most ", limit,
                   " are allowed by ", limit == max_message_ ? "this side" : "the peer"));
}

absl::Status Sender::Changed(const MessageLite& message, Reservation& reservation) {
  transport_.Abandon(reservation);
  return absl::InternalError(absl::StrCat("a ", message.GetTypeName(),
                                          " was changed by another thread while it was sent"));
}

absl::Status Sender::SendEmpty(const FrameHeader& header, Deadline deadline, When when) {
  Reservation reservation;
  if (transport_.Reserve(header, 0, reservation) != ReserveResult::kOk) {
    return transport_.close_reason();
  }
  transport_.Commit(reservation);
  Flush(deadline, when);
  return absl::OkStatus();
}

}  // namespace ferry::internal

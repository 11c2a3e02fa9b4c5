// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "slot_stream.h"

#include "ferry_echo.h"

namespace ferry::bench {

void SlotStream::Prepare(size_t payload_size) { message_ = FerryEcho::MakeMessage(payload_size); }

absl::Status SlotStream::RoundTrip() {
  const SlotRingChild::Order order = {direction_, wait_, messages_, message_.payload().size()};
  absl::Status begun = child_.Begin(order);
  if (!begun.ok()) return begun;
  bool carried = direction_ == StreamDirection::kUp ? PutStream(child_.end(), order, message_)
                                                    : TakeStream(child_.end(), order, message_);
  return carried ? absl::OkStatus() : absl::UnavailableError("the child of the ring has ended");
}

}  // namespace ferry::bench

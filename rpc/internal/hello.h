// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_HELLO_H_
#define FERRY_RPC_INTERNAL_HELLO_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "ferry/proto/wire.pb.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/sender.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

inline constexpr uint32_t kProtocolVersion = 1;

// Our side of the handshake.
wire::Hello MakeHello(size_t max_message, uint64_t request_credit = 0, uint64_t stream_credit = 0);

// The peer's. Returns: FAILED_PRECONDITION when the two share no protocol version,
// naming both ranges; DATA_LOSS when the bytes are no hello.
absl::StatusOr<wire::Hello> ReadHello(const Body& body);

// Tells the peer to open no new calls, and with a status why all have ended.
void GoAway(Sender& sender, const absl::Status& why);

// Tells the peer, in place of a hello, why it is not served.
void Refuse(Transport& transport, const absl::Status& reason);

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_HELLO_H_

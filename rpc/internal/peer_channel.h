// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_PEER_CHANNEL_H_
#define FERRY_RPC_INTERNAL_PEER_CHANNEL_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "ferry/rpc/internal/channel_base.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

class Session;

// A channel to the other side of a connection that is served here. It does not keep the
// connection, except while a call uses it. Thread contract: thread-safe.
class PeerChannel final : public ChannelBase {
 public:
  PeerChannel(std::weak_ptr<Session> session, size_t stream_credit, Peer peer)
      : ChannelBase(stream_credit), session_(std::move(session)), peer_(std::move(peer)) {}

  Peer peer() override { return peer_; }
  void Close() override;
  void AfterStream(Caller& caller) override;
  void SendRest(Caller&) override {}  // the lane does

 private:
  Caller* Begin(PendingCall& call, std::shared_ptr<void>& hold) override;
  // Returns: UNAVAILABLE, or why the connection was closed.
  absl::Status Recover(const Patience& patience) override;
  void AfterCall(const absl::Status&) override {}
  void RunOnPool(absl::AnyInvocable<void()> run) override;
  absl::Status MayCallAsync() const override { return absl::OkStatus(); }
  int most_connections() const override { return 1; }

  const std::weak_ptr<Session> session_;
  const Peer peer_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_PEER_CHANNEL_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_PEER_TEST_H_
#define FERRY_TESTS_RPC_PEER_TEST_H_

#include <memory>
#include <optional>

#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {

// Both sides serve a TalkImpl: the server `service_`, the client `ours_`.
class PeerTest : public TalkTest {
 protected:
  void StartPeers(size_t threads, ChannelOptions options = {}) {
    ServerOptions server_options;
    server_options.max_threads = threads;
    options.services = {&ours_};
    options.max_threads = threads;
    Start(server_options, options);
  }

  // Answers with the number of handlers below it.
  static absl::Status Descend(ServerContext& context, const Item& request, Item& reply) {
    if (request.number() == 0) return absl::OkStatus();
    Item below;
    absl::Status called = TalkStub(context.channel()).Say(Numbered(request.number() - 1), &below);
    reply.set_number(below.number() + 1);
    return called;
  }

  // The channel goes first: `ours_` outlives it.
  void DropChannel() {
    stub_.reset();
    channel_.reset();
  }
  ~PeerTest() override { DropChannel(); }

  TalkImpl ours_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_PEER_TEST_H_

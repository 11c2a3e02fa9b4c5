// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Cap'n Proto's RPC over a Unix domain socket, with its own event loop on both sides.

#include <capnp/ez-rpc.h>

#include <algorithm>
#include <memory>
#include <string>

#include "capnp_echo.capnp.h"
#include "pair.h"

namespace ferry::bench {
namespace {

class EchoServer final : public Echo::Server {
  kj::Promise<void> call(CallContext context) override {
    context.getResults().setPayload(context.getParams().getPayload());
    return kj::READY_NOW;
  }
};

class CapnpPair final : public Pair {
 public:
  void Serve(const std::string& path, const std::function<void()>& ready) override {
    capnp::EzRpcServer server(kj::heap<EchoServer>(), "unix:" + path);
    server.getPort().wait(server.getWaitScope());
    ready();
    kj::NEVER_DONE.wait(server.getWaitScope());
  }
  void Connect(const std::string& path) override {
    client_ = std::make_unique<capnp::EzRpcClient>("unix:" + path);
  }
  void Run(int calls, int in_flight) override {
    Echo::Client echo = client_->getMain<Echo>();
    to_start_ = calls;
    auto chains =
        kj::heapArrayBuilder<kj::Promise<void>>(static_cast<size_t>(std::min(in_flight, calls)));
    for (int i = 0; i < std::min(in_flight, calls); ++i) {
      --to_start_;
      chains.add(Chain(echo));
    }
    kj::joinPromises(chains.finish()).wait(client_->getWaitScope());
  }

 private:
  // A call, and behind it the next, as long as there are some.
  kj::Promise<void> Chain(Echo::Client& echo) {
    auto request = echo.callRequest();
    request.setPayload(kj::StringPtr(kPayload).asBytes());
    return request.send().then([this, &echo](auto&&) -> kj::Promise<void> {
      if (to_start_ == 0) return kj::READY_NOW;
      --to_start_;
      return Chain(echo);
    });
  }

  std::unique_ptr<capnp::EzRpcClient> client_;
  int to_start_ = 0;
};

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  ferry::bench::CapnpPair pair;
  return ferry::bench::PairMain(pair, argc, argv);
}

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Thrift over a Unix domain socket, buffered, with one thread a connection: the calls under way are
// those that were sent and not received, which its clients may do apart. It sends a window of calls
// at once, by one flush, and then receives it.

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TServerSocket.h>
#include <thrift/transport/TSocket.h>

#include <algorithm>
#include <memory>
#include <string>

#include "gen-cpp/Echo.h"
#include "pair.h"

namespace ferry::bench {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::protocol::TBinaryProtocolFactory;
using apache::thrift::transport::TBufferedTransport;
using apache::thrift::transport::TBufferedTransportFactory;
using apache::thrift::transport::TServerSocket;
using apache::thrift::transport::TSocket;

class EchoHandler final : public thrift_echo::EchoIf {
  void call(std::string& reply, const std::string& payload) override { reply = payload; }
};

// Flushes when it is told to, rather than behind each call.
class BatchedTransport final : public TBufferedTransport {
 public:
  using TBufferedTransport::TBufferedTransport;
  void flush() override {}
  void FlushBatch() { TBufferedTransport::flush(); }
};

class ReadyServer final : public apache::thrift::server::TServerEventHandler {
 public:
  explicit ReadyServer(const std::function<void()>& ready) : ready_(ready) {}
  void preServe() override { ready_(); }

 private:
  const std::function<void()>& ready_;
};

class ThriftPair final : public Pair {
 public:
  void Serve(const std::string& path, const std::function<void()>& ready) override {
    apache::thrift::server::TThreadedServer server(
        std::make_shared<thrift_echo::EchoProcessor>(std::make_shared<EchoHandler>()),
        std::make_shared<TServerSocket>(path), std::make_shared<TBufferedTransportFactory>(),
        std::make_shared<TBinaryProtocolFactory>());
    server.setServerEventHandler(std::make_shared<ReadyServer>(ready));
    server.serve();
  }
  void Connect(const std::string& path) override {
    auto socket = std::make_shared<TSocket>(path);
    transport_ = std::make_shared<BatchedTransport>(socket, 1 << 16);
    client_ =
        std::make_unique<thrift_echo::EchoClient>(std::make_shared<TBinaryProtocol>(transport_));
    transport_->open();
  }
  void Run(int calls, int in_flight) override {
    std::string reply;
    for (int left = calls; left > 0;) {
      const int window = std::min(in_flight, left);
      for (int i = 0; i < window; ++i) client_->send_call(kPayload);
      transport_->FlushBatch();
      for (int i = 0; i < window; ++i) client_->recv_call(reply);
      left -= window;
    }
  }

 private:
  std::shared_ptr<BatchedTransport> transport_;
  std::unique_ptr<thrift_echo::EchoClient> client_;
};

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  ferry::bench::ThriftPair pair;
  return ferry::bench::PairMain(pair, argc, argv);
}

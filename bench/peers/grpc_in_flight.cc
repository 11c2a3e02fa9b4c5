// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// gRPC with its callback API, on both sides, over a Unix domain socket.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpc_echo.grpc.pb.h"
#include "pair.h"

namespace ferry::bench {
namespace {

class EchoService final : public grpc_echo::Echo::CallbackService {
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context,
                                 const grpc_echo::Message* request,
                                 grpc_echo::Message* reply) override {
    reply->set_payload(request->payload());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class GrpcPair final : public Pair {
 public:
  void Serve(const std::string& path, const std::function<void()>& ready) override {
    EchoService service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (server == nullptr) Fail("gRPC cannot serve");
    ready();
    server->Wait();
  }
  void Connect(const std::string& path) override {
    stub_ = grpc_echo::Echo::NewStub(
        grpc::CreateChannel("unix:" + path, grpc::InsecureChannelCredentials()));
  }
  void Run(int calls, int in_flight) override {
    to_start_ = to_end_ = calls;
    std::vector<Slot> slots(static_cast<size_t>(std::min(in_flight, calls)));
    for (Slot& slot : slots) {
      slot.request.set_payload(kPayload);
      --to_start_;
      Start(slot);
    }
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [this] { return to_end_ == 0; });
  }

 private:
  struct Slot {
    std::unique_ptr<grpc::ClientContext> context;
    grpc_echo::Message request, reply;
  };

  void Start(Slot& slot) {
    slot.context = std::make_unique<grpc::ClientContext>();
    stub_->async()->Call(slot.context.get(), &slot.request, &slot.reply,
                         [this, &slot](grpc::Status status) {
                           if (!status.ok()) Fail("gRPC: " + status.error_message());
                           if (to_start_-- > 0) Start(slot);
                           std::lock_guard<std::mutex> lock(mutex_);
                           if (--to_end_ == 0) ended_.notify_one();
                         });
  }

  std::unique_ptr<grpc_echo::Echo::Stub> stub_;
  std::atomic<int> to_start_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  int to_end_ = 0;
};

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  ferry::bench::GrpcPair pair;
  return ferry::bench::PairMain(pair, argc, argv);
}

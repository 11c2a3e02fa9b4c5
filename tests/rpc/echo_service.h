// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_ECHO_SERVICE_H_
#define FERRY_TESTS_RPC_ECHO_SERVICE_H_

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/str_replace.h"
#include "echo.ferry.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry::test {

// For INSTANTIATE_TEST_SUITE_P over schemes of addresses.
inline std::string NameOfScheme(const testing::TestParamInfo<const char*>& scheme) {
  return absl::StrReplaceAll(scheme.param, {{"-", "_"}});
}

class EchoImpl final : public EchoService {
 public:
  // Whose Block BlockElsewhere calls.
  void set_elsewhere(const Channel& channel) { elsewhere_.emplace(channel); }

  // Ends every Block and Hold, now and later.
  void LetGo() {
    internal::MutexLock lock(mutex_);
    let_go_ = true;
    changed_.NotifyAll();
  }
  int blocked() {
    internal::MutexLock lock(mutex_);
    return blocked_;
  }
  void AwaitBlocked(int count) {
    internal::MutexLock lock(mutex_);
    while (blocked_ < count) changed_.Wait(mutex_);
  }

 private:
  absl::Status Echo(ServerContext&, const EchoRequest& request, EchoReply& reply) override {
    if (request.take_us() != 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(request.take_us()));
    }
    reply.set_payload(request.payload());
    if (request.grow() != 0) reply.mutable_payload()->append(request.grow(), '+');
    reply.set_pid(getpid());
    reply.set_thread(syscall(SYS_gettid));
    internal::MutexLock lock(mutex_);
    reply.set_blocked(blocked_);
    return absl::OkStatus();
  }

  absl::Status Fail(ServerContext&, const FailRequest& request, Empty&) override {
    absl::Status status(static_cast<absl::StatusCode>(request.code()), request.message());
    if (request.has_detail()) status.SetPayload(request.detail_url(), absl::Cord(request.detail()));
    return status;
  }

  absl::Status Block(ServerContext&, const Empty&, Empty&) override { return AwaitRelease(); }
  absl::Status Hold(ServerContext&, const Empty&, Empty&) override { return AwaitRelease(); }

  absl::Status Release(ServerContext&, const Empty&, Empty&) override {
    internal::MutexLock lock(mutex_);
    ++releases_;
    changed_.NotifyAll();
    return absl::OkStatus();
  }

  absl::Status BlockElsewhere(ServerContext&, const Empty& request, Empty& reply) override {
    return elsewhere_->Block(request, &reply);
  }

  absl::Status TakeStrict(ServerContext&, const Strict&, Empty&) override {
    return absl::OkStatus();
  }
  absl::Status GiveStrict(ServerContext&, const Empty&, Strict&) override {
    return absl::OkStatus();
  }

  absl::Status AwaitRelease() {
    internal::MutexLock lock(mutex_);
    ++blocked_;
    changed_.NotifyAll();
    for (int before = releases_; releases_ == before && !let_go_;) changed_.Wait(mutex_);
    return absl::OkStatus();
  }

  std::optional<EchoStub> elsewhere_;
  internal::Mutex mutex_;
  internal::CondVar changed_;
  int releases_ ABSL_GUARDED_BY(mutex_) = 0;
  bool let_go_ ABSL_GUARDED_BY(mutex_) = false;
  int blocked_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Waits for somebody to serve the address.
inline Channel ConnectWhenServed(const std::string& address, const ChannelOptions& options = {}) {
  for (;;) {
    absl::StatusOr<Channel> channel = ferry::Connect(address, options);
    if (channel.ok()) return *std::move(channel);
    EXPECT_EQ(channel.status().code(), absl::StatusCode::kUnavailable) << channel.status();
    std::this_thread::yield();
  }
}

// A server of one EchoImpl at an address of this process.
class EchoServer {
 public:
  explicit EchoServer(std::string address, const ServerOptions& options = {})
      : address_(std::move(address)), server_(options) {
    server_.Register(service);
    thread_ = std::thread([this] { served_ = server_.Serve(address_); });
  }
  ~EchoServer() {
    service.LetGo();
    server_.Shutdown();
    thread_.join();
    EXPECT_TRUE(served_.ok()) << served_;
  }

  // Waits for the server to listen.
  Channel Connect(const ChannelOptions& options = {}) {
    return ConnectWhenServed(address_, options);
  }

  EchoImpl service;

 private:
  const std::string address_;
  Server server_;
  std::thread thread_;
  absl::Status served_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_ECHO_SERVICE_H_

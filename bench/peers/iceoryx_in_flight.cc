// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// iceoryx: requests and responses in shared memory, both ends in a WaitSet, beside its daemon, of
// which there can be only one, and whose CPU time is not counted. Nothing is serialized; a client
// has at most 16 calls under way.

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "iceoryx_posh/popo/client.hpp"
#include "iceoryx_posh/popo/server.hpp"
#include "iceoryx_posh/popo/wait_set.hpp"
#include "iceoryx_posh/roudi/iceoryx_roudi_app.hpp"
#include "iceoryx_posh/runtime/posh_runtime.hpp"
#include "pair.h"

namespace ferry::bench {
namespace {

using Message = std::array<char, sizeof kPayload - 1>;
const iox::capro::ServiceDescription kService{"ferry", "bench", "echo"};

constexpr char kClient[] = "ferry-bench-client";
constexpr char kServer[] = "ferry-bench-server";

// That of its shared memory, too.
std::string GroupName() {
  return iox::posix::PosixGroup::getGroupOfCurrentProcess().getName().c_str();
}

void RunDaemon() {
  if (std::freopen("/dev/null", "w", stdout) == nullptr) return;
  if (std::freopen("/dev/null", "w", stderr) == nullptr) return;
  iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kOff,
                                                           iox::log::LogLevelOutput::kHideLogLevel);
  iox::RouDiConfig_t config;
  iox::mepoo::MePooConfig pools;
  pools.addMemPool({128, 10000});
  auto group = iox::posix::PosixGroup::getGroupOfCurrentProcess().getName();
  config.m_sharedMemorySegments.push_back({group, group, pools});
  iox::config::CmdLineArgs_t arguments;
  arguments.monitoringMode = iox::roudi::MonitoringMode::OFF;
  iox::roudi::IceOryxRouDiApp(arguments, config).run();
}

class IceoryxPair final : public Pair {
 public:
  IceoryxPair() {
    const pid_t parent = getpid();
    daemon_ = fork();
    if (daemon_ < 0) Fail("no process to be had");
    if (daemon_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent) RunDaemon();
    _exit(0);
  }

  void Serve(const std::string&, const std::function<void()>& ready) override {
    StartRuntime(kServer);
    iox::popo::ServerOptions options;
    options.requestQueueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    options.clientTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    iox::popo::Server<Message, Message> server(kService, options);
    iox::popo::WaitSet<> set;
    if (set.attachState(server, iox::popo::ServerState::HAS_REQUEST).has_error()) Fail("no set");
    ready();
    for (;;) {
      set.wait();
      while (server.take().and_then([&](const auto& request) {
        server.loan(request)
            .and_then([&](auto& response) {
              *response = *request;
              response.send().or_else([](auto&) { Fail("iceoryx sent no response"); });
            })
            .or_else([](auto&) { Fail("iceoryx has no response"); });
      })) {
      }
    }
  }

  void Connect(const std::string&) override {
    StartRuntime(kClient);
    iox::popo::ClientOptions options;
    options.responseQueueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    options.serverTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    client_ = std::make_unique<iox::popo::Client<Message, Message>>(kService, options);
    set_ = std::make_unique<iox::popo::WaitSet<>>();
    if (set_->attachState(*client_, iox::popo::ClientState::HAS_RESPONSE).has_error()) {
      Fail("no set");
    }
    while (client_->getConnectionState() != iox::ConnectionState::CONNECTED) usleep(1000);
  }

  void Run(int calls, int in_flight) override {
    int to_start = calls, to_end = calls;
    for (int i = std::min(in_flight, calls); i > 0; --i) Send(), --to_start;
    while (to_end > 0) {
      set_->wait();
      while (client_->take().and_then([&](const auto&) {
        --to_end;
        if (to_start > 0) Send(), --to_start;
      })) {
      }
    }
  }
  int most_in_flight() const override { return 16; }

  // It would abort, rather than end, as its clients have gone, and leaves what it has made.
  void End() override {
    kill(daemon_, SIGKILL);
    waitpid(daemon_, nullptr, 0);
    for (const std::string& name : {std::string("iceoryx_mgmt"), GroupName()}) {
      shm_unlink(("/" + name).c_str());
    }
    for (const char* name : {"roudi", "roudi.lock", kClient, kServer, "iox-unique-roudi.lock"}) {
      std::filesystem::remove(std::filesystem::path("/tmp") / name);
      std::filesystem::remove(std::filesystem::path("/tmp") / (std::string(name) + ".lock"));
    }
  }

 private:
  static void StartRuntime(const char* name) {
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
        iox::log::LogLevel::kOff, iox::log::LogLevelOutput::kHideLogLevel);
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name));
  }

  void Send() {
    client_->loan()
        .and_then([](auto& request) {
          std::memcpy(request->data(), kPayload, request->size());
          request.send().or_else([](auto&) { Fail("iceoryx sent no request"); });
        })
        .or_else([](auto&) { Fail("iceoryx has no request"); });
  }

  pid_t daemon_;
  std::unique_ptr<iox::popo::Client<Message, Message>> client_;
  std::unique_ptr<iox::popo::WaitSet<>> set_;
};

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  ferry::bench::IceoryxPair pair;
  return ferry::bench::PairMain(pair, argc, argv);
}

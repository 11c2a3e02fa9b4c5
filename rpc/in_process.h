// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// InProcess: services and a channel to them in one process, such as a test and its mocks.
//
//   harbour::MockBoatService boat;  // generate_mocks=true
//   absl::StatusOr<std::unique_ptr<ferry::InProcess>> served = ferry::InProcess::Serve({&boat});
//   harbour::BoatStub stub((*served)->channel());

#ifndef FERRY_RPC_IN_PROCESS_H_
#define FERRY_RPC_IN_PROCESS_H_

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/server.h"
#include "ferry/rpc/service.h"

namespace ferry {

// All that goes between two processes goes on here: messages are serialized, handlers run on
// threads of the server, deadlines and limits hold. Thread contract: thread-safe.
class InProcess {
 public:
  // The services outlive it. Returns: what Server::Listen, Server::Serve and Connect do.
  static absl::StatusOr<std::unique_ptr<InProcess>> Serve(const std::vector<Service*>& services,
                                                          const ServerOptions& server = {},
                                                          const ChannelOptions& channel = {});
  // Returns when no handler runs any more. Calls in progress end with UNAVAILABLE, on copies of the
  // channel, too.
  ~InProcess();
  InProcess(const InProcess&) = delete;
  InProcess& operator=(const InProcess&) = delete;

  const Channel& channel() const { return *channel_; }

 private:
  explicit InProcess(const ServerOptions& options) : server_(options) {}

  Server server_;
  std::thread serving_;
  absl::Status served_;  // of the thread, until it is joined
  std::optional<Channel> channel_;
};

}  // namespace ferry

#endif  // FERRY_RPC_IN_PROCESS_H_

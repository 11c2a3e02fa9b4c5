// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/in_process.h"

#include <atomic>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/thread.h"

namespace ferry {

absl::StatusOr<std::unique_ptr<InProcess>> InProcess::Serve(const std::vector<Service*>& services,
                                                            const ServerOptions& server,
                                                            const ChannelOptions& channel) {
  static std::atomic<int> last_number{0};
  std::string address = absl::StrCat("inproc:InProcess/", ++last_number);
  std::unique_ptr<InProcess> made(new InProcess(server));
  for (Service* service : services) made->server_.Register(*service);
  if (absl::Status listens = made->server_.Listen(address); !listens.ok()) return listens;
  absl::StatusOr<std::thread> thread =
      internal::StartThread([made = made.get()] { made->served_ = made->server_.Serve(); });
  if (!thread.ok()) return thread.status();
  made->serving_ = *std::move(thread);
  absl::StatusOr<Channel> connected = Connect(address, channel);
  if (connected.ok()) {
    made->channel_.emplace(*std::move(connected));
    return made;
  }
  made->server_.Shutdown();
  made->serving_.join();
  return made->served_.ok() ? connected.status() : made->served_;
}

InProcess::~InProcess() {
  channel_.reset();
  server_.Shutdown();
  if (serving_.joinable()) serving_.join();
}

}  // namespace ferry

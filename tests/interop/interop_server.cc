// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// interop_server [ADDRESS…]: serves the interop cases, until SIGTERM or SIGINT.

#include <csignal>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "ferry/rpc/server.h"
#include "interop_service.h"

namespace {

ferry::Server* server_to_end = nullptr;

void EndServer(int /*signal*/) { server_to_end->Shutdown(); }

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("serves the interop cases: interop_server [ADDRESS…], or parent:");
  std::vector<char*> addresses = absl::ParseCommandLine(argc, argv);
  addresses.erase(addresses.begin());

  ferry::interop::InteropService service;
  ferry::Server server;
  server.Register(service);
  server_to_end = &server;
  std::signal(SIGTERM, EndServer);
  std::signal(SIGINT, EndServer);
  if (addresses.empty()) return ferry::ExitCode(server.Serve("parent:"));
  absl::Status status;
  for (const char* address : addresses) {
    if (status.ok()) status = server.Listen(address);
  }
  return ferry::ExitCode(status.ok() ? server.Serve() : status);
}

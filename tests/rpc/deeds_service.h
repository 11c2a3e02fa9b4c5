// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_DEEDS_SERVICE_H_
#define FERRY_TESTS_RPC_DEEDS_SERVICE_H_

#include "deeds.ferry.h"
#include "ferry/rpc/spawn.h"

namespace ferry::test {

class DeedsImpl final : public DeedsService {
  absl::Status Look(ServerContext&, const Nothing&, World& world) override;
  absl::Status ReadDescriptor(ServerContext&, const Number& fd, Text& text) override;
  absl::Status ExitWithCode(ServerContext&, const Number& code, Nothing&) override;
  absl::Status Raise(ServerContext&, const Number& signal, Nothing&) override;
  absl::Status CloseEverything(ServerContext&, const Nothing&, Nothing&) override;
  absl::Status Exec(ServerContext&, const Text& program, Nothing&) override;
  absl::Status Print(ServerContext&, const Text& text, Nothing&) override;
  absl::Status Complain(ServerContext&, const Text& text, Nothing&) override;
  absl::Status Flood(ServerContext&, const Number& lines, Nothing&) override;
  absl::Status Fork(ServerContext&, const Nothing&, Number& pid) override;
  absl::Status CloneRaw(ServerContext&, const Nothing&, Number& pid) override;
  absl::Status Hang(ServerContext&, const Nothing&, Nothing&) override;
  absl::Status HangAside(ServerContext&, const Nothing&, Nothing&) override;
};

// Serves it at an address until the peer goes; for the end of main.
int ServeDeeds(const char* address);

// A child of this program that serves it at `parent:`, and ends by itself or not at all.
ChildOptions DeedsChild();

// "exec:" of it, to which parameters such as "&stderr=null" can be appended.
std::string DeedsAddress();

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_DEEDS_SERVICE_H_

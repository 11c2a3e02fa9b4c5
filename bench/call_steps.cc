// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// call_steps [--part=PART] [--calls=N]: both ends of N unary calls on one thread, over
// two pipes; for count_instructions.sh, which counts the instructions of a PART:
//   call      everything
//   protobuf  what protobuf does for the same messages, and the handler
//   switches  the changes between the two ends, which are this program's own

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "echo_service.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/sole_lane.h"
#include "ferry/rpc/server.h"
#include "ferry/transport/stream_transport.h"
#include "fiber.h"
#include "stepped_transport.h"

ABSL_FLAG(std::string, part, "call", "call, protobuf or switches");
ABSL_FLAG(int, calls, 1000, "how often");

namespace ferry::bench {
namespace {

// Stands in, while the client's end runs, for the leadership of the server's end, which
// is the same thread but has nothing to do with the client's calls.
class NoLeadership final : public internal::Leadership {
  void PassOn() override {}
};

// The server's end, on its own stack.
class ServerEnd {
 public:
  explicit ServerEnd(std::function<void()> body) : fiber_(std::move(body)) {}

  void Run() {
    no_leadership_.reset();
    fiber_.SwitchIn();
    no_leadership_.emplace();
  }
  void RunClient() { fiber_.SwitchOut(); }

 private:
  Fiber fiber_;
  std::optional<NoLeadership> no_leadership_;
};

absl::StatusOr<std::unique_ptr<StreamTransport>> MakeEnd(int read_fd, int write_fd) {
  return StreamTransport::Create(internal::UniqueFd(read_fd), internal::UniqueFd(write_fd),
                                 internal::WriteEnd::Sharing::kOurs, {"the other end", -1},
                                 nullptr);
}

absl::Status RunCalls(int calls, const EchoMessage& request) {
  int forth[2];
  int back[2];
  if (pipe2(forth, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "pipe2");
  }
  absl::StatusOr<std::unique_ptr<StreamTransport>> near = MakeEnd(back[0], forth[1]);
  absl::StatusOr<std::unique_ptr<StreamTransport>> far = MakeEnd(forth[0], back[1]);
  if (!near.ok() || !far.ok()) return near.ok() ? far.status() : near.status();

  EchoServer echo;
  internal::ServiceRegistry registry;
  if (absl::Status added = registry.Add(echo); !added.ok()) return added;
  auto no_spare_threads = std::make_shared<internal::WorkerPool>(0);
  internal::Supervisor nobody_supervises;
  std::shared_ptr<internal::SoleLane> lane;
  ServerEnd server([&] { lane->LeadFirst(); });
  lane = internal::SoleLane::Create(
      no_spare_threads, nobody_supervises,
      std::make_shared<internal::Session>(
          std::make_unique<SteppedTransport>(*std::move(far), [&] { server.RunClient(); }),
          kDefaultMaxMessage, registry));

  absl::Status status;
  {
    absl::StatusOr<Channel> channel = internal::OpenChannel(
        std::make_unique<SteppedTransport>(*std::move(near), [&] { server.Run(); }), {},
        kNoDeadline);
    if (!channel.ok()) return channel.status();
    EchoStub stub(*std::move(channel));
    EchoMessage reply;
    for (int i = 0; i < calls && status.ok(); ++i) status = stub.Echo(request, &reply);
  }
  server.Run();  // sees the end
  return status;
}

// As a Connection does it.
absl::Status Carry(const EchoMessage& from, EchoMessage& to) {
  static char wire[64];
  size_t size = from.ByteSizeLong();
  if (size > sizeof(wire) || !from.IsInitialized()) return absl::InvalidArgumentError("");
  from.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(wire));
  if (!to.ParsePartialFromArray(wire, static_cast<int>(size)) || !to.IsInitialized()) {
    return absl::InternalError("cannot be parsed");
  }
  return absl::OkStatus();
}

absl::Status RunProtobuf(int calls, const EchoMessage& request) {
  EchoMessage final_reply;
  absl::Status status;
  for (int i = 0; i < calls && status.ok(); ++i) {
    EchoMessage received;
    status = Carry(request, received);
    EchoMessage reply;
    reply.set_payload(received.payload());
    if (status.ok()) status = Carry(reply, final_reply);
  }
  return status;
}

absl::Status RunSwitches(int calls) {
  std::function<void()> run_client;
  ServerEnd server([&] {
    for (;;) run_client();
  });
  run_client = [&] { server.RunClient(); };
  std::function<void()> run_server = [&] { server.Run(); };
  for (int i = 0; i < calls; ++i) run_server();
  return absl::OkStatus();
}

absl::Status Run() {
  std::string part = absl::GetFlag(FLAGS_part);
  int calls = absl::GetFlag(FLAGS_calls);
  EchoMessage request;
  request.set_payload(std::string(32, 'x'));
  if (part == "call") return RunCalls(calls, request);
  if (part == "protobuf") return RunProtobuf(calls, request);
  if (part == "switches") return RunSwitches(calls);
  return absl::InvalidArgumentError("--part is call, protobuf or switches");
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("makes calls with both ends on one thread");
  absl::ParseCommandLine(argc, argv);
  return ferry::ExitCode(ferry::bench::Run());
}

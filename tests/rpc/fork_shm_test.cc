// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// fork() by a program that has connections over shared memory: the forked process has the
// rings mapped, too, and is not to write into them.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/connection.h"
#include "ferry/transport/shm_transport.h"
#include "tests/rpc/echo_service.h"

namespace ferry::test {
namespace {

using internal::Connection;
using Step = Connection::Step;

constexpr int kSlots = 128;  // of a ring of the usual size

bool InForkedProcess(const std::function<bool()>& check) {
  pid_t forked = fork();
  if (forked == 0) _exit(check() ? 0 : 1);
  int status = -1;
  EXPECT_EQ(waitpid(forked, &status, 0), forked);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class ForkShmTest : public testing::Test, private internal::RequestSink {
 protected:
  ForkShmTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    client_ = Connect(ends[0], Connection::Side::kConnected, nullptr);
    server_ = Connect(ends[1], Connection::Side::kAccepted, this);
    EXPECT_TRUE(server_->AwaitHello(kNoDeadline).ok());
    EXPECT_TRUE(client_->AwaitHello(kNoDeadline).ok());
  }

  // From the client, behind the back of its connection.
  void Send(FrameType type, CallId call = {}) {
    FrameHeader header;
    header.type = type;
    header.call = call;
    Reservation reservation;
    ASSERT_EQ(client_->transport().Reserve(header, 0, reservation), ReserveResult::kOk);
    client_->transport().Commit(reservation);
    client_->transport().Flush(Deadline::min());
  }
  // How many frames have come back since the last time.
  int Returned(FrameType type) {
    int count = 0;
    Frame frame;
    while (client_->transport().TryRead(frame) == ReadResult::kFrame) {
      EXPECT_EQ(frame.header.type, type);
      client_->transport().Release();
      ++count;
    }
    return count;
  }

  std::unique_ptr<Connection> client_;
  std::unique_ptr<Connection> server_;
  CallId requested_;  // by the client
  Empty empty_;

 private:
  static std::unique_ptr<Connection> Connect(int socket, Connection::Side side,
                                             internal::RequestSink* sink) {
    auto outgoing = ShmTransport::MakeOutgoing({});
    EXPECT_TRUE(outgoing.ok()) << outgoing.status();
    auto transport = ShmTransport::Create(internal::UniqueFd(socket), *std::move(outgoing), {},
                                          {"the other end"}, nullptr);
    EXPECT_TRUE(transport.ok()) << transport.status();
    return std::make_unique<Connection>(*std::move(transport), side, internal::ConnectionOptions(),
                                        sink);
  }

  absl::Status OnRequest(const FrameHeader& header, internal::Body& body, Metadata*,
                         uint32_t) override {
    requested_ = header.call;
    body.Release();
    return absl::OkStatus();
  }
  void OnMessage(const FrameHeader&, internal::Body&) override {}
  void OnTooLarge(CallId, const absl::Status&) override {}
  void OnStreamCredit(CallId, uint32_t) override {}
  void OnCancel(CallId) override {}
  void OnGreeted(uint64_t) override {}
  void OnRefused(const absl::Status&) override {}
};

// It would answer in slots that the parent takes for its own, and release what the parent
// has not read.
TEST_F(ForkShmTest, AForkedProcessTakesNoPingsFromItsParent) {
  for (int i = 0; i < kSlots; ++i) Send(FrameType::kPing);
  EXPECT_TRUE(InForkedProcess([this] {
    int handled = 0;
    while (handled < kSlots && server_->HandleNext() == Step::kHandled) ++handled;
    return handled == 0;
  }));
  EXPECT_EQ(Returned(FrameType::kPing), 0);
  for (int i = 0; i < kSlots; ++i) Send(FrameType::kPing);  // in slots that were released
  int returned = 0;
  for (int rounds = 0; returned < 2 * kSlots && rounds < 10 * kSlots; ++rounds) {
    while (server_->HandleNext() == Step::kHandled) {
    }
    server_->TakeIn();
    returned += Returned(FrameType::kPing);
    client_->TakeIn();
  }
  EXPECT_EQ(returned, 2 * kSlots);
  EXPECT_TRUE(server_->close_reason().ok()) << server_->close_reason();
}

TEST_F(ForkShmTest, AForkedProcessSaysNothingForItsParent) {
  Send(FrameType::kRequest, CallId::Make(0, 0, 1));
  ASSERT_EQ(server_->HandleNext(), Step::kHandled);
  EXPECT_TRUE(InForkedProcess([this] {
    server_->Reply(requested_, absl::OkStatus(), &empty_, 0);
    server_->ReplyError(requested_, absl::InternalError("forked"), 0);
    server_->GiveCredit(1);
    server_->SendGoAway(absl::OkStatus());
    server_->Close(absl::CancelledError("forked"));
    return true;
  }));
  EXPECT_EQ(Returned(FrameType::kReply), 0);
  server_->Reply(requested_, absl::OkStatus(), &empty_, 0);
  EXPECT_EQ(Returned(FrameType::kReply), 1);
}

// Its Echo forks when told to: into a process that returns from it, too.
class ForkingService final : public EchoService {
 public:
  std::atomic<pid_t> forked{0};

 private:
  absl::Status Echo(ServerContext&, const EchoRequest& request, EchoReply& reply) override {
    if (request.grow() != 0) {
      pid_t pid = fork();
      if (pid != 0) forked = pid;
    }
    reply.set_pid(getpid());
    return absl::OkStatus();
  }
};

TEST(ForkInHandlerTest, WhoReturnsFromItsParentsHandlerDisturbsNoCall) {
  ForkingService service;
  Server server;
  server.Register(service);
  std::string address = absl::StrCat("shm:ferry-fork-", getpid());
  std::thread serving([&] { EXPECT_TRUE(server.Serve(address).ok()); });
  Channel channel = ConnectWhenServed(address);
  EchoStub stub(channel);
  EchoRequest request;
  request.set_grow(1);
  for (int i = 0; i < 2000; ++i) {
    absl::StatusOr<EchoReply> reply = stub.Echo(request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->pid(), getpid());
    request.set_grow(0);
  }
  kill(service.forked, SIGKILL);  // if it has not ended by itself
  EXPECT_EQ(waitpid(service.forked, nullptr, 0), service.forked);
  channel.Close();
  server.Shutdown();
  serving.join();
}

}  // namespace
}  // namespace ferry::test

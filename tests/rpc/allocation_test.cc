// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A unary call with a reused reply allocates nothing beyond what protobuf does.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "ferry/rpc/spawn.h"
#include "tests/rpc/echo_service.h"
#include "tests/support/child_body.h"

namespace {

std::atomic<int64_t> allocations{0};

}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace ferry::test {
namespace {

// Echoes numbers only, whose messages need no memory, and how much was allocated so far.
class Counter final : public EchoService {
  absl::Status Echo(ServerContext&, const EchoRequest& request, EchoReply& reply) override {
    reply.set_pid(request.grow());
    reply.set_thread(allocations.load());
    return absl::OkStatus();
  }
};

CHILD_BODY(Counts) {
  Counter service;
  Server server;
  server.Register(service);
  return ExitCode(server.Serve("parent:"));
}

TEST(AllocationTest, NeitherSideOfACallAllocates) {
  absl::StatusOr<Channel> channel = Connect(ChildAddress("Counts"));
  ASSERT_TRUE(channel.ok()) << channel.status();
  EchoStub stub(*channel);
  EchoRequest request;
  request.set_grow(5);
  EchoReply reply;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(stub.Echo(request, &reply).ok());

  // A handler that loses the CPU for long is taken for a slow one, which costs a hand-over,
  // but that does not happen in every round.
  constexpr int kRounds = 20;
  int rounds_with_allocations = 0;
  for (int round = 0; round < kRounds; ++round) {
    int64_t there = reply.thread();
    int64_t here = allocations.load();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(stub.Echo(request, &reply).ok());
    if (allocations.load() != here || reply.thread() != there) ++rounds_with_allocations;
  }
  EXPECT_LT(rounds_with_allocations, kRounds);
}

// Nor does one that no thread waits for, whose callback is small.
TEST(AllocationTest, AnAsynchronousCallAllocatesNothingHere) {
  ChannelOptions options;
  options.async = true;
  absl::StatusOr<Channel> channel = Connect(ChildAddress("Counts"), options);
  ASSERT_TRUE(channel.ok()) << channel.status();
  EchoStub stub(*channel);
  EchoRequest request;
  request.set_grow(5);
  EchoReply reply;
  std::atomic<int> done{0};
  auto call = [&](int calls) {
    for (int i = 0; i < calls; ++i) {
      int before = done;
      stub.Echo(request, &reply, [&done](absl::Status status) {
        EXPECT_TRUE(status.ok()) << status;
        ++done;
      });
      while (done == before) std::this_thread::yield();
    }
  };
  call(10);
  constexpr int kRounds = 20;
  int rounds_with_allocations = 0;
  for (int round = 0; round < kRounds; ++round) {
    int64_t here = allocations.load();
    call(50);
    if (allocations.load() != here) ++rounds_with_allocations;
  }
  EXPECT_LT(rounds_with_allocations, kRounds);
}

TEST(AllocationTest, TheCounterCounts) {
  int64_t before = allocations.load();
  ::operator delete(::operator new(1));
  EXPECT_GT(allocations.load(), before);
}

}  // namespace
}  // namespace ferry::test

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "calls.h"
#include "cases.h"

namespace ferry::interop {
namespace {

// More than either side takes at once.
constexpr int kMany = 64;
constexpr int kLarge = 64 * 1024;

// No two are alike, so that their order shows.
std::vector<int> LargeSizes() {
  std::vector<int> sizes;
  for (int i = 0; i < kMany; ++i) sizes.push_back(kLarge - i);
  return sizes;
}

void ConcurrentLargeUnary(CaseRun& run) {
  constexpr int kThreads = 32;
  std::atomic<int> left{1000};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&run, &left] {
      while (left.fetch_sub(1) > 0) CallLarge(run, run.stub());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void RpcSoak(CaseRun& run) {
  for (int i = 0; i < 100; ++i) CallLarge(run, run.stub());
}

void ChannelSoak(CaseRun& run) {
  for (int i = 0; i < 20; ++i) {
    const absl::StatusOr<Channel> channel = ConnectTo(run.address());
    if (!run.ExpectOk("Connect", channel.status())) return;
    CallLarge(run, TestServiceStub(*channel));
  }
}

void ReadLate(CaseRun& run) {
  const std::vector<int> sizes = LargeSizes();
  auto replies = run.stub().StreamingOutputCall(AskingFor(sizes));
  absl::SleepFor(absl::Milliseconds(200));
  ExpectResponsesAndEnd(run, replies, sizes);
}

// The server rests before its first response, and reads nothing meanwhile.
void WriteToOneWhoReadsLate(CaseRun& run) {
  const std::vector<int> sizes = LargeSizes();
  auto stream = run.stub().FullDuplexCall();
  std::thread writer([&run, &stream, &sizes] {
    for (int size : sizes) {
      StreamingOutputCallRequest request = AskingFor({size}, kLarge);
      const bool is_first = size == sizes.front();
      if (is_first) request.mutable_response_parameters(0)->set_interval_us(200'000);
      if (!run.ExpectEqual("Write", true, stream.Write(request))) return;
    }
    run.ExpectEqual("WritesDone", true, stream.WritesDone());
  });
  for (int size : sizes) {
    if (ExpectResponse(run, stream, size)) continue;
    stream.Cancel();  // or the writer might wait for ever
    break;
  }
  writer.join();
  ExpectResponsesAndEnd(run, stream, {});
}

void SlowReceiver(CaseRun& run) {
  ReadLate(run);
  WriteToOneWhoReadsLate(run);
}

void UnreadStreamStallsNobody(CaseRun& run) {
  const std::vector<int> sizes = LargeSizes();
  auto unread = run.stub().StreamingOutputCall(AskingFor(sizes));
  for (int i = 0; i < 100; ++i) CallLarge(run, run.stub());
  ExpectResponsesAndEnd(run, unread, sizes);
}

}  // namespace

std::vector<Case> LoadCases() {
  return {{"concurrent_large_unary", ConcurrentLargeUnary},
          {"rpc_soak", RpcSoak},
          {"channel_soak", ChannelSoak},
          {"slow_receiver", SlowReceiver},
          {"unread_stream_stalls_nobody", UnreadStreamStallsNobody}};
}

}  // namespace ferry::interop

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "measure.h"

#include <thread>

#include "machine.h"

namespace ferry::bench {
namespace {

using Clock = std::chrono::steady_clock;

int64_t Nanoseconds(Clock::duration duration) { return std::chrono::nanoseconds(duration).count(); }

absl::Status TimeOne(EchoClient& client, Samples& samples) {
  Clock::time_point begin = Clock::now();
  absl::Status status = client.RoundTrip();
  samples.Add(Nanoseconds(Clock::now() - begin));
  return status;
}

// Adds `sign` times the CPU time that the peer has used so far.
absl::Status AddPeerCpuTime(EchoClient& client, int sign, Measurement& into) {
  absl::StatusOr<int64_t> time = client.PeerCpuTime();
  if (!time.ok()) return time.status();
  into.cpu_ns += sign * *time;
  return absl::OkStatus();
}

// The peer's CPU time is read around each block, as several clients may share a peer.
absl::Status RunBlock(EchoClient& client, int block, Measurement& into) {
  absl::Status status = AddPeerCpuTime(client, -1, into);
  int64_t cpu_begin = ProcessCpuTime();
  if (status.ok()) status = client.BeginBlock();
  if (status.ok()) status = client.RoundTrip();
  for (int i = 0; i < block && status.ok(); ++i) status = TimeOne(client, into.samples);
  if (status.ok()) status = client.EndBlock();
  into.calls += block + 1;
  into.cpu_ns += ProcessCpuTime() - cpu_begin;
  if (status.ok()) status = AddPeerCpuTime(client, 1, into);
  return status;
}

}  // namespace

absl::StatusOr<std::vector<Measurement>> MeasureInTurns(absl::Span<EchoClient* const> clients,
                                                        int block, std::chrono::seconds duration) {
  std::vector<Measurement> measured(clients.size());
  for (Clock::time_point end = Clock::now() + duration; Clock::now() < end;) {
    for (size_t i = 0; i < clients.size(); ++i) {
      absl::Status status = RunBlock(*clients[i], block, measured[i]);
      if (!status.ok()) return status;
    }
  }
  for (Measurement& one : measured) one.elapsed_ns = one.samples.Total();
  return measured;
}

absl::StatusOr<Measurement> MeasureTogether(absl::Span<EchoClient* const> clients,
                                            std::chrono::seconds duration) {
  std::vector<Samples> samples(clients.size());
  std::vector<absl::Status> results(clients.size());
  Measurement all;
  absl::Status status = AddPeerCpuTime(*clients[0], -1, all);
  if (!status.ok()) return status;

  int64_t cpu_begin = ProcessCpuTime();
  Clock::time_point begin = Clock::now();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] {
      while (results[i].ok() && Clock::now() < begin + duration) {
        results[i] = TimeOne(*clients[i], samples[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  all.elapsed_ns = Nanoseconds(Clock::now() - begin);
  all.cpu_ns += ProcessCpuTime() - cpu_begin;

  status = AddPeerCpuTime(*clients[0], 1, all);
  if (!status.ok()) return status;
  for (size_t i = 0; i < clients.size(); ++i) {
    if (!results[i].ok()) return results[i];
    all.samples.AddAll(samples[i]);
  }
  all.calls = static_cast<int64_t>(all.samples.size());
  return all;
}

}  // namespace ferry::bench

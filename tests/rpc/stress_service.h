// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_STRESS_SERVICE_H_
#define FERRY_TESTS_RPC_STRESS_SERVICE_H_

#include <atomic>
#include <memory>
#include <string>

#include "ferry/transport/internal/mutex.h"
#include "stress.ferry.h"

namespace ferry::test {

// Does what the deed of a call's first message says, and watches that ferry does what it
// promises to handlers. Thread-safe.
class StressImpl final : public StressService {
 private:
  class Running;

  absl::Status One(ServerContext& context, const Piece& request, Piece& reply) override;
  absl::Status OneBlocking(ServerContext& context, const Piece& request, Piece& reply) override;
  absl::Status Down(ServerContext& context, const Piece& request,
                    ServerWriter<Piece>& replies) override;
  absl::Status Up(ServerContext& context, ServerReader<Piece>& requests, Piece& reply) override;
  absl::Status Both(ServerContext& context, ServerReaderWriter<Piece, Piece>& stream) override;
  absl::Status Note(ServerContext& context, const Piece& request) override;
  absl::Status Release(ServerContext& context, const Piece& request, Piece& reply) override;
  absl::Status State(ServerContext& context, const Piece& request, ServiceState& state) override;

  void Violate(const std::string& what);
  void AwaitRelease(const Deed& deed);
  void CheckOrder(const Piece& piece, uint32_t index);

  std::atomic<int64_t> running_{0};
  std::atomic<int64_t> served_{0};
  internal::Mutex mutex_;
  internal::CondVar released_;
  bool is_released_ ABSL_GUARDED_BY(mutex_) = false;
  std::string violation_ ABSL_GUARDED_BY(mutex_);
};

// Filled so that another's bytes show.
Piece MakePiece(uint32_t index, size_t size);
// What is wrong with one that came at this place of its stream; "" if nothing.
std::string ProblemOf(const Piece& piece, uint32_t index);

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_STRESS_SERVICE_H_

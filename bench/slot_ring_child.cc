// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "slot_ring_child.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "ferry_echo.h"
#include "shared_memory.h"

namespace ferry::bench {
namespace {

// As many as are fastest: a producer that runs far ahead costs fewer changes of the CPU, but
// messages must stay in the cache.
void Begin(SlotRingEnd& end, const SlotRingChild::Order& order) {
  constexpr size_t kInCache = 256 * 1024;
  uint32_t slots = SlotRing::kSlots;
  while (slots > 4 && slots * order.payload > kInCache) slots /= 2;
  end.Begin(slots, order.wait);
}

}  // namespace

bool PutStream(SlotRingEnd& end, const SlotRingChild::Order& order, const EchoMessage& message) {
  Begin(end, order);
  for (int i = 0; i < order.messages; ++i) {
    if (!end.Put(message)) return false;
  }
  return end.AwaitEmpty();
}

bool TakeStream(SlotRingEnd& end, const SlotRingChild::Order& order, EchoMessage& message) {
  Begin(end, order);
  for (int i = 0; i < order.messages; ++i) {
    if (!end.Take(message) || message.payload().size() != order.payload) return false;
  }
  end.ShowTaken();
  return true;
}

void ServeSlotRing(int in, int shared) {
  auto* ring = static_cast<SlotRing*>(MapSharedMemory(shared, sizeof(SlotRing)));
  if (ring == nullptr) return;
  SlotRingEnd end(*ring, in);
  EchoMessage message;
  bool goes_on = true;
  SlotRingChild::Order order;
  while (goes_on && read(in, &order, sizeof(order)) == sizeof(order)) {
    if (order.direction == StreamDirection::kUp) {
      goes_on = TakeStream(end, order, message);
      continue;
    }
    if (message.payload().size() != order.payload) message = FerryEcho::MakeMessage(order.payload);
    goes_on = PutStream(end, order, message);
  }
}

absl::StatusOr<std::unique_ptr<SlotRingChild>> SlotRingChild::Start() {
  absl::StatusOr<internal::UniqueFd> file = CreateSharedMemory(sizeof(SlotRing));
  if (!file.ok()) return file.status();
  absl::StatusOr<std::unique_ptr<FloorChild>> process =
      FloorChild::Start("slot-ring", "pipe", file->get());
  if (!process.ok()) return process.status();
  auto* ring = static_cast<SlotRing*>(MapSharedMemory(file->get(), sizeof(SlotRing)));
  if (ring == nullptr) return absl::ErrnoToStatus(errno, "mmap of the ring");
  return std::unique_ptr<SlotRingChild>(new SlotRingChild(*std::move(process), ring));
}

SlotRingChild::~SlotRingChild() { munmap(ring_, sizeof(SlotRing)); }

absl::Status SlotRingChild::Begin(const Order& order) {
  if (write(process_->to(), &order, sizeof(order)) == sizeof(order)) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "wake the child of the ring");
}

}  // namespace ferry::bench

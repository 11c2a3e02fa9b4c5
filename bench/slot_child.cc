// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "slot_child.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "shared_memory.h"

namespace ferry::bench {
namespace {

// Both answer whether another block may follow.

bool ServeLines(SlotEnd& end) {
  while (end.Await()) {
    end.Publish(0);
    if (end.size() == SlotEnd::kEndOfBlock) return true;
  }
  return false;
}

bool ServeMessages(SlotEnd& end) {
  EchoMessage request;
  EchoMessage reply;
  while (end.Await()) {
    if (end.size() == SlotEnd::kEndOfBlock) return end.Publish(0), true;
    if (!end.Take(request)) return false;
    reply.set_payload(request.payload());
    if (!end.Put(reply)) return false;
  }
  return false;
}

}  // namespace

void ServeSlots(int in, int shared) {
  auto* slots = static_cast<Slots*>(MapSharedMemory(shared, sizeof(Slots)));
  if (slots == nullptr) return;
  SlotEnd end(slots->request, slots->reply, in);
  bool goes_on = true;
  SlotChild::Work work;
  while (goes_on && read(in, &work, sizeof(work)) == sizeof(work)) {
    goes_on = work == SlotChild::Work::kLines ? ServeLines(end) : ServeMessages(end);
  }
}

absl::StatusOr<std::unique_ptr<SlotChild>> SlotChild::Start() {
  absl::StatusOr<internal::UniqueFd> file = CreateSharedMemory(sizeof(Slots));
  if (!file.ok()) return file.status();
  absl::StatusOr<std::unique_ptr<FloorChild>> process =
      FloorChild::Start("slots", "pipe", file->get());
  if (!process.ok()) return process.status();
  auto* slots = static_cast<Slots*>(MapSharedMemory(file->get(), sizeof(Slots)));
  if (slots == nullptr) return absl::ErrnoToStatus(errno, "mmap of the slots");
  return std::unique_ptr<SlotChild>(new SlotChild(*std::move(process), slots));
}

SlotChild::~SlotChild() { munmap(slots_, sizeof(Slots)); }

absl::Status SlotChild::BeginBlock(Work work) {
  if (write(process_->to(), &work, sizeof(work)) == sizeof(work)) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "wake the child of the slots");
}

absl::Status SlotChild::EndBlock() {
  end_.Publish(SlotEnd::kEndOfBlock);
  return end_.Await() ? absl::OkStatus() : Failed();
}

absl::Status SlotChild::Failed() {
  return absl::UnavailableError("the child of the slots has ended");
}

}  // namespace ferry::bench

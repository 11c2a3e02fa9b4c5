// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_BENCH_SLOT_CHILD_H_
#define FERRY_BENCH_SLOT_CHILD_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "floor_child.h"
#include "slot_end.h"

namespace ferry::bench {

// A child and the slots that it shares with this process. It polls during a block and
// sleeps otherwise. Thread contract: thread-compatible.
class SlotChild {
 public:
  // What it does in a block: echo messages, or answer a line with a line.
  enum class Work : char { kMessages = 'm', kLines = 'l' };

  static absl::StatusOr<std::unique_ptr<SlotChild>> Start();
  SlotChild(const SlotChild&) = delete;
  SlotChild& operator=(const SlotChild&) = delete;
  ~SlotChild();

  const FloorChild& process() const { return *process_; }
  SlotEnd& end() { return end_; }

  absl::Status BeginBlock(Work work);
  absl::Status EndBlock();

  // The error of a round trip that does not succeed.
  static absl::Status Failed();

 private:
  SlotChild(std::unique_ptr<FloorChild> process, Slots* slots)
      : process_(std::move(process)),
        slots_(slots),
        end_(slots->reply, slots->request, process_->from()) {}

  const std::unique_ptr<FloorChild> process_;
  Slots* const slots_;  // ours to unmap
  SlotEnd end_;
};

// The child: works in the slots of the file `shared` as the bytes from `in` tell, until
// `in` ends.
void ServeSlots(int in, int shared);

}  // namespace ferry::bench

#endif  // FERRY_BENCH_SLOT_CHILD_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The floor: protobuf and a ring of slots of shared memory for each direction, both ends polling.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>

#include "pair.h"
#include "slot_ring.h"

namespace ferry::bench {
namespace {

class SlotPair final : public Pair {
 public:
  SlotPair() {
    void* memory = mmap(nullptr, 2 * sizeof(SlotRing), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || pipe(from_child_) != 0) Fail("no memory or pipe to be had");
    rings_ = static_cast<SlotRing*>(memory);
  }

  void Serve(const std::string&, const std::function<void()>& ready) override {
    close(from_child_[0]);
    SlotRingEnd requests(rings_[0], STDIN_FILENO), replies(rings_[1], STDIN_FILENO);
    ready();
    for (EchoMessage message; requests.Take(message) && replies.Put(message);) {
    }
  }
  void Connect(const std::string&) override {
    close(from_child_[1]);
    requests_.emplace(rings_[0], from_child_[0]);
    replies_.emplace(rings_[1], from_child_[0]);
  }
  void Run(int calls, int in_flight) override {
    EchoMessage request, reply;
    request.set_payload(kPayload);
    int sent = 0;
    while (sent < std::min(in_flight, calls)) Put(request), ++sent;
    for (int i = 0; i < calls; ++i) {
      if (!replies_->Take(reply)) Fail("the child has ended");
      if (sent < calls) Put(request), ++sent;
    }
  }
  int most_in_flight() const override { return SlotRing::kSlots; }

 private:
  void Put(const EchoMessage& message) {
    if (!requests_->Put(message)) Fail("the child has ended");
  }

  SlotRing* rings_;
  int from_child_[2];
  std::optional<SlotRingEnd> requests_, replies_;
};

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) {
  ferry::bench::SlotPair pair;
  return ferry::bench::PairMain(pair, argc, argv);
}

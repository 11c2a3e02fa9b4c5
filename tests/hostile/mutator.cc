// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/hostile/mutator.h"

#include <algorithm>

namespace ferry::test {

using internal::RingPosition;
using internal::RingSlot;

// Next to `usual`, next to a border, or anything.
uint32_t Mutator::Odd32(uint32_t usual) {
  const uint32_t ring = peer_.geometry().ring;
  const uint32_t odd[] = {0,
                          usual,
                          usual + 1,
                          usual - 1,
                          usual + peer_.geometry().slots,
                          usual - peer_.geometry().slots,
                          peer_.geometry().max_frame(),
                          peer_.geometry().max_frame() + 1,
                          ring - 1,
                          ring,
                          ring + 63,
                          2 * ring - 1,
                          2 * ring,
                          2 * ring + 64,
                          uint32_t{1} << 31,
                          ~uint32_t{0},
                          static_cast<uint32_t>(random_()),
                          static_cast<uint32_t>(Below(random_, 2 * ring))};
  return odd[Below(random_, std::size(odd))];
}

FrameHeader Mutator::SomeHeader() {
  FrameHeader header;
  switch (Below(random_, 4)) {
    case 0:
      header.type = FrameType::kPing;
      header.method = random_();
      return header;
    case 1:
      header.type = static_cast<FrameType>(kFirstSkippableType + Below(random_, 128));
      return header;
    case 2:
      header.type = FrameType::kReply;
      break;
    default:
      header.type = FrameType::kRequest;
      header.flags = kFlagEnd;
      header.method = random_();
  }
  header.call.value = static_cast<uint32_t>(random_());
  return header;
}

std::string Mutator::SomePayload() {
  constexpr uint64_t kSizes[] = {0, 1, 36, 37, 64, 100, 1000, 4096};
  return std::string(kSizes[Below(random_, std::size(kSizes))], static_cast<char>(random_()));
}

std::atomic<uint32_t>& Mutator::Half(uint32_t slot, int index) {
  return reinterpret_cast<std::atomic<uint32_t>*>(&peer_.slot(slot))[index];
}

uint64_t Mutator::Mutate() {
  switch (Below(random_, 64)) {
    case 0:
      return BreakStamp();
    case 1:
      return BreakLength();
    case 2:
      return BreakPayloadEnd();
    case 3:
      return BreakHeader();
    case 4:
      return RingTheBell();
    case 5:
      return BreakReleased();
    case 6:
      return Flood();
    case 7:
    case 8:
      return BreakAnything();
    case 9:
    case 10:
    case 11:
    case 12:
      return BreakAbandoned();
    case 13:
    case 14:
    case 15:
      return BreakWakes();
    default:
      break;
  }
  if (Below(random_, 2) == 0) return BreakWakes() + MutateUnderTheReader();
  FrameHeader header = SomeHeader();
  std::string payload = header.type == FrameType::kPing ? "" : SomePayload();
  if (peer_.HasRoom(payload.size())) peer_.Put(header, payload);
  return 0;
}

// Of slots that the reader may be at, such things as it can take for right: lengths within
// the ring, another call, another payload.
uint64_t Mutator::MutateUnderTheReader() {
  // It tells how far it is every so many slots.
  uint32_t slot = RingPosition::Unpack(peer_.theirs().released).slot +
                  static_cast<uint32_t>(Below(random_, peer_.geometry().slots / 4));
  constexpr uint32_t kLengths[] = {37, 64, 100, 1000, 4096};
  const uint32_t ring = peer_.geometry().ring;
  switch (Below(random_, 5)) {
    case 0:
      Half(slot, 1) = kLengths[Below(random_, std::size(kLengths))];
      break;
    case 1:  // where any of these lengths can end
      Half(slot, 7) = static_cast<uint32_t>(Below(random_, 2)) * ring + 4096 +
                      static_cast<uint32_t>(Below(random_, (ring - 4096) / 64)) * 64;
      break;
    case 2:
      Half(slot, 3) = static_cast<uint32_t>(random_());
      break;
    case 3: {  // too long for a moment: that is noticed, or not, but never half
      uint32_t before = Half(slot, 1).exchange(ring);
      Half(slot, 1) = before;
      break;
    }
    default:
      peer_.ring()[Below(random_, ring)] = static_cast<char>(random_());
  }
  return 1;
}

uint64_t Mutator::BreakStamp() {
  Half(peer_.next() + static_cast<uint32_t>(Below(random_, 2)), 0) = Odd32(peer_.next() + 1);
  return 1;
}

uint64_t Mutator::BreakLength() {
  peer_.Put(SomeHeader(), "");
  Half(peer_.next() - 1, 1) = Odd32(37);
  return 1;
}

uint64_t Mutator::BreakPayloadEnd() {
  peer_.Put(SomeHeader(), SomePayload());
  RingSlot& slot = peer_.slot(peer_.next() - 1);
  Half(peer_.next() - 1, 7) = Odd32(64);
  uint32_t length = Below(random_, 2) == 0 ? 37 : peer_.geometry().max_frame();
  slot.words[0] = RingSlot::Commit(peer_.next(), length);
  return 2;
}

uint64_t Mutator::BreakHeader() {
  FrameHeader header;
  header.type = static_cast<FrameType>(random_());
  header.flags = static_cast<uint8_t>(random_() & random_());
  header.aux = static_cast<uint16_t>(random_() & random_());
  header.call.value = static_cast<uint32_t>(random_());
  header.method = random_();
  header.arg = static_cast<uint32_t>(random_());
  peer_.Put(header, SomePayload());
  return 1;
}

uint64_t Mutator::BreakAbandoned() {
  std::string payload = SomePayload();
  if (!peer_.HasRoom(payload.size())) return 0;
  FrameHeader header;  // of no type at all
  peer_.Put(Below(random_, 2) == 0 ? header : SomeHeader(), payload, RingSlot::kAbandoned);
  return 1;
}

uint64_t Mutator::OddPosition() {
  RingPosition honest = RingPosition::Unpack(peer_.control().released);
  return RingPosition{Odd32(honest.slot), Odd32(honest.byte)}.Pack();
}

uint64_t Mutator::BreakReleased() {
  uint64_t before = peer_.control().released;
  peer_.control().released = OddPosition();
  if (Below(random_, 2) == 0) peer_.control().released = before;  // as if nothing had been
  return 1;
}

uint64_t Mutator::BreakWakes() {
  peer_.control().wake_at_slot = Below(random_, 2) == 0 ? Odd32(4) : random_();
  peer_.control().wake_after_release = Below(random_, 2) == 0 ? OddPosition() : random_();
  return 2;
}

uint64_t Mutator::BreakAnything() {
  size_t words = peer_.memory().size() / sizeof(uint64_t);
  auto* all = reinterpret_cast<std::atomic<uint64_t>*>(peer_.memory().data());
  std::atomic<uint64_t>& word = all[Below(random_, words)];
  word = Below(random_, 2) == 0 ? random_() : word ^ uint64_t { 1 } << Below(random_, 64);
  return 1;
}

// More than there is room for.
uint64_t Mutator::Flood() {
  uint32_t count = peer_.geometry().slots + static_cast<uint32_t>(Below(random_, 4));
  uint32_t bits = Below(random_, 2) == 0 ? RingSlot::kAbandoned : 0;
  for (uint32_t i = 0; i < count; ++i) peer_.Put(SomeHeader(), "", bits);
  return 1;
}

uint64_t Mutator::RingTheBell() {
  std::string bytes(1 + Below(random_, 600), '\0');
  if (Below(random_, 4) == 0) bytes[Below(random_, bytes.size())] = static_cast<char>(random_());
  peer_.SendBytes(bytes.data(), bytes.size());
  return 1;
}

}  // namespace ferry::test

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/inproc_transport.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/wait_set.h"

namespace ferry {
namespace {

using internal::CondVar;
using internal::Mutex;
using internal::MutexLock;

// A message under construction; its fragments share it once it is sent.
struct Message {
  size_t memory() const { return sizeof(*this) + sizeof(FrameHeader) + size; }

  FrameHeader header;
  size_t size;
  std::unique_ptr<char[]> data;
};

struct QueuedFrame {
  FrameHeader header;
  size_t offset;
  std::shared_ptr<Message> message;
};

// What one end has received and not read yet. Thread-safe.
class Inbox {
 public:
  // While more than `limit` bytes are there, it is crowded.
  void Put(const std::shared_ptr<Message>& message, size_t limit) {
    MutexLock lock(mutex_);
    if (!close_reason_.ok() || !end_.ok()) return;
    bytes_ += message->memory();
    limit_ = limit;
    crowded_.store(bytes_ > limit_);
    FrameHeader header = message->header;
    header.length = static_cast<uint32_t>(std::min(message->size, kMaxFrame));
    if (message->size > kMaxFrame) header.flags |= kFlagMore;
    frames_.push_back({header, 0, message});
    for (size_t at = header.length; at < message->size; at += header.length) {
      header = ContinueHeader(header.call, message->size - at, kMaxFrame);
      frames_.push_back({header, at, message});
    }
    Wake();
  }

  // Nothing, but for the end, while `other` is crowded.
  ReadResult Take(QueuedFrame& frame, const Inbox& other) {
    MutexLock lock(mutex_);
    held_back_ = other.is_crowded();  // if it stops to be now, LetGo comes later
    if (!HasFrames() && !frames_.empty()) return ReadResult::kEmpty;
    if (frames_.empty()) return FindEnd() ? ReadResult::kClosed : ReadResult::kEmpty;
    frame = std::move(frames_.front());
    frames_.pop_front();
    if ((frame.header.flags & kFlagMore) == 0) bytes_ -= frame.message->memory();
    return ReadResult::kFrame;
  }

  // What was put is more than who puts it may leave here: it is to read nothing meanwhile.
  bool is_crowded() const { return crowded_.load(); }
  // Answers whether it is no more, since the last Take.
  bool Thin() {
    MutexLock lock(mutex_);
    if (!crowded_.load() || bytes_ > limit_) return false;
    crowded_.store(false);
    return true;
  }
  // The other inbox is crowded no more.
  void LetGo() {
    MutexLock lock(mutex_);
    if (std::exchange(held_back_, false)) Wake();
  }

  bool HasNews() {
    MutexLock lock(mutex_);
    return HasFrames() || !close_reason_.ok() || !end_.ok();
  }

  void Wait(const WaitOptions& options) {
    MutexLock lock(mutex_);
    while (close_reason_.ok() && end_.ok() && !HasFrames() &&
           !(options.interruptible && interrupted_) && !HasPassed(options.deadline)) {
      changed_.Wait(mutex_, options.deadline);
    }
    if (options.interruptible) interrupted_ = false;
  }

  void Interrupt() {
    MutexLock lock(mutex_);
    interrupted_ = true;
    Wake();
  }

  bool Arm() {
    MutexLock lock(mutex_);
    armed_ = !HasFrames() && !interrupted_ && close_reason_.ok() && end_.ok();
    return !armed_;
  }

  // The set must not be told any more once its transport has gone.
  void Join(WaitSet* set, uint64_t id) {
    MutexLock lock(mutex_);
    set_ = set;
    id_in_set_ = id;
  }

  // By the owner.
  void Close(const absl::Status& reason) {
    MutexLock lock(mutex_);
    frames_.clear();
    if (close_reason_.ok()) close_reason_ = reason;
    Wake();
  }

  // By the other side: it counts once all before it has been taken.
  void PutEnd(const absl::Status& reason) {
    MutexLock lock(mutex_);
    if (end_.ok()) end_ = reason;
    Wake();
  }

  bool IsClosed() {
    MutexLock lock(mutex_);
    return frames_.empty() && FindEnd();
  }

  // A copy of its own: ThreadSanitizer can't see, in a library it did not build, that two threads
  // let go of one shared status in order.
  absl::Status close_reason() {
    MutexLock lock(mutex_);
    return absl::Status(close_reason_.code(), close_reason_.message());
  }

 private:
  bool HasFrames() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !frames_.empty() && (!held_back_ || !end_.ok() || !close_reason_.ok());
  }

  // What the reader closed it with, having read the last frame, goes before.
  bool FindEnd() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (close_reason_.ok()) close_reason_ = end_;
    return !close_reason_.ok();
  }

  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    changed_.NotifyAll();
    if (std::exchange(armed_, false) && set_ != nullptr) set_->Notify(id_in_set_);
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<QueuedFrame> frames_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of messages in them
  size_t limit_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> crowded_{false};  // changed under the lock; looked at under the other's
  bool held_back_ ABSL_GUARDED_BY(mutex_) = false;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status close_reason_ ABSL_GUARDED_BY(mutex_);
  absl::Status end_ ABSL_GUARDED_BY(mutex_);  // what was put behind the last frame
  WaitSet* set_ ABSL_GUARDED_BY(mutex_) = nullptr;
  uint64_t id_in_set_ ABSL_GUARDED_BY(mutex_) = 0;
  bool armed_ ABSL_GUARDED_BY(mutex_) = false;
};

// Thread contract: that of Transport.
class InprocTransport final : public Transport {
 public:
  InprocTransport(std::shared_ptr<Inbox> own, std::shared_ptr<Inbox> other, Peer peer)
      : own_(std::move(own)), other_(std::move(other)), peer_(std::move(peer)) {
    // Who waits for a thread of its own process had better leave it the CPU.
    set_spin_limit(absl::ZeroDuration());
  }

  ~InprocTransport() override {
    own_->Join(nullptr, 0);
    Close(absl::CancelledError("the transport was destroyed"));
  }

  ReserveResult Reserve(const FrameHeader& header, size_t size, Reservation& out) override {
    if (own_->IsClosed()) return ReserveResult::kClosed;
    auto* message = new Message{header, size, std::unique_ptr<char[]>(new char[size])};
    out = {message->data.get(), size, message};
    return ReserveResult::kOk;
  }

  void Commit(Reservation& reservation) override { other_->Put(Take(reservation), max_queued()); }
  void Abandon(Reservation& reservation) override { Take(reservation); }
  void Flush(Deadline) override {}
  bool sends_at_commit() const override { return true; }
  size_t queued() const override { return 0; }

  ReadResult TryRead(Frame& frame) override {
    ReadResult result = own_->Take(current_, *other_);
    if (result == ReadResult::kFrame) {
      if (own_->is_crowded() && own_->Thin()) other_->LetGo();
      frame = {current_.header, current_.message->data.get() + current_.offset};
    }
    return result;
  }

  void Release() override { current_.message.reset(); }
  bool Poll() override { return own_->HasNews(); }
  bool polls_memory() const override { return true; }
  void Wait(const WaitOptions& options) override { own_->Wait(options); }
  void Interrupt() override { own_->Interrupt(); }
  absl::Status Join(WaitSet& set, uint64_t id) override {
    own_->Join(&set, id);
    return absl::OkStatus();
  }
  bool Arm() override { return own_->Arm(); }

  void Close(const absl::Status& reason) override {
    own_->Close(reason);
    other_->PutEnd(
        absl::UnavailableError(absl::StrCat(peer_.description, " closed the connection")));
  }

  absl::Status close_reason() const override { return own_->close_reason(); }
  const Peer& peer() const override { return peer_; }

 private:
  static std::shared_ptr<Message> Take(Reservation& reservation) {
    return std::shared_ptr<Message>(
        static_cast<Message*>(std::exchange(reservation.slot, nullptr)));
  }

  const std::shared_ptr<Inbox> own_;
  const std::shared_ptr<Inbox> other_;
  const Peer peer_;
  QueuedFrame current_;  // owned by the holder of the receiving half
};

}  // namespace

std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> CreateInprocPair(
    const std::string& name) {
  Peer peer = {absl::StrCat("the other end of inproc:", name), getpid()};
  auto a = std::make_shared<Inbox>();
  auto b = std::make_shared<Inbox>();
  return {std::make_unique<InprocTransport>(a, b, peer),
          std::make_unique<InprocTransport>(b, a, peer)};
}

}  // namespace ferry

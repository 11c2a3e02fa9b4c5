// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SENDER_H_
#define FERRY_RPC_INTERNAL_SENDER_H_

#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "absl/base/attributes.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "ferry/transport/transport.h"

namespace ferry::internal {

// Puts messages onto a transport, serialized right where it sends them from.
// Thread contract: thread-safe.
class Sender {
 public:
  Sender(Transport& transport, size_t max_message)
      : transport_(transport),
        defers_(!transport.sends_at_commit()),
        max_message_(max_message),
        limit_(max_message) {}

  // Sends `message` behind `header` on its way, as far as it goes before `deadline`.
  // Returns: INVALID_ARGUMENT — required fields are missing; RESOURCE_EXHAUSTED — the
  // message is larger than either side allows; INTERNAL — it changed meanwhile; else
  // the transport's close_reason. Nothing was sent then.
  absl::Status Send(const FrameHeader& header, const google::protobuf::MessageLite& message,
                    Deadline deadline) {
    return Send(header, message, message.ByteSizeLong(), deadline);
  }
  // `size` is what its ByteSizeLong() has just answered. kSoon: on a thread that holds a Cork, it
  // leaves with the next FlushDeferred, on any thread, so that many leave at once.
  enum class When : bool { kNow, kSoon };
  absl::Status Send(const FrameHeader& header, const google::protobuf::MessageLite& message,
                    size_t size, Deadline deadline, When when = When::kNow);
  bool has_deferred() const { return deferred_.load(std::memory_order_relaxed); }
  void FlushDeferred(Deadline deadline = kNoDeadline) {
    if (has_deferred()) FlushDeferredNow(deadline);
  }

  // Held by a thread that reads, in what it runs meanwhile: it will look whether more has come.
  class Cork {
   public:
    // `goes_on`: that this thread will still look again, and soon, whatever it runs; sequentially
    // consistent.
    Cork(Sender& sender, absl::FunctionRef<bool()> goes_on)
        : sender_(sender), goes_on_(goes_on), outer_(current_) {
      current_ = this;
    }
    ~Cork() { current_ = outer_; }
    Cork(const Cork&) = delete;
    Cork& operator=(const Cork&) = delete;

    // Before this thread waits for something else: flushes what was deferred under all of its.
    static void Release() {
      for (Cork* cork = current_; cork != nullptr; cork = cork->outer_) {
        cork->sender_.FlushDeferred();
      }
    }

   private:
    friend class Sender;
    static inline thread_local Cork* current_ = nullptr;
    Sender& sender_;
    const absl::FunctionRef<bool()> goes_on_;
    Cork* const outer_;
  };

  // Sends a frame without payload.
  void SendControl(const FrameHeader& header) { SendEmpty(header, Deadline::min()).IgnoreError(); }
  // Returns: the transport's close_reason.
  absl::Status SendEmpty(const FrameHeader& header, Deadline deadline, When when = When::kNow);

  // What Send would say of the message, but for a change meanwhile.
  absl::Status Check(const google::protobuf::MessageLite& message, size_t size) const {
    return CanBeSent(message, size) ? absl::OkStatus() : Refusal(message, size);
  }

  // The peer's hello has come.
  void set_peer_max_message(size_t bytes) {
    limit_.store(std::min(bytes, max_message_), std::memory_order_relaxed);
  }

 private:
  void Flush(Deadline deadline, When when) {
    if (when == When::kSoon && defers_ && Cork::current_ != nullptr &&
        &Cork::current_->sender_ == this) {
      // Who finds that it does not go on flushes afterwards: one of both sees the other.
      deferred_.store(true);
      if (Cork::current_->goes_on_()) return;
    }
    transport_.Flush(deadline);
  }
  void FlushDeferredNow(Deadline deadline);

  bool CanBeSent(const google::protobuf::MessageLite& message, size_t size) const {
    return size <= limit_.load(std::memory_order_relaxed) && message.IsInitialized();
  }
  // Why a message is not sent.
  absl::Status Refusal(const google::protobuf::MessageLite& message,
                       size_t size) const ABSL_ATTRIBUTE_COLD;
  absl::Status Changed(const google::protobuf::MessageLite& message,
                       Reservation& reservation) ABSL_ATTRIBUTE_COLD;

  Transport& transport_;
  const bool defers_;
  const size_t max_message_;
  // The peer's limit, if it is lower than ours.
  std::atomic<size_t> limit_;
  // Who has set it flushes at last, or another thread before.
  std::atomic<bool> deferred_{false};
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SENDER_H_

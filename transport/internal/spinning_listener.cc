// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/spinning_listener.h"

#include <utility>

#include "ferry/transport/transport.h"

namespace ferry::internal {
namespace {

// Thread contract: that of Listener.
class SpinningListener final : public Listener {
 public:
  SpinningListener(std::unique_ptr<Listener> inner, absl::Duration limit)
      : inner_(std::move(inner)), limit_(limit) {}

  absl::StatusOr<std::unique_ptr<Transport>> TryAccept() override {
    absl::StatusOr<std::unique_ptr<Transport>> accepted = inner_->TryAccept();
    if (accepted.ok() && *accepted != nullptr) (*accepted)->set_spin_limit(limit_);
    return accepted;
  }

  int wait_handle() const override { return inner_->wait_handle(); }
  bool AdmitBy(const PeerPolicy& admit) override { return inner_->AdmitBy(admit); }
  bool accepts_once() const override { return inner_->accepts_once(); }

 private:
  const std::unique_ptr<Listener> inner_;
  const absl::Duration limit_;
};

}  // namespace

std::unique_ptr<Listener> WithSpinLimit(std::unique_ptr<Listener> listener, absl::Duration limit) {
  return std::make_unique<SpinningListener>(std::move(listener), limit);
}

}  // namespace ferry::internal

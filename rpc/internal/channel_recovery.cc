// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// How a channel gets a connection: the first, and those after a loss.

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/cancel_registration.h"
#include "ferry/rpc/internal/channel_core.h"
#include "ferry/rpc/internal/channel_server.h"
#include "ferry/rpc/internal/leadership.h"
#include "ferry/rpc/internal/own_status.h"
#include "ferry/transport/internal/thread.h"

namespace ferry::internal {
namespace {

// How long the first Connect pauses before it looks again whether somebody serves.
constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

// How often a connection is looked at whose end shows nowhere else.
constexpr absl::Duration kLookForEnd = absl::Milliseconds(100);

// How long the channel's thread leaves news to who reads already.
constexpr absl::Duration kLeaveNews = absl::Milliseconds(10);

// A child is there once it is started, and who has started this process before that.
bool MayComeLater(const Address& address) {
  return address.scheme != "exec" && address.scheme != "stdio";
}

// Another attempt may do better.
bool IsPassing(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status);
}

absl::Status TooLate(const absl::Status& lost) {
  return absl::DeadlineExceededError(
      absl::StrCat("there was no connection in time: ", lost.message()));
}

}  // namespace

absl::Status ChannelCore::Connect() {
  if (absl::Status ready = ReadyServices(); !ready.ok()) return ready;
  Deadline ready = DeadlineAfter(options_.wait_for_ready);
  absl::Duration pause = kFirstPause;
  for (;;) {
    absl::StatusOr<ConnectionToPeer> made =
        ConnectTo(*address_, options_, DeadlineAfter(options_.handshake_timeout), shared_mutex_,
                  server_.get());
    if (made.ok()) {
      MutexLock lock(mutex_);
      Take(*std::move(made));
      break;
    }
    if (!absl::IsUnavailable(made.status()) || !MayComeLater(*address_)) return made.status();
    if (options_.wait_for_ready <= absl::ZeroDuration()) return made.status();
    if (HasPassed(ready)) {
      return absl::UnavailableError(absl::StrCat(made.status().message(), " (waited ",
                                                 absl::FormatDuration(options_.wait_for_ready),
                                                 " for it)"));
    }
    std::this_thread::sleep_until(std::min(ready, DeadlineAfter(pause)));
    pause = std::min(2 * pause, kLongestPause);
  }
  events_.Deliver();
  if (options_.reconnect != Reconnect::kAtOnce || !may_reconnect()) return absl::OkStatus();
  if (absl::Status opened = end_wait_.Open(); !opened.ok()) return opened;
  absl::StatusOr<std::thread> thread = StartThread([self = self()] { self->StayConnected(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

// Lets a cancelled call wait no longer.
class ChannelCore::Wakeup final : public CancelTarget {
 public:
  explicit Wakeup(ChannelCore& core) : core_(core) {}
  void OnCancel() override {
    MutexLock lock(core_.mutex_);
    core_.changed_.NotifyAll();
  }

 private:
  ChannelCore& core_;
};

void ChannelCore::RunToConnect(absl::AnyInvocable<void()> run) {
  if (server_ == nullptr || IsForked()) return run();
  server_->RunToConnect(std::move(run));
}

absl::Status ChannelCore::Recover(const Patience& patience) {
  Leadership::PassOnBeforeWait();
  Wakeup wakeup(*this);
  CancelRegistration registration;
  registration.Begin(patience.cancellation, wakeup);
  absl::Status outcome;
  {
    MutexLock lock(mutex_);
    outcome = Reconnect(patience);
  }
  registration.End();
  Reap();
  events_.Deliver();
  return outcome;
}

absl::Status ChannelCore::Reconnect(const Patience& patience) {
  const Deadline deadline = patience.deadline;
  for (;;) {
    Retire();
    if (!final_.ok()) return OwnCopy(final_);
    if (current_ != nullptr) return absl::OkStatus();
    if (!may_reconnect()) return OwnCopy(lost_);
    bool is_pausing = !HasPassed(backoff_.until());
    if (is_pausing && !is_connecting_ && !patience.waits_for_ready) return OwnCopy(lost_);
    if (HasPassed(deadline)) return TooLate(lost_);
    if (patience.cancellation != nullptr && patience.cancellation->IsCancelled()) {
      return absl::CancelledError("the caller cancelled it");
    }
    if (is_connecting_ || is_pausing) {
      changed_.Wait(mutex_, is_connecting_ ? deadline : std::min(deadline, backoff_.until()));
      continue;
    }
    absl::Status tried = Attempt(deadline);
    {
      MutexUnlock unlock(mutex_);
      events_.Deliver();
    }
    if (!tried.ok() && (!patience.waits_for_ready || !IsPassing(tried))) return tried;
  }
}

// Connects without the lock; nobody else does meanwhile.
absl::Status ChannelCore::Attempt(Deadline deadline) {
  is_connecting_ = true;
  {
    MutexUnlock unlock(mutex_);
    Reap();
    events_.Deliver();
  }
  bool has_calls = std::any_of(retired_.begin(), retired_.end(),
                               [](const Retired& retired) { return !retired.is_told_closed; });
  std::shared_ptr<ChildProcess> child = child_;
  absl::Status lost = OwnCopy(lost_);
  absl::Status may_restart;
  absl::StatusOr<ConnectionToPeer> made = absl::UnavailableError(
      absl::StrCat(lost.message(), "; another is started when its last calls have ended"));
  {
    MutexUnlock unlock(mutex_);
    bool is_busy = child != nullptr && has_calls && !child->Wait(Deadline::min()).has_value();
    if (child != nullptr && !is_busy) may_restart = MayRestart(*child, lost);
    if (may_restart.ok() && !is_busy) {
      made = ConnectTo(*address_, options_,
                       std::min(deadline, DeadlineAfter(options_.handshake_timeout)), shared_mutex_,
                       server_.get());
      // That a call was in a hurry says nothing of the child.
      if (child != nullptr && !made.ok() && HasPassed(deadline)) restarts_.TakeBack();
    }
  }
  is_connecting_ = false;
  changed_.NotifyAll();
  if (!may_restart.ok()) {
    if (final_.ok()) final_ = may_restart;
    events_.Push(ferry::Event::Type::kConnectFailed, peer_, final_, absl::InfiniteDuration());
    return OwnCopy(final_);
  }
  if (made.ok()) {
    if (address_->scheme != "exec") backoff_.Succeed();
    Take(*std::move(made));
    if (!final_.ok()) retired_.push_back({std::move(current_), false});  // closed meanwhile
    return OwnCopy(final_);
  }
  if (HasPassed(deadline)) return TooLate(lost_);  // which says little of the server
  lost_ = made.status();
  events_.Push(ferry::Event::Type::kConnectFailed, std::nullopt, lost_, backoff_.Fail());
  return OwnCopy(lost_);
}

// What the child's end, and those before, say to another one.
absl::Status ChannelCore::MayRestart(ChildProcess& child, const absl::Status& lost) {
  bool hangs = !child.Wait(Deadline::min()).has_value();  // it has had the time to end
  ExitStatus end = child.Stop();
  if (options_.restart == Restart::kOnFailure && end.ok() && !hangs) return lost;
  if (restarts_.TrySpend()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      lost.message(), "; it was started again ", options_.restart_limit, " times within ",
      absl::FormatDuration(options_.restart_window), ", and will not be any more"));
}

// The channel's thread: connects again as soon as it can.
void ChannelCore::StayConnected() {
  Backoff pace(options_.max_backoff);  // with a server that greets and goes, again and again
  for (;;) {
    if (Connection* connection = Pin()) {
      bool goes_on = AwaitEnd(*connection);
      bool has_ended = !connection->close_reason().ok();
      Unpin(*connection);
      if (!goes_on) return;
      if (has_ended && !PauseIfItDidNotLast(pace)) return;
    }
    absl::Status connected = Recover({kNoDeadline, true, nullptr});
    Deadline again;
    {
      MutexLock lock(mutex_);
      if (!final_.ok()) return;
      again = backoff_.until();
    }
    if (!connected.ok() && !end_wait_.Pause(again)) return;
  }
}

// False when the channel is closed.
bool ChannelCore::PauseIfItDidNotLast(Backoff& pace) {
  {
    MutexLock lock(mutex_);
    if (HasJustConnected()) {
      pace.Fail();
    } else {
      pace.Succeed();
    }
  }
  return end_wait_.Pause(pace.until());
}

// Or until there may be news of it; false when the channel is closed.
bool ChannelCore::AwaitEnd(Connection& connection) {
  bool shows = connection.transport().end_sign().fd >= 0;
  if (!end_wait_.Wait(connection.transport(), shows ? kNoDeadline : DeadlineAfter(kLookForEnd))) {
    return false;
  }
  connection.caller().TakeNews();
  return !connection.close_reason().ok() || end_wait_.Pause(DeadlineAfter(kLeaveNews));
}

}  // namespace ferry::internal

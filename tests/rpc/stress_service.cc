// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/rpc/stress_service.h"

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"

namespace ferry::test {
namespace {

void Pause(const Deed& deed) {
  if (deed.pause_us() != 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(deed.pause_us()));
  }
}

absl::Status Answer(const Deed& deed) {
  if (deed.code() == 0) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(deed.code()), "as asked for");
}

}  // namespace

Piece MakePiece(uint32_t index, size_t size) {
  Piece piece;
  piece.set_index(index);
  piece.set_payload(std::string(size, static_cast<char>('a' + index % 26)));
  return piece;
}

std::string ProblemOf(const Piece& piece, uint32_t index) {
  if (piece.index() != index)
    return absl::StrCat("message ", piece.index(), " in place of ", index);
  const char fill = static_cast<char>('a' + index % 26);
  if (piece.payload().find_first_not_of(fill) == std::string::npos) return "";
  return absl::StrCat("the bytes of another message in message ", index);
}

// A handler from its first to its last line.
class StressImpl::Running {
 public:
  Running(StressImpl& service, ServerContext& context, const Deed& deed)
      : service_(service), context_(context) {
    ++service_.running_;
    ++service_.served_;
    if (!deed.has_callback()) return;
    context_.OnCancel([&service, &context, watched = watched_] {
      if (!context.IsCancelled()) service.Violate("OnCancel without a cancellation");
      if (watched->has_returned.load()) service.Violate("OnCancel behind the handler");
      if (++watched->callbacks > 1) service.Violate("OnCancel twice");
      internal::MutexLock lock(watched->mutex);
      watched->cancelled = true;
      watched->changed.NotifyAll();
      if (watched->has_returned.load()) service.Violate("OnCancel beyond the handler");
    });
  }
  ~Running() {
    context_.OnCancel(nullptr);
    watched_->has_returned.store(true);
    --service_.running_;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void AwaitCancel(const Deed& deed) {
    if (!deed.has_callback()) {
      while (!context_.IsCancelled()) std::this_thread::sleep_for(std::chrono::microseconds(200));
      return;
    }
    internal::MutexLock lock(watched_->mutex);
    while (!watched_->cancelled) watched_->changed.Wait(watched_->mutex);
  }

 private:
  struct Watched {
    std::atomic<bool> has_returned{false};
    std::atomic<int> callbacks{0};
    internal::Mutex mutex;
    internal::CondVar changed;
    bool cancelled ABSL_GUARDED_BY(mutex) = false;
  };

  StressImpl& service_;
  ServerContext& context_;
  const std::shared_ptr<Watched> watched_ = std::make_shared<Watched>();
};

void StressImpl::Violate(const std::string& what) {
  internal::MutexLock lock(mutex_);
  if (violation_.empty()) violation_ = what;
}

void StressImpl::CheckOrder(const Piece& piece, uint32_t index) {
  std::string problem = ProblemOf(piece, index);
  if (!problem.empty()) Violate(problem);
}

void StressImpl::AwaitRelease(const Deed& deed) {
  internal::MutexLock lock(mutex_);
  while (deed.awaits_release() && !is_released_) released_.Wait(mutex_);
}

absl::Status StressImpl::Release(ServerContext&, const Piece&, Piece&) {
  internal::MutexLock lock(mutex_);
  is_released_ = true;
  released_.NotifyAll();
  return absl::OkStatus();
}

absl::Status StressImpl::One(ServerContext& context, const Piece& request, Piece& reply) {
  const Deed& deed = request.deed();
  Running running(*this, context, deed);
  AwaitRelease(deed);
  Pause(deed);
  if (deed.awaits_cancel()) running.AwaitCancel(deed);
  reply = MakePiece(request.index(), deed.size());
  return Answer(deed);
}

absl::Status StressImpl::OneBlocking(ServerContext& context, const Piece& request, Piece& reply) {
  return One(context, request, reply);
}

absl::Status StressImpl::Down(ServerContext& context, const Piece& request,
                              ServerWriter<Piece>& replies) {
  const Deed& deed = request.deed();
  Running running(*this, context, deed);
  for (uint32_t i = 0; i < deed.writes(); ++i) {
    Pause(deed);
    if (!replies.Write(MakePiece(i, deed.size()))) break;
  }
  if (deed.awaits_cancel()) running.AwaitCancel(deed);
  return Answer(deed);
}

absl::Status StressImpl::Up(ServerContext& context, ServerReader<Piece>& requests, Piece& reply) {
  Piece piece;
  uint32_t count = 0;
  bool is_there = requests.Read(&piece);
  const Deed deed = piece.deed();
  Running running(*this, context, deed);
  AwaitRelease(deed);
  for (; is_there; is_there = count < deed.reads() && requests.Read(&piece)) {
    CheckOrder(piece, count++);
    Pause(deed);
  }
  if (deed.awaits_cancel()) running.AwaitCancel(deed);
  reply = MakePiece(count, deed.size());
  return Answer(deed);
}

// Answers each message with one, and writes some more behind the last.
absl::Status StressImpl::Both(ServerContext& context, ServerReaderWriter<Piece, Piece>& stream) {
  Piece piece;
  uint32_t read = 0;
  uint32_t written = 0;
  bool is_there = stream.Read(&piece);
  const Deed deed = piece.deed();
  Running running(*this, context, deed);
  for (; is_there; is_there = read < deed.reads() && stream.Read(&piece)) {
    CheckOrder(piece, read++);
    Pause(deed);
    if (!stream.Write(MakePiece(written++, deed.size()))) break;
  }
  for (uint32_t i = 0; i < deed.writes(); ++i) {
    if (!stream.Write(MakePiece(written++, deed.size()))) break;
  }
  if (deed.awaits_cancel()) running.AwaitCancel(deed);
  return Answer(deed);
}

absl::Status StressImpl::Note(ServerContext& context, const Piece& request) {
  Running running(*this, context, request.deed());
  Pause(request.deed());
  return absl::OkStatus();
}

absl::Status StressImpl::State(ServerContext&, const Piece&, ServiceState& state) {
  state.set_running(running_.load());
  state.set_served(served_.load());
  internal::MutexLock lock(mutex_);
  state.set_violation(violation_);
  return absl::OkStatus();
}

}  // namespace ferry::test

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <pthread.h>

#include <map>
#include <queue>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/inproc_transport.h"
#include "ferry/transport/internal/event.h"
#include "ferry/transport/internal/fork.h"
#include "ferry/transport/internal/mutex.h"

namespace ferry {
namespace {

using internal::Mutex;
using internal::MutexLock;

class InprocListener;

// The names of this process: a name is global by its nature, as a path is.
struct Names {
  Mutex mutex;
  std::map<std::string, InprocListener*> listeners ABSL_GUARDED_BY(mutex);
};

Names& AllNames() {
  static auto* names = new Names;
  return *names;
}

// A forked process has names of its own: none at first, and the lock free.
void LockNames() ABSL_NO_THREAD_SAFETY_ANALYSIS { AllNames().mutex.Lock(); }
void UnlockNames() ABSL_NO_THREAD_SAFETY_ANALYSIS { AllNames().mutex.Unlock(); }
void ForgetNames() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  AllNames().listeners.clear();
  UnlockNames();
}
[[maybe_unused]] const int registered = pthread_atfork(LockNames, UnlockNames, ForgetNames);

// Thread contract: that of Listener.
class InprocListener final : public Listener {
 public:
  explicit InprocListener(std::string name) : name_(std::move(name)) {}
  ~InprocListener() override {
    if (fork_mark_.IsForked()) return;
    Names& names = AllNames();
    MutexLock lock(names.mutex);
    auto found = names.listeners.find(name_);
    if (found != names.listeners.end() && found->second == this) names.listeners.erase(found);
  }

  absl::Status Open() { return arrived_.Open(); }

  absl::StatusOr<std::unique_ptr<Transport>> TryAccept() override {
    Names& names = AllNames();
    MutexLock lock(names.mutex);
    if (waiting_.empty()) return nullptr;
    std::unique_ptr<Transport> transport = std::move(waiting_.front());
    waiting_.pop();
    if (waiting_.empty()) arrived_.Clear();
    return transport;
  }

  int wait_handle() const override { return arrived_.fd(); }

  // REQUIRES: the lock of AllNames.
  void Enqueue(std::unique_ptr<Transport> transport) {
    waiting_.push(std::move(transport));
    arrived_.Set();
  }

 private:
  const std::string name_;
  const internal::ForkMark fork_mark_;
  internal::Event arrived_;  // set while somebody waits
  // Guarded by the lock of AllNames, which a field cannot name.
  std::queue<std::unique_ptr<Transport>> waiting_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenInproc(const std::string& name) {
  auto listener = std::make_unique<InprocListener>(name);
  if (absl::Status opened = listener->Open(); !opened.ok()) return opened;
  Names& names = AllNames();
  MutexLock lock(names.mutex);
  if (!names.listeners.emplace(name, listener.get()).second) {
    // It goes when the lock has gone, which it takes.
    return absl::AlreadyExistsError(absl::StrCat("inproc:", name, " is served already"));
  }
  return listener;
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectInproc(const std::string& name) {
  auto [client, server] = CreateInprocPair(name);
  Names& names = AllNames();
  MutexLock lock(names.mutex);
  auto found = names.listeners.find(name);
  if (found == names.listeners.end()) {
    return absl::UnavailableError(
        absl::StrCat("inproc:", name, ": nobody in this process serves it"));
  }
  found->second->Enqueue(std::move(server));
  return std::move(client);
}

}  // namespace ferry

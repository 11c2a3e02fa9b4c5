// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/owned_name.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ferry/transport/deadline.h"
#include "ferry/transport/internal/mutex.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

bool IsOurs(const struct stat& status, mode_t type) {
  return (status.st_mode & S_IFMT) == type && status.st_uid == geteuid();
}

// The names that this process owns.
struct Table {
  Mutex mutex;
  std::set<std::tuple<dev_t, ino_t, std::string>> names ABSL_GUARDED_BY(mutex);
};

Table& ThisProcess() {
  static auto* table = new Table;
  return *table;
}

// A forked process owns none at first, and the mutex is free there.
void BeforeFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { ThisProcess().mutex.Lock(); }
void AfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { ThisProcess().mutex.Unlock(); }
void AfterForkInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  ThisProcess().names.clear();
  AfterFork();
}
[[maybe_unused]] const int registered = pthread_atfork(BeforeFork, AfterFork, AfterForkInChild);

}  // namespace

absl::StatusOr<std::unique_ptr<OwnedName>> OwnedName::Take(Place place) {
  for (const char* suffix : {kLock, kNew}) {
    if (!absl::EndsWith(place.name, suffix)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(place.address, ": a name that ends in ", suffix,
                     " belongs to the server whose path lacks that; choose another"));
  }
  std::unique_ptr<OwnedName> name(new OwnedName(std::move(place)));
  absl::Status taken = name->Claim();
  if (taken.ok()) taken = name->Lock();
  if (taken.ok()) taken = name->CheckPath();
  if (taken.ok()) taken = name->RemoveUnpublished();
  if (!taken.ok()) return taken;
  return name;
}

OwnedName::~OwnedName() {
  if (fork_mark_.IsForked()) return;
  int folder = place_.folder.get();
  struct stat linked, locked;
  if (lock_.valid() && sys::StatOpen(lock_.get(), locked) == 0 &&
      sys::StatAt(folder, place_.name + kLock, linked) == 0 && IsSameFile(linked, locked)) {
    RemoveUnpublished().IgnoreError();
    if (sys::StatAt(folder, place_.name, linked) == 0 && IsSameFile(linked, published_)) {
      sys::Unlink(folder, place_.name);
    }
    sys::Unlink(folder, place_.name + kLock);
  }
  lock_.Reset();
  if (!claimed_) return;
  Table& table = ThisProcess();
  MutexLock lock(table.mutex);
  table.names.erase(key_);
}

absl::Status OwnedName::Claim() {
  struct stat folder;
  if (sys::StatOpen(place_.folder.get(), folder) != 0) return Failed("the folder");
  key_ = {folder.st_dev, folder.st_ino, place_.name};
  Table& table = ThisProcess();
  MutexLock lock(table.mutex);
  claimed_ = table.names.insert(key_).second;
  return claimed_ ? absl::OkStatus() : ServedBy(getpid());
}

absl::Status OwnedName::Lock() {
  const std::string name = place_.name + kLock;
  struct stat opened, linked;
  for (int i = 0; i < kTakingTries; ++i) {
    UniqueFd file(sys::OpenAt(place_.folder.get(), name, O_RDWR | O_CREAT));
    if (!file.valid()) {
      int error = errno;
      if (sys::StatAt(place_.folder.get(), name, linked) == 0 && !IsOurs(linked, S_IFREG)) {
        return place_.InTheWay(name, linked);
      }
      errno = error;
      return Failed("its lock file");
    }
    if (sys::StatOpen(file.get(), opened) != 0) return Failed("its lock file");
    if (!IsOurs(opened, S_IFREG) || opened.st_size != 0) return place_.InTheWay(name, opened);
    if (sys::LockFile(file.get()) != 0) {
      if (errno != EAGAIN && errno != EACCES) return Failed("its lock file");
      pid_t holder = sys::LockHolder(file.get());
      if (holder >= 0) return ServedBy(holder);
    } else if (sys::StatAt(place_.folder.get(), name, linked) == 0 && IsSameFile(opened, linked)) {
      lock_ = std::move(file);
      return absl::OkStatus();
    }
  }
  return absl::AbortedError(
      absl::StrCat(place_.address, ": ", place_.PathOf(name), " is replaced all the time"));
}

// A path is free if nothing is there, or a socket of ours that nobody listens on.
absl::Status OwnedName::CheckPath() const {
  struct stat there;
  if (sys::StatAt(place_.folder.get(), place_.name, there) != 0) {
    return errno == ENOENT ? absl::OkStatus() : Failed("what is there");
  }
  if (!IsOurs(there, S_IFSOCK)) return place_.InTheWay(place_.name, there);
  absl::StatusOr<bool> served = IsServed();
  if (!served.ok() || !*served) return served.status();
  return absl::AlreadyExistsError(
      absl::StrCat(place_.address, " is served already, by a process that does not lock ",
                   place_.PathOf(place_.name + kLock)));
}

// Not by a process that keeps to the lock, which is ours; but by another program, or
// after somebody removed the lock file.
absl::StatusOr<bool> OwnedName::IsServed() const {
  Deadline deadline = DeadlineAfter(kDying);
  do {
    UniqueFd probe(sys::UnixSocket());
    if (!probe.valid()) return Failed("a socket");
    if (sys::Connect(probe.get(), place_.path) != 0) {
      if (errno == ECONNREFUSED || errno == ENOENT) return false;
    }
    sys::Poll(nullptr, 0, DeadlineAfter(kDyingPause));
  } while (!HasPassed(deadline));
  return true;
}

absl::Status OwnedName::RemoveUnpublished() const {
  const std::string name = place_.name + kNew;
  struct stat there;
  if (sys::StatAt(place_.folder.get(), name, there) != 0) {
    return errno == ENOENT ? absl::OkStatus() : Failed("what is beside it");
  }
  if (!IsOurs(there, S_IFSOCK)) return place_.InTheWay(name, there);
  return sys::Unlink(place_.folder.get(), name) == 0 ? absl::OkStatus()
                                                     : Failed("a socket left over");
}

absl::Status OwnedName::Publish() {
  struct stat there;
  if (sys::StatAt(place_.folder.get(), place_.name + kNew, published_) != 0) {
    return Failed("the new socket");
  }
  if (sys::StatAt(place_.folder.get(), place_.name, there) == 0 && !IsOurs(there, S_IFSOCK)) {
    return place_.InTheWay(place_.name, there);
  }
  if (sys::Rename(place_.folder.get(), place_.name + kNew, place_.name) == 0) {
    return absl::OkStatus();
  }
  return Failed("the new socket");
}

absl::Status OwnedName::ServedBy(pid_t process) const {
  std::string who = process == getpid() ? "this process" : absl::StrCat("process ", process);
  return absl::AlreadyExistsError(absl::StrCat(place_.address, " is served already",
                                               process > 0 ? absl::StrCat(" by ", who) : ""));
}

absl::Status OwnedName::Failed(const char* what) const {
  return absl::ErrnoToStatus(errno, absl::StrCat(place_.address, ": ", what));
}

}  // namespace ferry::internal

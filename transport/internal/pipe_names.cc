// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/pipe_names.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

constexpr absl::string_view kIn = ".in";
constexpr absl::string_view kOut = ".out";
constexpr size_t kDigits = 2 * std::tuple_size<Nonce>::value;

// What a client's pipes are called without kIn and kOut; "" if `name` is none.
absl::string_view StemOf(absl::string_view name, const std::string& served) {
  if (!absl::ConsumeSuffix(&name, kIn) && !absl::ConsumeSuffix(&name, kOut)) return "";
  absl::string_view digits = name;
  if (!absl::ConsumePrefix(&digits, served) || !absl::ConsumePrefix(&digits, ".")) return "";
  bool is_nonce = digits.size() == kDigits &&
                  std::all_of(digits.begin(), digits.end(), [](unsigned char digit) {
                    return absl::ascii_isdigit(digit) || (digit >= 'a' && digit <= 'f');
                  });
  return is_nonce ? name : "";
}

enum class Client { kLives, kEnded, kGone, kNone };

// Of the pipe `out`.
Client StateOf(const Place& place, const std::string& out, absl::Duration age) {
  struct stat status;
  if (sys::StatAt(place.folder.get(), out, status) != 0) {
    return errno == ENOENT ? Client::kGone : Client::kLives;
  }
  if (!IsPipe(status)) return Client::kNone;
  if (absl::Now() - absl::TimeFromTimespec(status.st_ctim) < age) return Client::kLives;
  UniqueFd probe(sys::OpenAt(place.folder.get(), out, O_WRONLY));
  return !probe.valid() && errno == ENXIO ? Client::kEnded : Client::kLives;
}

}  // namespace

PipeNames::PipeNames(const std::string& name, const Nonce& nonce) {
  std::string digits = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(nonce.data()), nonce.size()));
  in = absl::StrCat(name, ".", digits, kIn);
  out = absl::StrCat(name, ".", digits, kOut);
}

void PipeNames::RemoveFrom(const Place& place) const {
  for (const std::string* name : {&in, &out}) {
    struct stat status;
    bool is_other = sys::StatAt(place.folder.get(), *name, status) == 0 && !IsPipe(status);
    if (!is_other && !name->empty()) sys::Unlink(place.folder.get(), *name);
  }
}

absl::Status CheckPipeName(const Place& place) {
  constexpr size_t kMaxName = NAME_MAX - 1 - kDigits - kOut.size();
  if (place.name.size() <= kMaxName) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(place.address, ": the name has ",
                                                 place.name.size(), " bytes, of which it can have ",
                                                 kMaxName));
}

bool RemoveLeftovers(const Place& place, absl::Duration age) {
  bool others = false;
  for (const std::string& name : sys::NamesIn(place.folder.get())) {
    absl::string_view stem = StemOf(name, place.name);
    if (stem.empty()) continue;
    PipeNames pipes;
    pipes.in = absl::StrCat(stem, kIn);
    pipes.out = absl::StrCat(stem, kOut);
    Client state = StateOf(place, pipes.out, age);
    if (state == Client::kEnded || state == Client::kGone) pipes.RemoveFrom(place);
    others |= state == Client::kLives;
  }
  return others;
}

bool IsOwnPipe(const struct stat& status) {
  return IsPipe(status) && status.st_uid == geteuid() && status.st_nlink == 1 &&
         (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

UniqueFd OpenPipe(const Place& place, const std::string& name, int flags, struct stat& status) {
  status = {};
  if (sys::StatAt(place.folder.get(), name, status) != 0) return UniqueFd();
  if (!IsPipe(status)) {
    errno = ENOENT;
    return UniqueFd();
  }
  UniqueFd pipe(sys::OpenAt(place.folder.get(), name, flags));
  if (!pipe.valid()) return pipe;
  struct stat looked_at = status;
  int error = sys::StatOpen(pipe.get(), status) != 0 ? errno
              : IsSameFile(looked_at, status)        ? 0
                                                     : ENOENT;
  if (error != 0) {
    pipe.Reset();
    errno = error;
  }
  return pipe;
}

absl::Status PipeError(const Place& place, const char* what, int error) {
  std::string text = absl::StrCat(place.address, ": ", what);
  std::string cause(absl::ErrnoToStatus(error, "").message());  // ": Too many open files"
  if (error == EMFILE) {
    return absl::ResourceExhaustedError(
        absl::StrCat(text, cause, "; RLIMIT_NOFILE is the limit of descriptors (ulimit -n)"));
  }
  if (IsShortage(error)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        text, cause,
        "; the limits are /proc/sys/fs/pipe-user-pages-hard and pipe-user-pages-soft for the "
        "pipes of a user, and /proc/sys/fs/file-max"));
  }
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(
        absl::StrCat(place.address, ": user ", geteuid(), " lacks the permission for ", what));
  }
  return absl::ErrnoToStatus(error, text);
}

}  // namespace ferry::internal

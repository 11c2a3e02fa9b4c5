// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/config_file.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/fd.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

constexpr size_t kMaxFile = size_t{1} << 20;

}  // namespace

std::string ConfigFileOfEnvironment() {
  const char* path = sys::TrustedVariable("FERRY_CONFIG");
  return path == nullptr ? "" : path;
}

absl::StatusOr<std::string> ReadConfigFile(const std::string& path) {
  UniqueFd file(sys::OpenToRead(path));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("configuration ", path));
  if (sys::FileType(file.get()) != S_IFREG) {
    return absl::InvalidArgumentError(
        absl::StrCat("configuration ", path, ": expected a regular file"));
  }
  std::string text;
  char piece[4096];
  for (;;) {
    ssize_t size = sys::Read(file.get(), piece, sizeof(piece));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, absl::StrCat("configuration ", path));
    if (size == 0) return text;
    text.append(piece, static_cast<size_t>(size));
    if (text.size() > kMaxFile) {
      return absl::InvalidArgumentError(
          absl::StrCat("configuration ", path, ": expected a file of at most 1MiB"));
    }
  }
}

}  // namespace ferry::internal

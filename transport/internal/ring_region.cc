// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/ring_region.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/place.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

absl::Status Failed(const char* what) {
  int error = errno;
  std::string text = absl::StrCat("shared memory: ", what);
  if (IsShortage(error)) {
    return absl::ResourceExhaustedError(absl::ErrnoToStatus(error, text).message());
  }
  if (error == EINVAL || error == ENOSYS) {
    return absl::UnimplementedError(
        absl::StrCat(absl::ErrnoToStatus(error, text).message(), "; it needs Linux 5.1"));
  }
  return absl::ErrnoToStatus(error, text);
}

}  // namespace

RingRegion& RingRegion::operator=(RingRegion&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  return *this;
}

RingRegion::~RingRegion() {
  if (memory_ != nullptr) sys::Unmap(memory_, size_);
}

absl::StatusOr<RingRegion> RingRegion::Create(const RingGeometry& geometry, UniqueFd& to_send) {
  UniqueFd fd(sys::MakeMemory("ferry", geometry.size()));
  if (!fd.valid()) return Failed("memfd_create");
  // Before the seal, which lets nobody map it for writing any more.
  void* memory = sys::Map(fd.get(), geometry.size(), sys::Access::kReadWrite);
  if (memory == nullptr) return Failed("mmap");
  RingRegion region(memory, geometry.size());
  if (sys::SealForReaders(fd.get()) != 0) return Failed("F_ADD_SEALS");
  to_send = std::move(fd);
  return region;
}

absl::StatusOr<RingRegion> RingRegion::MapPeers(const UniqueFd& fd, const RingGeometry& geometry) {
  if (!sys::IsSealedForReaders(fd.get())) {
    return absl::DataLossError("the peer's ring is not memory that is sealed for readers");
  }
  struct stat status;
  if (sys::StatOpen(fd.get(), status) != 0) return Failed("fstat");
  if (status.st_size < 0 || static_cast<size_t>(status.st_size) != geometry.size()) {
    return absl::DataLossError(
        absl::StrCat("the peer's ring has ", status.st_size, " bytes, expected ", geometry.size()));
  }
  if (!sys::IsOrdinaryMemory(fd.get())) {
    return absl::DataLossError("the peer's ring is not ordinary memory (tmpfs)");
  }
  void* memory = sys::Map(fd.get(), geometry.size(), sys::Access::kRead);
  if (memory == nullptr && errno == EACCES) {
    return absl::DataLossError(
        "the peer's ring cannot be read: its descriptor is for writing only");
  }
  if (memory == nullptr) return Failed("mmap");
  return RingRegion(memory, geometry.size());
}

}  // namespace ferry::internal

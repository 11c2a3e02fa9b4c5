// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory that processes share, and how its descriptors travel.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ferry/transport/internal/sys_common.h"

namespace ferry::internal::sys {
namespace {

// Newer than some headers (Linux 6.3); older kernels do not know it.
constexpr unsigned kNoExecSeal = 0x0008;

constexpr int kReaderSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

// More descriptors than anybody sends in good faith: those beyond would be lost silently.
constexpr size_t kMaxDescriptors = 8;

union Control {
  char bytes[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  struct cmsghdr align;
};

}  // namespace

int MakeMemory(const char* name, size_t size) {
  if (Injected(Call::kMemory)) return -1;
  int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  fd = AboveStdio(fd);
  if (fd < 0 || (!Injected(Call::kMemory) && ::ftruncate(fd, static_cast<off_t>(size)) == 0)) {
    return fd;
  }
  int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

int SealForReaders(int fd) {
  return Injected(Call::kMemory) ? -1 : ::fcntl(fd, F_ADD_SEALS, kReaderSeals);
}

bool IsSealedForReaders(int fd) {
  int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & kReaderSeals) == kReaderSeals;
}

bool IsOrdinaryMemory(int fd) {
  struct statfs system = {};
  return ::fstatfs(fd, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

void* Map(int fd, size_t size, Access access) {
  if (Injected(Call::kMemory)) return nullptr;
  int protection = access == Access::kReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* memory = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void Unmap(void* memory, size_t size) { ::munmap(memory, size); }

int SocketPair(int ends[2]) {
  if (Injected(Call::kSocket)) return -1;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  ends[0] = AboveStdio(ends[0]);
  ends[1] = AboveStdio(ends[1]);
  if (ends[0] >= 0 && ends[1] >= 0) return 0;
  int error = errno;
  for (int i = 0; i < 2; ++i) {
    if (ends[i] >= 0) ::close(ends[i]);
  }
  errno = error;
  return -1;
}

ssize_t SendDescriptor(int socket, const void* data, size_t size, int fd) {
  if (Injected(Call::kMemory)) return -1;
  struct iovec piece = {const_cast<void*>(data), size};
  Control control = {};
  struct msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(sizeof(int));
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof(int));
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t ReceiveDescriptors(int socket, void* data, size_t size, std::vector<int>& fds) {
  if (Injected(Call::kRead, size)) return -1;
  struct iovec piece = {data, size};
  Control control;
  struct msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof(control.bytes);
  ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return got;
  for (struct cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      if ((fd = AboveStdio(fd)) >= 0) fds.push_back(fd);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) == 0) return got;
  errno = EMFILE;  // some were lost: too many, or none left here
  return -1;
}

}  // namespace ferry::internal::sys

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ferry/transport/internal/sys_common.h"

namespace ferry::internal::sys {
namespace {

// Newer than Debian 12's headers.
constexpr int kSoPassRights = 83;

struct UnixAddress {
  explicit UnixAddress(const std::string& name) {
    value.sun_family = AF_UNIX;
    // An abstract name may use the byte that ends a path, and ends where its length says.
    bool is_abstract = !name.empty() && name[0] == '\0';
    size_t size = std::min(name.size(), sizeof(value.sun_path) - (is_abstract ? 0 : 1));
    std::memcpy(value.sun_path, name.data(), size);
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size + !is_abstract);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&value); }

  sockaddr_un value = {};
  socklen_t length;
};

}  // namespace

int UnixSocket() {
  if (Injected(Call::kSocket)) return -1;
  int fd = AboveStdio(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // bind makes the file with this mode, so it is never more open than that.
  if (fd < 0 || (!Injected(Call::kSocket) && ::fchmod(fd, 0600) == 0)) return fd;
  int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

int Bind(int socket, const std::string& name) {
  if (Injected(Call::kBind)) return -1;
  UnixAddress address(name);
  return ::bind(socket, address.get(), address.length);
}

int Listen(int socket, int backlog) {
  return Injected(Call::kListen) ? -1 : ::listen(socket, backlog);
}

int Accept(int socket) {
  return Injected(Call::kAccept) ? -1
                                 : AboveStdio(::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC));
}

int Connect(int socket, const std::string& name) {
  if (Injected(Call::kConnect)) return -1;
  UnixAddress address(name);
  return ::connect(socket, address.get(), address.length);
}

int PeerCredentials(int socket, Credentials& peer) {
  struct ucred who = {};
  socklen_t size = sizeof(who);
  if (Injected(Call::kSocket)) return -1;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return -1;
  if (who.uid == static_cast<uid_t>(-1)) {
    errno = ENODATA;
    return -1;
  }
  peer = {who.pid > 0 ? who.pid : -1, who.uid, who.gid};
  return 0;
}

void RefuseDescriptors(int socket) {
  int pass = 0;
  ::setsockopt(socket, SOL_SOCKET, kSoPassRights, &pass, sizeof(pass));
}

}  // namespace ferry::internal::sys

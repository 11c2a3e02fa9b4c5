// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Every system call of ferry goes through here, so that a test can make the k-th one
// fail or come up short (FaultHook). tests/layering_test.sh holds the rest of the
// tree to it.
//
// The functions behave as the calls they are named after: -1 and errno on failure.
// Thread contract: thread-safe.

#ifndef FERRY_TRANSPORT_INTERNAL_SYS_H_
#define FERRY_TRANSPORT_INTERNAL_SYS_H_

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ferry/transport/deadline.h"

namespace ferry::internal::sys {

enum class Call : uint8_t {
  kRead,
  kWrite,
  kNoSignalWrite,  // a write that asks the kernel to raise no SIGPIPE
  kPoll,
  kPipe,
  kOpen,
  kFcntl,
  kEventFd,
  kEpoll,
  kTimerFd,
  kSpawn,
  kPidFdOpen,
  kWaitId,
  kKill,
  kAccess,
  kStat,
  kMkfifo,
  kUnlink,
  kRename,
  kLock,
  kRandom,
  kSocket,
  kBind,
  kListen,
  kAccept,
  kConnect,
  kMemory,
  kRing,
};

// What a test injects.
class FaultHook {
 public:
  virtual ~FaultHook() = default;

  // Runs before a call is made, on the calling thread. Answers 0, or the errno to fail
  // with. `length` is that of a read or write and may be made smaller.
  virtual int Before(Call call, size_t& length) = 0;
};

// Installs `hook` for all threads; null removes it. REQUIRES: no call is running.
void SetFaultHook(FaultHook* hook);

// A blocking read.
ssize_t Read(int fd, void* data, size_t size);
// A read that fails with EAGAIN rather than sleep, whatever the mode of `fd`.
ssize_t ReadNow(int fd, void* data, size_t size);
// A plain write: to descriptors that raise no SIGPIPE.
ssize_t Write(int fd, const struct iovec* pieces, int count);
// A write to a non-blocking descriptor that never raises SIGPIPE.
ssize_t WriteNoSignal(int fd, const struct iovec* pieces, int count);
// A write to, and a read from, a socket that neither sleeps nor raises SIGPIPE, whatever
// its mode.
ssize_t SendNow(int socket, const struct iovec* pieces, int count);
ssize_t ReceiveNow(int socket, void* data, size_t size);
// No descriptors can be sent to this end any more (Linux 6.16): to close one of another's may
// take as long as that pleases, as with SO_LINGER.
void RefuseDescriptors(int socket);
// Sends a byte that only wakes. EAGAIN: the peer has not read those before it.
int Ring(int socket);
void EndOfWriting(int socket);
int EndOfReading(int socket);  // wakes who sleeps in a read
// Sleeps until `deadline`. EINTR is passed on.
int Poll(struct pollfd* fds, size_t count, Deadline deadline);

int Pipe(int fds[2]);  // close-on-exec
// A new descriptor for both ends of a pipe, of which we have one; needs /proc. It has a
// file description of its own, does not block, and is close-on-exec.
int OpenBothEnds(int pipe_fd);
// The same for the reading end alone.
int OpenReadingEnd(int pipe_read_fd);
// Fails with EPERM beyond the limits of pipe(7).
int SetPipeCapacity(int pipe_fd, size_t bytes);
// Makes a blocking read of the pipe return, by a byte that lands behind all that is in
// it. Also for threads that have a descriptor table of their own.
// Answers whether it is there.
bool WakeReader(int pipe_read_fd);
// Makes `target` what `path` opens to, or what `fd` is; it stays open across exec.
int OpenOnto(const char* path, int flags, int target);
int DuplicateOnto(int fd, int target);
int DuplicateFrom(int fd, int lowest);  // close-on-exec
int SetNonBlocking(int fd);
int SetBlocking(int fd);
int SetCloseOnExec(int fd);
bool IsNonBlocking(int fd);
bool IsReadable(int fd);  // was opened for reading, too
int Stat(const std::string& path, struct stat& status);
bool IsOpen(int fd);
// The bits of S_IFMT; 0 for what has none, such as an eventfd, and for what is not open.
mode_t FileType(int fd);
// What tells a pipe from all others: its inode number.
uint64_t PipeNumber(int fd);
bool IsTerminal(int fd);
void Close(int fd);
// For the forked child: async-signal-safe. `fd` becomes `null`, or is closed if that is -1.
int OpenNull();
void ReplaceBy(int null, int fd);

int EventFd();
int EpollCreate();
// Polls as readable from the deadline on, until it is set anew; kNoDeadline: never.
int TimerFd();
int SetTimer(int timer_fd, Deadline deadline);
// `id` is what EpollWait answers for the descriptor.
int EpollControl(int epoll_fd, int operation, int fd, uint32_t events, uint64_t id = 0);
// Sleeps until `deadline`, a descriptor is ready or a signal came. Answers how many are.
size_t EpollWait(int epoll_fd, Deadline deadline, struct epoll_event* events, size_t max);

// Names in a folder. They are taken as they are: no symbolic link is followed.
int OpenFolder(const std::string& path);  // close-on-exec; to find names in, not to read
bool MayChange(int folder);               // whether names can be made and removed in it
// Close-on-exec and never sleeping; with O_CREAT the file is for its owner only.
int OpenAt(int folder, const std::string& name, int flags);
int OpenToRead(const std::string& path);  // close-on-exec and never sleeping; follows links
int StatAt(int folder, const std::string& name, struct stat& status);
int StatOpen(int fd, struct stat& status);
int MakeFifo(int folder, const std::string& name);  // for its owner only
int Unlink(int folder, const std::string& name);
int Rename(int folder, const std::string& from, const std::string& to);
std::vector<std::string> NamesIn(int folder);  // what could be read of them

// A POSIX lock of the whole file: this process's, gone with the first descriptor of the
// file that it closes. It is not inherited by forked children.
int LockFile(int fd);
// Who has it: a process id, 0 for one that cannot be seen from here, -1 for nobody.
pid_t LockHolder(int fd);
// A lock of the file description, gone with its last descriptor, wherever that is.
int LockDescription(int fd);

// Of the environment; null also in a process with more rights than its caller.
const char* TrustedVariable(const char* name);

int RandomBytes(void* data, size_t size);

// Unix stream sockets. A `name` is a path, or a NUL byte and an abstract name, and short
// enough.
int UnixSocket();  // close-on-exec, non-blocking; if bound to a path, for its owner only
int Bind(int socket, const std::string& name);
int Listen(int socket, int backlog);
int Accept(int socket);  // close-on-exec, blocking
int Connect(int socket, const std::string& name);
struct Credentials {
  pid_t pid = -1;  // -1: of another container
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
};
// Of who is at the other end: when it connected, or when it began to listen.
int PeerCredentials(int socket, Credentials& peer);

// Memory to share, made with its final size; MakeMemory answers its descriptor. Once sealed
// it can be written by nobody but through what is mapped already, and keeps its size.
int MakeMemory(const char* name, size_t size);  // close-on-exec; `name` is for /proc only
int SealForReaders(int fd);
bool IsSealedForReaders(int fd);
bool IsOrdinaryMemory(int fd);  // and not, say, of huge pages, which can run out
enum class Access { kRead, kReadWrite };
void* Map(int fd, size_t size, Access access);  // null on failure
void Unmap(void* memory, size_t size);

// Two connected stream sockets, close-on-exec and blocking.
int SocketPair(int ends[2]);
// Bytes and a descriptor that goes with them; neither sleeps. Those received are
// close-on-exec, and the caller's also upon failure; EMFILE if some were lost.
ssize_t SendDescriptor(int socket, const void* data, size_t size, int fd);
ssize_t ReceiveDescriptors(int socket, void* data, size_t size, std::vector<int>& fds);

int SpawnProcess(pid_t* pid, const char* program, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const arguments[],
                 char* const environment[]);  // answers an errno, as posix_spawn does
int PidFdOpen(pid_t pid);
int WaitId(int pid_fd, siginfo_t* info, int options);
int SendSignal(int pid_fd, int signal);
void KillAndReap(pid_t pid);  // for a child that has no pid_fd
int RunningCpus();
int AllowedCpus();  // to the calling thread
// How often the calling thread had to leave the CPU to others.
int64_t Preemptions();
// Gives the calling thread a descriptor table of its own, with `fd` in it and nothing
// else: as long as its main thread is the only one that uses a table, the kernel looks
// descriptors up without counting references (fdget), which is 3 % of a call.
void KeepOnly(int fd);
// Ends the process at once, with a line on stderr.
[[noreturn]] void EndProcess(const std::string& last_words);

}  // namespace ferry::internal::sys

#endif  // FERRY_TRANSPORT_INTERNAL_SYS_H_

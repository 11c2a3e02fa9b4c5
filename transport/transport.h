// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Transport: moves frames between two processes, both ways and in order. It knows
// no protobuf and no calls; a message is bytes, and its header is opaque but for the
// length and the flag kFlagMore, which it sets itself when a message is too long for
// one frame and follows it with kContinue frames.
//
//   Reserve ─ serialize ─ Commit ─ Flush   ═════▶   Wait ─ TryRead ─ parse ─ Release
//
// The transport owns all buffers, so that a ring in shared memory, writev and
// overlapped I/O can each place them where they need them.
//
// Threads: the sending half (Reserve, Commit, Abandon, Flush) is for any number of
// threads at once. The receiving half (TryRead, Release, Poll, Wait, Join, Arm) is for
// one thread at a time, the holder of the connection's read token. queued, Interrupt, Close,
// close_reason, peer and spin_limit are for any thread.
//
// Death: there is no half-close. When either direction ends, the transport is closed:
// TryRead hands out what arrived before, then answers kClosed for good, and close_reason
// says why. Sending to a closed transport is harmless and does nothing.

#ifndef FERRY_TRANSPORT_TRANSPORT_H_
#define FERRY_TRANSPORT_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/proto/frame.h"
#include "ferry/transport/deadline.h"

namespace ferry {

class WaitSet;

// Room for one message. Filled in by Reserve, used up by Commit or Abandon.
struct Reservation {
  char* data = nullptr;  // `size` bytes to serialize into, owned by the transport
  size_t size = 0;
  void* slot = nullptr;  // the transport's own
};

enum class ReserveResult {
  kOk,
  kClosed,
};

// One received frame. `payload` has header.length bytes and is valid until Release.
struct Frame {
  FrameHeader header;
  const char* payload = nullptr;
};

enum class ReadResult {
  kFrame,
  kEmpty,   // nothing has arrived: Wait
  kClosed,  // nothing will arrive any more
};

struct WaitOptions {
  // A deadline in the past makes Wait a poll: it takes in what is there.
  Deadline deadline = kNoDeadline;
  // Return also upon Interrupt. Without this a transport may sleep more cheaply, and
  // only frames, death, the deadline and Close end the wait.
  bool interruptible = true;
};

// Who is at the other end, as far as the system says.
struct Peer {
  std::string description;  // for error texts: "child 4711 (/usr/bin/worker)"
  int64_t pid = -1;         // -1: not known
  int64_t uid = -1;         // the effective user; -1: not known
  int64_t gid = -1;         // the effective group; -1: not known
};

// About twice what it takes to wake a process on a machine whose idle CPUs sleep: by less,
// two sides that both sleep never find out how quick they are.
inline constexpr absl::Duration kDefaultSpinLimit = absl::Microseconds(100);

class Transport {
 public:
  virtual ~Transport() = default;

  // Takes room for a message of `size` bytes that starts with `header`, whose length
  // and kFlagMore are set here. kOk fills in `reservation`. Threads serialize side by
  // side, without a lock. A reservation must be used up soon and before the transport
  // is destroyed; it may stand in the way of frames reserved after it. What the peer has no
  // room for yet waits here.
  virtual ReserveResult Reserve(const FrameHeader& header, size_t size,
                                Reservation& reservation) = 0;

  // The message is written: hand it to the peer. What a thread commits arrives in its
  // order; between threads any order is possible. May be buffered until Flush.
  virtual void Commit(Reservation& reservation) = 0;

  // The message will not be sent; the peer sees nothing of it.
  virtual void Abandon(Reservation& reservation) = 0;

  // Starts everything committed on its way. Returns when it has left, or when the
  // receiving half will send the rest while it waits, or at the deadline; what is
  // left then goes with a later Flush or Wait.
  virtual void Flush(Deadline deadline) = 0;

  // Whether Commit does that itself, so that nothing is gained by a later Flush.
  virtual bool sends_at_commit() const { return false; }

  // The memory, in bytes, of messages that were committed and have not gone to the system, or
  // to where the peer reads; never 0 while there is one. Within a process all go there at once.
  virtual size_t queued() const = 0;

  // While more than `bytes` are queued (within a process: not read), TryRead answers kEmpty,
  // so that a peer that reads no replies gets none of its requests served. The end is found
  // all the same. Set before the transport is shared.
  size_t max_queued() const { return max_queued_; }
  void set_max_queued(size_t bytes) { max_queued_ = bytes; }

  // Hands out the next frame that is here; it makes no system call. Release gives it
  // back; until then there is no other. A frame from the peer has passed
  // ValidateFrameHeader; its payload is any bytes.
  virtual ReadResult TryRead(Frame& frame) = 0;
  virtual void Release() = 0;

  // After TryRead answered kEmpty: a look without a sleep, for who looks again and again
  // before it sleeps. Takes in what has arrived, and sends on what Flush left. True when
  // TryRead may find something now, the end included; perhaps also when something was sent
  // on. Only Wait is sure to notice an interruption or the death of the peer.
  virtual bool Poll() = 0;

  // Whether Poll does no more than read memory, rather than make a system call.
  virtual bool polls_memory() const { return false; }

  // How long to look like that before a sleep; zero: not at all. Set before the transport
  // is shared.
  absl::Duration spin_limit() const { return spin_limit_; }
  void set_spin_limit(absl::Duration limit) { spin_limit_ = limit; }

  // After TryRead answered kEmpty: returns when it may find a frame, when it has sent on the
  // last of what Flush left, when interrupted, closed or past the deadline, and now and then for
  // no reason. Takes
  // in a bounded amount, so that a flooding peer cannot hold the reader. Sends on what
  // Flush left.
  virtual void Wait(const WaitOptions& options) = 0;

  // Makes the current or else the next interruptible Wait return.
  virtual void Interrupt() = 0;

  // For event loops and servers: from now on the set, which outlives the transport,
  // answers `id` when Wait would return at once. Arm, before every sleep on the set and
  // after TryRead answered kEmpty, answers true if there is something to do already: then
  // Wait, with a deadline in the past, and TryRead again. Once for each transport.
  // Returns: RESOURCE_EXHAUSTED when the system has no room for it.
  virtual absl::Status Join(WaitSet& set, uint64_t id) = 0;
  virtual bool Arm() = 0;

  // Ends both directions: the peer still gets what Flush sent, this side reads no
  // more. The first reason counts, also against one that the transport found itself.
  virtual void Close(const absl::Status& reason) = 0;

  // Why TryRead answers kClosed: UNAVAILABLE when the peer is gone, DATA_LOSS when it
  // broke the framing, or the status given to Close. OK while open.
  virtual absl::Status close_reason() const = 0;

  virtual const Peer& peer() const = 0;

  // A descriptor that shows that the peer has gone, whether or not what it sent has been
  // read; open as long as the transport lives. -1: there is none.
  struct EndSign {
    int fd = -1;
    bool is_process = false;  // it then polls as readable, else as hung up
  };
  virtual EndSign end_sign() const { return {}; }

 private:
  absl::Duration spin_limit_ = kDefaultSpinLimit;
  size_t max_queued_ = ~size_t{0};
};

}  // namespace ferry

#endif  // FERRY_TRANSPORT_TRANSPORT_H_

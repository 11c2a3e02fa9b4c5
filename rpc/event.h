// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Events: what happens to connections, for who wants to log or count it. ferry itself
// prints nothing.

#ifndef FERRY_RPC_EVENT_H_
#define FERRY_RPC_EVENT_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferry/transport/transport.h"

namespace ferry {

struct Event {
  enum class Type {
    kConnected,      // a channel: it can call, for the first time or again; a server: a client
                     // has said hello
    kConnectFailed,  // a channel, once connected, could not be again; it tries in `retry_in`
    kRefused,        // a server: who connected is not served, and was told `status`
    kClosed,         // a connection has ended; `status` says why, with the last words of a child
    kLimitReached,   // a server: a call was refused, with `status`
    kAcceptPaused,   // a server: who connects waits, since the system lacks what `status` says
    kDraining,       // a server: Shutdown was asked for; a channel: its server shuts down
  };

  Type type;
  std::string_view address;    // as given to Connect or Listen
  const Peer* peer = nullptr;  // null where it is not known
  absl::Status status;
  absl::Duration retry_in = absl::ZeroDuration();  // of kConnectFailed; infinite: never

  // Address and status are valid, and the peer is, until the sink returns.
};

// Told of events, on the thread on which they happen: it must not wait. No lock of ferry's
// is held. Several threads may tell at once, except of one channel: those come one at a
// time and in order, and none follows when its last copy has gone.
using EventSink = std::function<void(const Event&)>;

// "closed unix:/tmp/kv, client 4711: …", for a log.
std::string ToString(const Event& event);

}  // namespace ferry

#endif  // FERRY_RPC_EVENT_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Interceptors: see each call as it begins and ends, on either side, whatever its shape. They log,
// time, check who calls, add metadata, set deadlines, or refuse.
//
//   class Timing final : public ferry::ServerInterceptor {
//     absl::Status OnCall(ferry::ServerContext&, void*& state) override {
//       state = new absl::Time(absl::Now());
//       return absl::OkStatus();
//     }
//     void OnAnswer(ferry::ServerContext& context, void* state, absl::Status&) override {
//       std::unique_ptr<absl::Time> begin(static_cast<absl::Time*>(state));
//       Note(context.method().full_name, absl::Now() - *begin);
//     }
//   };
//   options.interceptors = {&timing, &tokens};  // the first is the outermost

#ifndef FERRY_RPC_INTERCEPTOR_H_
#define FERRY_RPC_INTERCEPTOR_H_

#include "absl/status/status.h"
#include "ferry/rpc/method.h"

namespace ferry {

struct CallOptions;
class ServerContext;

// Of a server's calls; outlives the server, and the answers that it owes. Thread contract: called
// on the threads that handlers run on, for several calls at once; under no lock.
class ServerInterceptor {
 public:
  virtual ~ServerInterceptor() = default;

  // Before the handler; no stream has begun. With another status than OK the call ends with that:
  // neither the handler nor the interceptors behind this one see it. `state`, null at first, is
  // this interceptor's for this call.
  virtual absl::Status OnCall(ServerContext& context, void*& state);

  // When the call is answered, if OnCall has returned OK, in the reverse order: once, also if
  // nobody waits for the answer any more. May change the status: the reply goes along if it is OK.
  // May still add trailing metadata. Of a one-way call the status is always OK, and goes nowhere.
  // An answer that is given later (answer.h) comes here on the thread that gives it.
  virtual void OnAnswer(ServerContext& context, void* state, absl::Status& status);
};

// Of a channel's calls. Thread contract: called by the threads that call, and for asynchronous ones
// OnEnd where callbacks run; for several calls at once; under no lock.
class ClientInterceptor {
 public:
  virtual ~ClientInterceptor() = default;

  // Before the call is made. May change its options: metadata, timeout … With another status than
  // OK it is not made and ends with that. `state`: as above.
  virtual absl::Status OnCall(const Method& method, CallOptions& options, void*& state);

  // When the call has ended, if OnCall has returned OK, in the reverse order, once: with its
  // status, which may be changed, before the caller gets it. A stream ends here in its Finish, or
  // with CANCELLED when it goes away without; that of a reactor before its OnDone.
  virtual void OnEnd(const Method& method, void* state, absl::Status& status);
};

}  // namespace ferry

#endif  // FERRY_RPC_INTERCEPTOR_H_

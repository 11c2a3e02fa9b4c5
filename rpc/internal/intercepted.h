// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_INTERCEPTED_H_
#define FERRY_RPC_INTERNAL_INTERCEPTED_H_

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/channel.h"
#include "ferry/rpc/client_stream.h"
#include "ferry/rpc/interceptor.h"
#include "ferry/rpc/method.h"

namespace ferry::internal {

// One call of a channel, as its interceptors see it. Thread contract: thread-compatible.
class Intercepted {
 public:
  // `method` outlives it.
  Intercepted(const std::vector<ClientInterceptor*>& interceptors, const Method& method,
              const CallOptions& call_options)
      : interceptors_(interceptors),
        method_(method),
        options_(call_options),
        states_(interceptors.size()) {}

  // Not OK: the call is not to be made, but to be ended with that.
  absl::Status Begin() {
    absl::Status status;
    while (status.ok() && begun_ < states_.size()) {
      status = interceptors_[begun_]->OnCall(method_, options_, states_[begun_]);
      if (status.ok()) ++begun_;
    }
    return status;
  }

  // With what it has ended; answers what the caller gets.
  absl::Status End(absl::Status status) {
    while (begun_ > 0) {
      --begun_;
      interceptors_[begun_]->OnEnd(method_, states_[begun_], status);
    }
    return status;
  }

  const CallOptions& options() const { return options_; }

 private:
  std::vector<ClientInterceptor*> interceptors_;  // the channel may go before
  const Method& method_;
  CallOptions options_;
  std::vector<void*> states_;
  size_t begun_ = 0;
};

// A call with streams that is seen. Thread contract: that of ClientStream.
class InterceptedStream final : public ClientStream {
 public:
  InterceptedStream(Intercepted seen, std::unique_ptr<ClientStream> stream)
      : seen_(std::move(seen)), stream_(std::move(stream)) {}
  ~InterceptedStream() override {
    if (has_ended_) return;
    stream_.reset();
    seen_.End(absl::CancelledError("the stream went away without Finish")).IgnoreError();
  }

  bool Read(google::protobuf::MessageLite& message) override { return stream_->Read(message); }
  bool Write(const google::protobuf::MessageLite& message) override {
    return stream_->Write(message);
  }
  bool WritesDone() override { return stream_->WritesDone(); }
  absl::Status Finish() override {
    has_ended_ = true;
    return seen_.End(stream_->Finish());
  }
  void Cancel() override { stream_->Cancel(); }

 private:
  Intercepted seen_;
  std::unique_ptr<ClientStream> stream_;
  bool has_ended_ = false;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_INTERCEPTED_H_

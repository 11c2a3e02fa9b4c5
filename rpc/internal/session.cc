// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/session.h"

#include <chrono>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/lane.h"
#include "ferry/rpc/internal/method_name.h"

namespace ferry::internal {

using google::protobuf::MessageLite;
using Clock = std::chrono::steady_clock;

// One call that this session serves.
class Session::ServedCall final : public IncomingCall {
 public:
  ServedCall(Session& session, const ServiceRegistry::Entry& entry, CallId id, Body& body)
      : IncomingCall(ServerContext(*entry.method->method, session.connection_.peer())),
        session_(session),
        pace_(*entry.pace),
        leader_(Lane::Leader::Current()),
        id_(id),
        body_(body) {}

  bool ReadRequest(MessageLite& request) override {
    bool parsed = request.ParsePartialFromArray(body_.data(), static_cast<int>(body_.size())) &&
                  request.IsInitialized();
    body_.Release();
    if (!parsed) {
      RefuseRequest(request);
      return false;
    }
    in_handler_ = true;
    leader_.EnterHandler(pace_);
    bool is_blocking = context().method().execution == Execution::kBlocking;
    if (!is_blocking && pace_.is_slow()) measured_from_ = Clock::now();
    if (is_blocking || pace_.is_slow() || leader_.is_cautious()) leader_.PassOn();
    return true;
  }

  void Reply(const absl::Status& status, const MessageLite& reply) override {
    session_.connection_.Reply(id_, status, reply, session_.TakeCredit());
  }

  void Finish() {
    if (measured_from_ != Clock::time_point()) pace_.Took(Clock::now() - measured_from_);
    if (in_handler_) leader_.LeaveHandler();
  }

 private:
  ABSL_ATTRIBUTE_COLD void RefuseRequest(const MessageLite& request) {
    session_.connection_.ReplyError(id_,
                                    absl::InvalidArgumentError(absl::StrCat(
                                        NameOf(context().method()), ": request of ", body_.size(),
                                        " bytes is not a valid ", request.GetTypeName())),
                                    session_.TakeCredit());
  }

  Session& session_;
  MethodPace& pace_;
  Lane::Leader& leader_;
  const CallId id_;
  Body& body_;
  bool in_handler_ = false;
  Clock::time_point measured_from_;
};

void Session::OnRequest(const FrameHeader& header, Body& body) {
  if (connection_.counts_credit()) {
    in_hand_.store(static_cast<uint32_t>(body.size()), std::memory_order_relaxed);
  }
  const ServiceRegistry::Entry* entry = registry_.Find(header.method);
  if (entry == nullptr) {
    connection_.ReplyError(header.call, absl::UnimplementedError(""), TakeCredit());
    return;
  }
  ServedCall call(*this, *entry, header.call, body);
  entry->method->serve(*entry->service, call);
  call.Finish();
}

}  // namespace ferry::internal

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/session.h"

#include <optional>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/body.h"
#include "ferry/rpc/internal/method_name.h"

namespace ferry::internal {

using google::protobuf::MessageLite;

// The thread that leads, while it does.
class Session::Leader final : public Leadership {
 public:
  Leader(Session& session, LeaderRole::Term term) : session_(session), term_(term) {}

  // That of this thread. REQUIRES: there is one.
  static Leader& Current() { return static_cast<Leader&>(*Leadership::Current()); }

  bool leads() const { return leads_; }

  void EnterHandler() { session_.role_.EnterHandler(term_); }
  void LeaveHandler() { leads_ = session_.role_.LeaveHandler(term_); }

  // Asks a spare thread to take over. Again and again is harmless: who comes too late
  // finds nobody in a handler.
  void PassOn() override {
    if (!asked_) session_.pool_.Run(session_.shared_from_this());
    asked_ = true;
  }
  void BeginCall() { asked_ = false; }

 private:
  Session& session_;
  const LeaderRole::Term term_;
  bool leads_ = true;
  bool asked_ = false;
};

// One call that this session serves.
class Session::ServedCall final : public IncomingCall {
 public:
  ServedCall(Session& session, Leader& leader, const Method& method, CallId id, Body& body)
      : IncomingCall(ServerContext(method, session.connection_.peer())),
        session_(session),
        leader_(leader),
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
    leader_.BeginCall();
    leader_.EnterHandler();
    if (context().method().execution == Execution::kBlocking) leader_.PassOn();
    return true;
  }

  void Reply(const absl::Status& status, const MessageLite& reply) override {
    session_.connection_.Reply(id_, status, reply);
  }

  void Finish() {
    if (in_handler_) leader_.LeaveHandler();
  }

 private:
  ABSL_ATTRIBUTE_COLD void RefuseRequest(const MessageLite& request) {
    session_.connection_.ReplyError(
        id_, absl::InvalidArgumentError(absl::StrCat(NameOf(context().method()), ": request of ",
                                                     body_.size(), " bytes is not a valid ",
                                                     request.GetTypeName())));
  }

  Session& session_;
  Leader& leader_;
  const CallId id_;
  Body& body_;
  bool in_handler_ = false;
};

Session::Session(std::unique_ptr<Transport> transport, size_t max_message,
                 const ServiceRegistry& registry, WorkerPool& pool)
    : registry_(registry),
      pool_(pool),
      connection_(std::move(transport), Connection::Side::kAccepted, max_message, this) {}

void Session::Run() {
  if (std::optional<LeaderRole::Term> term = role_.TryTake()) Enter(*term);
}

void Session::Enter(LeaderRole::Term term) {
  {
    MutexLock lock(mutex_);
    ++threads_;
  }
  Lead(term);
  {
    MutexLock lock(mutex_);
    --threads_;
    ended_changed_.NotifyAll();
  }
  pool_.Wake();  // for who works until the end
}

void Session::Lead(LeaderRole::Term term) {
  Leader leader(*this, term);
  while (leader.leads()) {
    switch (connection_.HandleNext()) {
      case Connection::Step::kHandled:
        break;
      case Connection::Step::kEmpty:
        connection_.WaitForFrames();
        break;
      case Connection::Step::kClosed: {
        MutexLock lock(mutex_);
        closed_ = true;
        return;
      }
    }
  }
}

void Session::OnRequest(const FrameHeader& header, Body& body) {
  const ServiceRegistry::Entry* entry = registry_.Find(header.method);
  if (entry == nullptr) {
    connection_.ReplyError(header.call, absl::UnimplementedError(""));
    return;
  }
  ServedCall call(*this, Leader::Current(), *entry->method->method, header.call, body);
  entry->method->serve(*entry->service, call);
  call.Finish();
}

absl::Status Session::AwaitEnd() {
  MutexLock lock(mutex_);
  while (!closed_ || threads_ != 0) ended_changed_.Wait(mutex_);
  return connection_.close_reason();
}

bool Session::ended() {
  MutexLock lock(mutex_);
  return closed_ && threads_ == 0;
}

}  // namespace ferry::internal

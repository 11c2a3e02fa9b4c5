// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Both ends of calls with streams, for messages with a text.

#ifndef FERRY_TESTS_CODEGEN_CORNERS_STREAMED_H_
#define FERRY_TESTS_CODEGEN_CORNERS_STREAMED_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/client_stream.h"
#include "ferry/rpc/server_stream.h"

namespace ferry::test {

template <typename Message>
Message WithText(const std::string& text) {
  Message message;
  message.set_text(text);
  return message;
}

// Handlers: "abc" makes the replies "a", "b", "c"; the requests "a", "b", "c" the reply "abc";
// and each request a reply.

template <typename Request, typename Reply>
absl::Status SendLetters(const Request& request, ServerWriter<Reply>& replies) {
  for (char letter : request.text()) {
    if (!replies.Write(WithText<Reply>(std::string(1, letter)))) break;
  }
  return absl::OkStatus();
}

template <typename Request, typename Reply>
absl::Status JoinLetters(ServerReader<Request>& requests, Reply& reply) {
  for (Request request; requests.Read(&request);) reply.set_text(reply.text() + request.text());
  return absl::OkStatus();
}

template <typename Reply, typename Request>
absl::Status EchoEach(ServerReaderWriter<Reply, Request>& stream) {
  for (Request request; stream.Read(&request);) {
    if (!stream.Write(WithText<Reply>(request.text()))) break;
  }
  return absl::OkStatus();
}

// Clients: what came, one behind the other, or what went wrong.

template <typename Reply>
std::string AllOf(ClientReader<Reply> reader) {
  std::string texts;
  for (Reply reply; reader.Read(&reply);) texts += reply.text() + ";";
  const absl::Status status = reader.Finish();
  return status.ok() ? texts : status.ToString();
}

// `reply`: what the writer's call fills in.
template <typename Request, typename Reply>
std::string AnswerToLetters(ClientWriter<Request> writer, const Reply& reply) {
  for (const char* letter : {"a", "b", "c"}) {
    if (!writer.Write(WithText<Request>(letter))) break;
  }
  const absl::Status status = writer.Finish();
  return status.ok() ? reply.text() : status.ToString();
}

// Each reply is waited for before the next request.
template <typename Request, typename Reply>
std::string EchoesOfLetters(ClientReaderWriter<Request, Reply> stream) {
  std::string texts;
  for (const char* letter : {"a", "b", "c"}) {
    Reply reply;
    if (!stream.Write(WithText<Request>(letter)) || !stream.Read(&reply)) break;
    texts += reply.text() + ";";
  }
  stream.WritesDone();
  const absl::Status status = stream.Finish();
  return status.ok() ? texts : status.ToString();
}

}  // namespace ferry::test

#endif  // FERRY_TESTS_CODEGEN_CORNERS_STREAMED_H_

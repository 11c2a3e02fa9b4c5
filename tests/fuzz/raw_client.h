// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_RAW_CLIENT_H_
#define FERRY_TESTS_FUZZ_RAW_CLIENT_H_

#include <cstdint>
#include <string>

#include "tests/fuzz/program.h"
#include "tests/fuzz/script_transport.h"
#include "tests/fuzz/served_model.h"

namespace ferry::test {

// A client that puts the frames of a program onto a transport. Thread contract:
// thread-compatible.
class RawClient {
 public:
  // What is given by reference outlives it.
  RawClient(Program& program, const ServedModel& model, ScriptTransport& transport)
      : program_(program), model_(model), transport_(transport) {}

  void SayHello(uint32_t kind);

  // The step of that letter. Answers whether a frame was put.
  bool Step(char letter);

  // What the handlers do that this step begins.
  const std::string& script() const { return script_; }

  // Not if somebody has announced more than anybody waits for.
  bool CanWrapUp() const;
  // After the program: finishes messages, then streams, then cancels what is open. Answers
  // whether a frame was put; when none is, all calls are to have a reply.
  bool WrapUp();

 private:
  static constexpr uint32_t kIndexes = 4;

  void Put(FrameHeader header, std::string payload);
  FrameHeader HeaderOf(FrameType type, uint32_t index);
  void PutRequest();
  void PutMetadata();
  void PutMessage();
  void PutOfCallee();
  bool PutContinue(uint32_t which, size_t size, bool is_last);
  bool PutRaw();
  bool PutToOpen(FrameType type);

  Program& program_;
  const ServedModel& model_;
  ScriptTransport& transport_;
  std::string script_;
  Damage damage_;
  uint32_t number_ = 0;
  uint32_t generations_[kIndexes] = {};
  bool has_metadata_[kIndexes] = {};  // for the next request
  int wrap_up_ = 0;
  uint32_t last_wrapped_ = 0;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_RAW_CLIENT_H_

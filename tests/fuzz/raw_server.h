// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_RAW_SERVER_H_
#define FERRY_TESTS_FUZZ_RAW_SERVER_H_

#include <cstdint>
#include <string>

#include "tests/fuzz/calling_model.h"
#include "tests/fuzz/program.h"
#include "tests/fuzz/script_transport.h"

namespace ferry::test {

// A server that puts the frames of a program onto a transport. Thread contract:
// thread-compatible.
class RawServer {
 public:
  // What is given by reference outlives it.
  RawServer(Program& program, const CallingModel& model, ScriptTransport& transport)
      : program_(program), model_(model), transport_(transport) {}

  void SayHello(uint32_t kind);

  // The step of that letter. Answers whether a frame was put.
  bool Step(char letter);

  // Not if somebody has announced more than anybody waits for.
  bool CanWrapUp() const;
  // After the program: finishes messages, then calls. Answers whether a frame was put; when none
  // is, nobody waits for anything.
  bool WrapUp();

 private:
  void Put(FrameHeader header, std::string payload);
  // One of the last calls; null if there was none.
  const CallingModel::Call* Pick();
  bool PutReply();
  bool PutMessage();
  bool PutMetadata();
  bool PutCredit();
  void PutOfCaller();
  bool PutContinue(uint32_t which, size_t size, bool is_last);
  void PutReplyTo(const CallingModel::Call& call, uint16_t code, size_t size, uint32_t flags);

  Program& program_;
  const CallingModel& model_;
  ScriptTransport& transport_;
  Damage damage_;
  uint32_t number_ = 0;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_RAW_SERVER_H_

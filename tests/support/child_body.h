// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Bodies of child processes, in the same program as the test that starts them:
//
//   CHILD_BODY(SaysHello) { std::puts("hello"); return 0; }
//   … options.program = SelfPath(); options.arguments = {ChildFlag("SaysHello")};

#ifndef FERRY_TESTS_SUPPORT_CHILD_BODY_H_
#define FERRY_TESTS_SUPPORT_CHILD_BODY_H_

#include <string>

namespace ferry::test {

using ChildBody = int (*)();

// Registers a body; used by CHILD_BODY.
bool RegisterChildBody(const char* name, ChildBody body);

// Runs the body that the command line asks for, if it does. Answers whether it did.
bool RunChildBody(int argc, char** argv, int& exit_code);

// The path of this program.
std::string SelfPath();
std::string ChildFlag(const std::string& name);

// The address of a child with that body, to which parameters such as "&stderr=null" can
// be appended.
std::string ChildAddress(const std::string& name);

}  // namespace ferry::test

#define CHILD_BODY(name)                                        \
  static int name##ChildBody();                                 \
  [[maybe_unused]] static const bool name##Registered =         \
      ::ferry::test::RegisterChildBody(#name, name##ChildBody); \
  static int name##ChildBody()

#endif  // FERRY_TESTS_SUPPORT_CHILD_BODY_H_

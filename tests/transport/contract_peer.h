// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// A peer in another process, which is killed, and what its survivor must see.

#ifndef FERRY_TESTS_TRANSPORT_CONTRACT_PEER_H_
#define FERRY_TESTS_TRANSPORT_CONTRACT_PEER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/body_process.h"
#include "tests/transport/contract.h"

namespace ferry::test {

// Which end of the connection dies: the one that…
enum class Role : int {
  kConnects,
  kServes,
  kIsChild,   // was started by the other
  kIsParent,  // has started the other
};
std::vector<Role> RolesOf(const TransportKind& kind);
std::string NameOf(Role role);

// How far it comes. Before that it has sent "greeting", but for kConnected.
enum class Step : int {
  kConnected,
  kReserved,   // has a reservation
  kCommitted,  // has committed "committed", and not flushed
  kInMessage,  // has sent the part of a large message that there was room for
  kReading,    // sleeps until something arrives
  kInFrame,    // has read a part of a large message, and holds a frame of it
  kAnswered,   // has read "question", and sent "answer"
};
constexpr Step kSteps[] = {Step::kConnected, Step::kReserved, Step::kCommitted, Step::kInMessage,
                           Step::kReading,   Step::kInFrame,  Step::kAnswered};
std::string NameOf(Step step);

// A process that connects in that role and comes to that step, and then says "there" and
// waits to be killed. Not for kIsChild.
std::vector<std::string> GetsTo(Role role, Step step, const std::string& address);

// One that is killed by its k-th system call, or sends "small" and LargeMessage(), reads
// until "answer" and ends with 0. As a server it says "listening" in between.
std::vector<std::string> IsKilledByCall(Role role, int k, const std::string& address);

// Bodies of the processes, with the variables that the above answer.
inline constexpr char kDies[] = "Dies";
inline constexpr char kSurvivesParent[] = "SurvivesParent";

// The address of a child with that body, over that link.
std::string ChildAt(const std::string& body, const std::string& link,
                    const std::vector<std::string>& variables);

std::string LargeMessage();

// What the survivor does before, and then sees of, the end of a peer that came to `step`.
// The latter answers "", or what is wrong.
void BeforeTheEnd(Transport& transport, Step step);
std::string AfterTheEnd(Transport& transport, Step step);
// Whether the peer comes there only if the survivor reads, and so sends, until the end.
inline bool ReadsMeanwhile(Step step) { return step == Step::kReading || step == Step::kInFrame; }

// All of `must` arrives, then as much of `may` as there is, whole and in its order; then
// comes the end, and it is safe to send. Answers "", or what is wrong.
std::string SeesTheEnd(Transport& transport, const std::vector<std::string>& must,
                       const std::vector<std::string>& may);

// A pipe on which other processes say lines.
class Lines {
 public:
  Lines();
  ~Lines();
  // What tells a body of it.
  std::string variable() const { return "SAY=" + path_; }
  // The next line, or "" when everybody who could say one has ended. The first does come.
  std::string Read();

 private:
  std::string path_;
  int read_end_ = -1;
  int write_end_ = -1;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_TRANSPORT_CONTRACT_PEER_H_

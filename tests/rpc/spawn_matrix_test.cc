// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong with a child, and what its parent is told: the table in
// docs/processes.md, whose rows are the cases here.

#include <elf.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/rpc/deeds_service.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

// A file that is removed at the end of the case.
class ProgramFile {
 public:
  ProgramFile(const std::string& content, mode_t mode)
      : path_(absl::StrCat(testing::TempDir(), "program.", getpid())) {
    std::ofstream(path_, std::ios::binary) << content;
    chmod(path_.c_str(), mode);
  }
  ~ProgramFile() { unlink(path_.c_str()); }

  absl::Status Start() const { return Connect("exec:" + path_).status(); }

 private:
  const std::string path_;
};

// The beginning of a program for `machine`, whose loader is `loader`.
std::string Elf(uint16_t machine, const std::string& loader) {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = machine;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof(header);
  header.e_ehsize = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr part = {};
  part.p_type = PT_INTERP;
  part.p_offset = sizeof(header) + sizeof(part);
  part.p_filesz = loader.size() + 1;
  std::string bytes(reinterpret_cast<char*>(&header), sizeof(header));
  bytes.append(reinterpret_cast<char*>(&part), sizeof(part));
  return bytes + loader + '\0';
}

#if defined(__x86_64__)
constexpr uint16_t kThisMachine = EM_X86_64;
constexpr uint16_t kOtherMachine = EM_AARCH64;
#else
constexpr uint16_t kThisMachine = EM_AARCH64;
constexpr uint16_t kOtherMachine = EM_X86_64;
#endif

// Of the children that it is not said of.
struct Link {
  const char* name;  // of the address
  ChildLinkKind kind;
};
constexpr Link kLinks[] = {
    {"pipe", ChildLinkKind::kPipes}, {"unix", ChildLinkKind::kUnix}, {"shm", ChildLinkKind::kShm}};
Link current_link = kLinks[0];

// One that does not end when it should.
ChildOptions WorseChild() {
  ChildOptions options = DeedsChild();
  options.link = current_link.kind;
  options.grace = absl::Milliseconds(20);
  return options;
}

absl::Status NoSuchProgram() { return Connect("exec:/nowhere/worker").status(); }
absl::Status NotExecutable() { return ProgramFile("echo hello\n", 0644).Start(); }
absl::Status ADirectory() { return Connect("exec:/usr").status(); }
absl::Status WrongArchitecture() {
  return ProgramFile(Elf(kOtherMachine, "/lib/ld.so"), 0755).Start();
}
absl::Status MissingLoader() {
  return ProgramFile(Elf(kThisMachine, "/nowhere/ld.so"), 0755).Start();
}
absl::Status MissingInterpreter() { return ProgramFile("#!/nowhere/python\n", 0755).Start(); }
absl::Status WindowsLineEnd() { return ProgramFile("#!/bin/sh\r\necho hello\r\n", 0755).Start(); }
absl::Status NoInterpreter() { return ProgramFile("echo hello\n", 0755).Start(); }
absl::Status EmptyFile() { return ProgramFile("", 0755).Start(); }
absl::Status NoSuchFolder() { return Connect(DeedsAddress() + "&cwd=/nowhere").status(); }
absl::Status TooLongArgument() {
  ChildOptions options = WorseChild();
  options.arguments.push_back(std::string(3'000'000, 'a'));
  return Spawn(options).status();
}

absl::Status ConnectTo(const std::string& body, const std::string& parameters = "") {
  ChannelOptions options;
  options.handshake_timeout = absl::Seconds(30);
  return Connect(absl::StrCat(ChildAddress(body), "&transport=", current_link.name, parameters),
                 options)
      .status();
}

CHILD_BODY(ExitsAtOnce) {
  std::fprintf(stderr, "no license found\n");
  return 3;
}
absl::Status ExitsBeforeTheHandshake() { return ConnectTo("ExitsAtOnce", "&stderr=capture"); }

CHILD_BODY(DiesAtOnce) { return kill(getpid(), SIGKILL); }
absl::Status KilledBeforeTheHandshake() { return ConnectTo("DiesAtOnce"); }

CHILD_BODY(StopsAtOnce) { return kill(getpid(), SIGSTOP); }
absl::Status StoppedBeforeTheHandshake() {
  ChildOptions child = WorseChild();
  child.arguments = {ChildFlag("StopsAtOnce")};
  ChannelOptions options;
  options.handshake_timeout = absl::Milliseconds(200);
  return Spawn(child, options).status();
}

CHILD_BODY(ClosesEverything) {
  for (int fd = 0; fd < 100; ++fd) close(fd);
  for (;;) pause();
}
absl::Status ClosesEverythingBeforeTheHandshake() {
  ChildOptions child = WorseChild();
  child.arguments = {ChildFlag("ClosesEverything")};
  return Spawn(child).status();
}

CHILD_BODY(SaysHalfAHello) {
  constexpr char kHalf[] = "\x0d\0\0\0\x01\0";
  for (int fd : {4, 3}) {  // the latter is a socket
    if (write(fd, kHalf, sizeof(kHalf)) == sizeof(kHalf)) return 0;
  }
  return 1;
}
absl::Status ExitsInTheHandshake() { return ConnectTo("SaysHalfAHello"); }

absl::Status PrintsOnTheStdioOfCalls() {
  return Connect("exec:echo?transport=stdio&arg=Usage: worker [OPTION] FILE").status();
}

CHILD_BODY(ExecsTrue) { return execlp("true", "true", nullptr); }
absl::Status ExecsSomethingElse() { return ConnectTo("ExecsTrue"); }

// Runs `deed` with a stub of a fresh child.
absl::Status In(const std::function<absl::Status(const Child&, const DeedsStub&)>& deed,
                const ChildOptions& options = WorseChild()) {
  absl::StatusOr<Child> child = Spawn(options);
  if (!child.ok()) return child.status();
  return deed(*child, DeedsStub(child->channel()));
}

Number Value(int64_t value) {
  Number number;
  number.set_value(value);
  return number;
}

absl::Status ExitsAfterTheHandshake() {
  return In([](const Child& child, const DeedsStub& stub) {
    kill(child.pid(), SIGTERM);
    child.Wait(absl::InfiniteDuration());
    // The first call may still be sent; the second cannot.
    stub.Look(Nothing()).status().IgnoreError();
    return stub.Look(Nothing()).status();
  });
}
absl::Status ExitsInACall() {
  return In(
      [](const Child&, const DeedsStub& stub) { return stub.ExitWithCode(Value(7)).status(); });
}
absl::Status KilledInACall() {
  return In(
      [](const Child&, const DeedsStub& stub) { return stub.Raise(Value(SIGKILL)).status(); });
}
absl::Status StoppedInACall() {
  return In([](const Child&, const DeedsStub& stub) {
    CallOptions options;
    options.timeout = absl::Milliseconds(200);
    return stub.Raise(Value(SIGSTOP), options).status();
  });
}
absl::Status ClosesEverythingInACall() {
  return In(
      [](const Child&, const DeedsStub& stub) { return stub.CloseEverything(Nothing()).status(); });
}
absl::Status ExecsInACall() {
  return In([](const Child&, const DeedsStub& stub) {
    Text program;
    program.set_text("sleep");
    return stub.Exec(program).status();
  });
}
absl::Status ForksAndDies(bool raw) {
  return In([raw](const Child& child, const DeedsStub& stub) {
    Number grandchild = *(raw ? stub.CloneRaw(Nothing()) : stub.Fork(Nothing()));
    absl::Status status = stub.Raise(Value(SIGKILL)).status();
    EXPECT_EQ(kill(static_cast<pid_t>(grandchild.value()), SIGKILL), 0) << "it has ended";
    child.Wait(absl::InfiniteDuration());
    return status;
  });
}
absl::Status ForksAndIsKilled() { return ForksAndDies(false); }
absl::Status ClonesAndIsKilled() { return ForksAndDies(true); }

// The shell's background process has the pipes before the worker does.
absl::Status WrapperKeepsThePipes() {
  ChildOptions options = WorseChild();
  options.program = "sh";
  options.arguments = {"-c", "sleep 1000 & echo $!; exec \"$@\"", "sh", SelfPath(),
                       ChildFlag("Deeds")};
  options.standard_output = Stdio::kCapture;
  return In(
      [](const Child& child, const DeedsStub& stub) {
        absl::Status status = stub.Raise(Value(SIGKILL)).status();
        // Another thread takes the output in.
        while (child.captured_output().find('\n') == std::string::npos) usleep(1000);
        pid_t sleeper = atoi(child.captured_output().c_str());
        EXPECT_TRUE(sleeper > 1 && kill(sleeper, SIGKILL) == 0) << "it has ended";
        return status;
      },
      options);
}
absl::Status WithLastWords() {
  ChildOptions options = WorseChild();
  options.standard_error = Stdio::kCapture;
  return In(
      [](const Child&, const DeedsStub& stub) {
        Text text;
        text.set_text("assertion failed: x > 0");
        stub.Complain(text).status().IgnoreError();
        return stub.Raise(Value(SIGABRT)).status();
      },
      options);
}

struct Row {
  const char* name;
  const char* what;  // the row's first column
  absl::Status (*run)();
};

const Row kRows[] = {
    {"NoSuchProgram", "does not exist", NoSuchProgram},
    {"NotExecutable", "is not executable", NotExecutable},
    {"ADirectory", "is a directory", ADirectory},
    {"WrongArchitecture", "is for another architecture", WrongArchitecture},
    {"MissingLoader", "has no loader on this machine", MissingLoader},
    {"MissingInterpreter", "is a script without its interpreter", MissingInterpreter},
    {"WindowsLineEnd", "is a script with Windows line ends", WindowsLineEnd},
    {"NoInterpreter", "is text without a `#!` line", NoInterpreter},
    {"EmptyFile", "is an empty file", EmptyFile},
    {"NoSuchFolder", "has no working directory", NoSuchFolder},
    {"TooLongArgument", "has a longer argument than exec allows", TooLongArgument},
    {"ExitsBeforeTheHandshake", "exits before the handshake (`stderr=capture`)",
     ExitsBeforeTheHandshake},
    {"KilledBeforeTheHandshake", "is killed before the handshake", KilledBeforeTheHandshake},
    {"StoppedBeforeTheHandshake", "is stopped before the handshake", StoppedBeforeTheHandshake},
    {"ClosesEverythingBeforeTheHandshake", "closes everything before the handshake, and lives",
     ClosesEverythingBeforeTheHandshake},
    {"ExitsInTheHandshake", "exits in the handshake", ExitsInTheHandshake},
    {"PrintsOnTheStdioOfCalls", "is a program that prints (`transport=stdio`)",
     PrintsOnTheStdioOfCalls},
    {"ExecsSomethingElse", "executes something else, which ends", ExecsSomethingElse},
    {"ExitsAfterTheHandshake", "ends between two calls", ExitsAfterTheHandshake},
    {"ExitsInACall", "exits in a call", ExitsInACall},
    {"KilledInACall", "is killed in a call", KilledInACall},
    {"WithLastWords", "aborts in a call (`stderr=capture`)", WithLastWords},
    {"StoppedInACall", "is stopped in a call that has a deadline", StoppedInACall},
    {"ClosesEverythingInACall", "closes everything in a call, and lives", ClosesEverythingInACall},
    {"ExecsInACall", "executes something else in a call", ExecsInACall},
    {"ForksAndIsKilled", "forks and is killed; the forked process lives", ForksAndIsKilled},
    {"ClonesAndIsKilled", "the same by a bare `clone`, which keeps the pipes open",
     ClonesAndIsKilled},
    {"WrapperKeepsThePipes",
     "is killed; its wrapper script has left a process that keeps the pipes open",
     WrapperKeepsThePipes},
};

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// Without what differs from run to run.
std::string Shown(const absl::Status& status) {
  std::string text = status.ToString();
  text.resize(std::min(text.find(" [type.googleapis.com"), text.size()));
  for (size_t at = 0; (at = text.find("child ", at)) != std::string::npos; at += 6) {
    size_t end = text.find_first_not_of("0123456789", at + 6);
    if (end != at + 6) text.replace(at + 6, end - at - 6, "4711");
  }
  ReplaceAll(text, absl::StrCat(testing::TempDir(), "program.", getpid()), "/opt/worker");
  ReplaceAll(text, SelfPath(), "worker");
  ReplaceAll(text, " [ring=64KiB]", "");  // beside who the peer is
  const passwd* user = getpwuid(geteuid());
  std::string name = user != nullptr ? user->pw_name : absl::StrCat("uid ", geteuid());
  for (const std::string phrase : {"belongs to ", "runs as "}) {
    ReplaceAll(text, phrase + name, phrase + "ann");
    ReplaceAll(text, phrase + "root", phrase + "ann");
  }
  ReplaceAll(text, "\n", " ");
  return text;
}

// "| what | text |" of the table, by what.
std::string Documented(const std::string& what) {
  std::ifstream file(FERRY_SOURCE_DIR "/docs/processes.md");
  std::string begin = "| " + what + " | `";
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, begin.size(), begin) == 0) {
      return line.substr(begin.size(), line.rfind("` |") - begin.size());
    }
  }
  return "no row";
}

class SpawnMatrixTest : public testing::TestWithParam<std::tuple<Row, Link>> {};

TEST_P(SpawnMatrixTest, TheParentIsTold) {
  const Row& row = std::get<0>(GetParam());
  current_link = std::get<1>(GetParam());
  std::string text = Shown(row.run());
  EXPECT_EQ(text, Documented(row.what));
  std::printf("| %s | `%s` |\n", row.what, text.c_str());
}

TEST(SpawnMatrixDocTest, HasNoOtherRows) {
  std::ifstream file(FERRY_SOURCE_DIR "/docs/processes.md");
  std::string line;
  while (std::getline(file, line) && line != "| the child | status |") {
  }
  size_t rows = 0;
  while (std::getline(file, line)) rows += line.find(" | `") != std::string::npos;
  EXPECT_EQ(rows, std::size(kRows));
}

INSTANTIATE_TEST_SUITE_P(Rows, SpawnMatrixTest,
                         testing::Combine(testing::ValuesIn(kRows), testing::ValuesIn(kLinks)),
                         [](const auto& test) {
                           return absl::StrCat(std::get<0>(test.param).name, "_",
                                               std::get<1>(test.param).name);
                         });

}  // namespace
}  // namespace ferry::test

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/rpc/deeds_service.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <system_error>

#include "ferry/rpc/server.h"
#include "tests/support/child_body.h"

namespace ferry::test {
namespace {

std::string LinkTarget(const std::string& path) {
  char target[4096];
  ssize_t length = readlink(path.c_str(), target, sizeof(target));
  return std::string(target, length > 0 ? static_cast<size_t>(length) : 0);
}

// Listed before ferry opens anything.
std::vector<std::string> Descriptors() {
  std::vector<std::string> found;
  DIR* folder = opendir("/proc/self/fd");
  while (dirent* entry = readdir(folder)) {
    std::string name = entry->d_name;
    if (name[0] == '.' || name == std::to_string(dirfd(folder))) continue;
    found.push_back(name + " " + LinkTarget("/proc/self/fd/" + name));
  }
  closedir(folder);
  return found;
}
std::vector<std::string> descriptors_at_start;

void SleepForEver() {
  for (;;) pause();
}

}  // namespace

absl::Status DeedsImpl::Look(ServerContext&, const Nothing&, World& world) {
  std::ifstream arguments("/proc/self/cmdline", std::ios::binary);
  for (std::string one; std::getline(arguments, one, '\0');) world.add_arguments(one);
  for (char** entry = environ; *entry != nullptr; ++entry) world.add_environment(*entry);
  std::error_code deleted;
  world.set_working_directory(std::filesystem::current_path(deleted).string());
  for (const std::string& one : descriptors_at_start) world.add_descriptors(one);
  return absl::OkStatus();
}

absl::Status DeedsImpl::ReadDescriptor(ServerContext&, const Number& fd, Text& text) {
  char bytes[100];
  ssize_t got = read(static_cast<int>(fd.value()), bytes, sizeof(bytes));
  text.set_text(bytes, got > 0 ? static_cast<size_t>(got) : 0);
  return absl::OkStatus();
}

absl::Status DeedsImpl::ExitWithCode(ServerContext&, const Number& code, Nothing&) {
  _exit(static_cast<int>(code.value()));
}

absl::Status DeedsImpl::Raise(ServerContext&, const Number& signal, Nothing&) {
  kill(getpid(), static_cast<int>(signal.value()));
  return absl::OkStatus();
}

absl::Status DeedsImpl::CloseEverything(ServerContext&, const Nothing&, Nothing&) {
  syscall(SYS_close_range, 0, ~0U, 0);
  SleepForEver();
  return absl::OkStatus();
}

absl::Status DeedsImpl::Exec(ServerContext&, const Text& program, Nothing&) {
  execlp(program.text().c_str(), program.text().c_str(), "1000", nullptr);
  return absl::InternalError("exec failed");
}

absl::Status DeedsImpl::Print(ServerContext&, const Text& text, Nothing&) {
  std::printf("printf: %s\n", text.text().c_str());
  std::fflush(stdout);
  std::cout << "cout: " << text.text() << std::endl;
  std::string raw = "write: " + text.text() + "\n";
  if (write(STDOUT_FILENO, raw.data(), raw.size()) < 0) return absl::DataLossError("write");
  if (std::system(("echo \"child: " + text.text() + "\"").c_str()) != 0) {
    return absl::DataLossError("echo");
  }
  return absl::OkStatus();
}

absl::Status DeedsImpl::Complain(ServerContext&, const Text& text, Nothing&) {
  std::fprintf(stderr, "%s\n", text.text().c_str());
  return absl::OkStatus();
}

absl::Status DeedsImpl::Flood(ServerContext&, const Number& lines, Nothing&) {
  std::string line(999, 'f');
  for (int64_t i = 0; i < lines.value(); ++i) std::fprintf(stderr, "%s\n", line.c_str());
  return absl::OkStatus();
}

absl::Status DeedsImpl::Fork(ServerContext&, const Nothing&, Number& pid) {
  pid_t forked = fork();
  if (forked == 0) SleepForEver();
  pid.set_value(forked);
  return absl::OkStatus();
}

absl::Status DeedsImpl::CloneRaw(ServerContext&, const Nothing&, Number& pid) {
  long cloned = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (cloned == 0) SleepForEver();
  pid.set_value(cloned);
  return absl::OkStatus();
}

absl::Status DeedsImpl::Hang(ServerContext&, const Nothing&, Nothing&) {
  SleepForEver();
  return absl::OkStatus();
}

absl::Status DeedsImpl::HangAside(ServerContext&, const Nothing&, Nothing&) {
  SleepForEver();
  return absl::OkStatus();
}

int ServeDeeds(const char* address) {
  descriptors_at_start = Descriptors();
  DeedsImpl service;
  Server server;
  server.Register(service);
  return ExitCode(server.Serve(address));
}

CHILD_BODY(Deeds) { return ServeDeeds("parent:"); }
CHILD_BODY(DeedsOnStdio) { return ServeDeeds("stdio:"); }
CHILD_BODY(DeedsOnStdioShortGrace) { return ServeDeeds("stdio:?orphan_grace=100ms"); }
CHILD_BODY(DeedsShortGrace) { return ServeDeeds("parent:?orphan_grace=100ms"); }

ChildOptions DeedsChild() {
  ChildOptions options;
  options.program = SelfPath();
  options.arguments = {ChildFlag("Deeds")};
  options.grace = absl::Minutes(1);
  return options;
}

std::string DeedsAddress() { return ChildAddress("Deeds"); }

}  // namespace ferry::test

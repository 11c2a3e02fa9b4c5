// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// main of every test program: a test that leaves a descriptor or a child process behind
// fails.

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>

#include "tests/support/child_body.h"

namespace {

std::set<std::string> OpenDescriptors() {
  std::set<std::string> open;
  DIR* folder = opendir("/proc/self/fd");
  while (dirent* entry = readdir(folder)) {
    std::string name = entry->d_name;
    if (name[0] == '.' || name == std::to_string(dirfd(folder))) continue;
    char target[256];
    std::string path = "/proc/self/fd/" + name;
    ssize_t length = readlink(path.c_str(), target, sizeof(target));
    open.insert(name + " -> " + std::string(target, length > 0 ? static_cast<size_t>(length) : 0));
  }
  closedir(folder);
  return open;
}

class LeakListener final : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo&) override { before_ = OpenDescriptors(); }

  void OnTestEnd(const testing::TestInfo&) override {
    for (const std::string& descriptor : OpenDescriptors()) {
      if (before_.count(descriptor) == 0) ADD_FAILURE() << "left open: descriptor " << descriptor;
    }
    int status;
    pid_t child = waitpid(-1, &status, WNOHANG);
    if (child >= 0) ADD_FAILURE() << "left behind: a child process";
  }

 private:
  std::set<std::string> before_;
};

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  if (ferry::test::RunChildBody(argc, argv, exit_code)) return exit_code;
  testing::InitGoogleTest(&argc, argv);
  testing::UnitTest::GetInstance()->listeners().Append(new LeakListener);
  return RUN_ALL_TESTS();
}

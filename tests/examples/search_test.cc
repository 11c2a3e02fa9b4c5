// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The example search prints what grep prints, whatever happens to its workers, and
// leaves no process behind.

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

constexpr char kHeaders[] = "/usr/include/google";

const fs::path& Programs() {
  static const fs::path folder = [] {
    const char* set = getenv("FERRY_BIN_DIR");
    return fs::path(set != nullptr ? set : "FERRY_BIN_DIR is not set");
  }();
  return folder;
}

struct Outcome {
  std::string output;
  int exit_code;
};

// What a command of bash prints; its stderr is the test's.
Outcome Shell(const std::string& command) {
  std::string quoted = command;
  for (size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 4) {
    quoted.replace(at, 1, "'\\''");
  }
  std::FILE* pipe = popen(("exec bash -c '" + quoted + "'").c_str(), "re");
  Outcome run = {"", -1};
  char buffer[4096];
  while (size_t count = std::fread(buffer, 1, sizeof(buffer), pipe)) {
    run.output.append(buffer, count);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) run.exit_code = WEXITSTATUS(status);
  return run;
}

// A command of the program under test, and grep's that it is measured by; `arguments`:
// options, pattern and folder, in the shell's words.
std::string Search(const std::string& arguments) {
  return (Programs() / "search").string() + " " + arguments;
}
std::string Grep(const std::string& arguments) { return "grep -rcIH " + arguments; }

void ExpectAgreement(const std::string& arguments, const std::string& options = "") {
  SCOPED_TRACE(Search(options + arguments));
  const std::string sort = " | LC_ALL=C sort";
  Outcome found = Shell("set -o pipefail; " + Search(options + arguments) + sort);
  EXPECT_EQ(found.output, Shell(Grep(arguments) + " | grep -av ':0$'" + sort).output);
  EXPECT_EQ(found.exit_code, Shell(Grep(arguments) + " 2>/dev/null").exit_code);
}

// A process whose program is the worker; zombies have none.
bool IsAnyWorkerLeft() {
  std::error_code ignored;
  for (const fs::directory_entry& process : fs::directory_iterator("/proc")) {
    fs::path program = fs::read_symlink(process.path() / "exe", ignored);
    if (program == fs::canonical(Programs() / "search_worker")) return true;
  }
  return false;
}

class SearchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "search_test.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directory(folder());
    Write("plain", "some Status\nnone\nStatus Status\n");
    Write("no newline at the end", "Status\nlast Status");
    Write("nothing", "here\n");
    Write("empty", "");
    Write("empty lines", "\n\n\nStatus\n\n");
    Write("carriage returns", "Status\r\nstatus\r\n");
    Write("not \xff UTF-8", "caf\xe9 Status\n\xe9\n");
    Write("binary", "Status\nSta\0tus\n"s);
    Write("binary far behind", "Status\n" + std::string(300'000, 'x') + "\n\0"s);
    Write("huge", "Status\n");
    fs::resize_file(folder() / "huge", 4'000'000'000);  // the rest is a hole, which reads as NULs
    Write("long line", std::string(300'000, 'x') + "Status\nStatus");
    Write("a folder/and another/deep", "Status\n");
    Write("a folder/.hidden", "Status\n");
    Write("a folder/with:colon", "Status\n");
    for (size_t size = 65'500; size < 65'540; ++size) {
      Write("lines/" + std::to_string(size), std::string(size, 'x') + "\nStatus\n\nStatus");
    }
    for (int i = 0; i < 40; ++i) {
      Write("many/" + std::to_string(i),
            std::string(static_cast<size_t>(i) * 7, '\n') + "Status\n");
    }
    fs::create_symlink("plain", folder() / "link");
    fs::create_symlink(".", folder() / "loop");
    fs::create_symlink("gone", folder() / "dangling");
    ASSERT_EQ(Shell("mkfifo " + Quoted(folder() / "fifo")).exit_code, 0);
  }

  void TearDown() override {
    EXPECT_FALSE(IsAnyWorkerLeft());
    fs::remove_all(root_);
  }

  fs::path folder() const { return root_ / "the folder"; }

  void Write(const std::string& name, std::string_view content) {
    fs::create_directories((folder() / name).parent_path());
    std::ofstream(folder() / name) << content;
  }

  static std::string Quoted(const fs::path& path) { return "\"" + path.string() + "\""; }

 private:
  fs::path root_;
};

TEST_F(SearchTest, AgreesWithGrep) {
  for (const char* pattern : {"Status", "S.*s$", "^$", "''", "x*", ".", "'\\(S\\)tat\\|none'",
                              "'\\(t\\).\\1'", "'[[:upper:]]'", "'(S'", "$'Status\\nhere'"}) {
    for (const char* fixed : {"", "-F "}) {
      ExpectAgreement(fixed + (pattern + (" " + Quoted(folder()))));
    }
  }
}

TEST_F(SearchTest, AgreesWithGrepHoweverTheFolderIsNamed) {
  fs::current_path(folder());
  for (const char* name : {".", "./", "many", "many/", "many//", "./many", "\"../the folder\"",
                           "loop", "loop/", "plain", "link", "binary", "empty"}) {
    ExpectAgreement("Status "s + name);
  }
  fs::current_path("/");
}

TEST_F(SearchTest, AgreesWithGrepWhenAWorkerIsKilled) {
  for (int workers : {1, 2, 3, 8}) {
    for (int kill_after : {0, 1, 20, 40}) {
      ExpectAgreement("-F Status " + Quoted(folder()),
                      "--workers=" + std::to_string(workers) +
                          " --kill-worker-after=" + std::to_string(kill_after) + " ");
    }
  }
}

TEST_F(SearchTest, TellsThatAWorkerWasKilled) {
  Outcome run =
      Shell(Search("--kill-worker-after=20 Status ") + Quoted(folder()) + " 2>&1 >/dev/null");
  EXPECT_NE(run.output.find("was killed by signal 9 (SIGKILL)"), std::string::npos) << run.output;
  EXPECT_EQ(run.exit_code, 0);
}

TEST_F(SearchTest, AgreesWithGrepOnRealHeaders) {
  ASSERT_TRUE(fs::exists(kHeaders)) << "protobuf's headers, which ferry is built with";
  for (const char* options : {"", "--workers=1 ", "--workers=8 ", "--kill-worker-after=20 "}) {
    ExpectAgreement("-F Status "s + kHeaders, options);
    ExpectAgreement("'^class [A-Z][a-z]*' "s + kHeaders, options);
  }
}

TEST_F(SearchTest, GoesOnAfterAnUnreadableFile) {
  // Root may read everything, unless a program is started without that privilege.
  prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE);
  prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH);
  Write("secret", "Status\n");
  Write("secret folder/x", "Status\n");
  fs::permissions(folder() / "secret", fs::perms::none);
  fs::permissions(folder() / "secret folder", fs::perms::none);
  ExpectAgreement("-F Status " + Quoted(folder()));

  Outcome errors = Shell(Search("Status ") + Quoted(folder()) + " 2>&1 >/dev/null");
  EXPECT_EQ(errors.output, "search: " + (folder() / "secret folder").string() +
                               ": Permission denied\nsearch: " + (folder() / "secret").string() +
                               ": cannot be opened: Permission denied\n");
  EXPECT_EQ(errors.exit_code, 2);
  fs::permissions(folder() / "secret folder", fs::perms::owner_all);
}

TEST_F(SearchTest, ExitsLikeGrep) {
  EXPECT_EQ(Shell(Search("here ") + Quoted(folder())).exit_code, 0);
  EXPECT_EQ(Shell(Search("nowhere ") + Quoted(folder())).exit_code, 1);
  EXPECT_EQ(Shell(Search("here ") + Quoted(folder() / "missing")).exit_code, 2);
  EXPECT_EQ(Shell(Search("'\\(' ") + Quoted(folder())).exit_code, 2);
  EXPECT_EQ(Shell(Search("here")).exit_code, 2);
  EXPECT_EQ(Shell(Search("--workers=0 here ") + Quoted(folder())).exit_code, 2);
}

TEST_F(SearchTest, SaysWhyWorkersCannotBeStarted) {
  fs::path alone = folder() / "search";
  fs::copy_file(Programs() / "search", alone);
  Outcome run = Shell(Quoted(alone) + " --workers=1 Status " + Quoted(folder()) + " 2>&1");
  EXPECT_EQ(run.output, "search: cannot start '" + (folder() / "search_worker").string() +
                            "': No such file or directory\n");
  EXPECT_EQ(run.exit_code, 2);
}

TEST_F(SearchTest, GivesUpWhenEveryWorkerDies) {
  fs::path alone = folder() / "search";
  fs::copy_file(Programs() / "search", alone);
  Write("search_worker", "#!/bin/sh\nexit 3\n");
  fs::permissions(folder() / "search_worker", fs::perms::owner_all);
  Outcome run = Shell(Quoted(alone) + " --workers=1 Status " + Quoted(folder()) + " 2>&1");
  size_t deaths = 0;
  for (size_t at = 0; (at = run.output.find("exited with code 3", at)) != std::string::npos; ++at) {
    ++deaths;
  }
  EXPECT_EQ(deaths, 3u) << run.output;
  EXPECT_EQ(run.exit_code, 2);
}

TEST_F(SearchTest, WorkersEndWithTheirParent) {
  // Enough to do for much longer than the parent is let live.
  std::string line(100, 'x');
  std::string lines;
  for (int i = 0; i < 10'000; ++i) lines += line + '\n';
  Write("long/0", lines);
  for (int i = 1; i < 400; ++i) {
    fs::create_hard_link(folder() / "long/0", folder() / "long" / std::to_string(i));
  }
  Outcome run = Shell("timeout --foreground -s KILL 0.3 " + Search("'\\(x*\\)y' ") +
                      Quoted(folder() / "long"));
  EXPECT_EQ(run.exit_code, 128 + SIGKILL);
  for (int i = 0; i < 200 && IsAnyWorkerLeft(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

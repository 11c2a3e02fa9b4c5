// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/spawn_plan.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ferry/transport/internal/program_file.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

// What a char* const[] of exec wants.
char* Exec(const std::string& text) { return const_cast<char*>(text.c_str()); }

absl::string_view NameOf(absl::string_view entry) { return entry.substr(0, entry.find('=')); }

// "NAME=value" each.
std::vector<std::string> EnvironmentOf(const ChildOptions& options, const std::string& variable) {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string name(NameOf(*entry));
    bool replaced = options.environment.count(name) != 0 || name == NameOf(variable);
    if (options.inherit_environment && !replaced) entries.emplace_back(*entry);
  }
  for (const auto& [name, value] : options.environment) {
    if (name != NameOf(variable)) entries.push_back(absl::StrCat(name, "=", value));
  }
  entries.push_back(variable);
  return entries;
}

}  // namespace

SpawnPlan::SpawnPlan(int first_closed) : first_closed_(first_closed) {
  posix_spawn_file_actions_init(&actions_);
}

SpawnPlan::~SpawnPlan() { posix_spawn_file_actions_destroy(&actions_); }

void SpawnPlan::Open(const char* path, int flags, int target) {
  posix_spawn_file_actions_addopen(&actions_, target, path, flags, 0);
}

absl::Status SpawnPlan::Place(UniqueFd source, int target) {
  // A source among the targets would be overwritten, or keep its close-on-exec flag.
  if (source.get() < first_closed_) {
    source = UniqueFd(sys::DuplicateFrom(source.get(), first_closed_));
    if (!source.valid()) return absl::ErrnoToStatus(errno, "descriptor for a child");
  }
  posix_spawn_file_actions_adddup2(&actions_, source.get(), target);
  sources_.push_back(std::move(source));
  return absl::OkStatus();
}

void SpawnPlan::Leave(int target) { posix_spawn_file_actions_addclose(&actions_, target); }

void SpawnPlan::ChangeDirectory(const std::string& path) {
  posix_spawn_file_actions_addchdir_np(&actions_, path.c_str());
}

int SpawnPlan::Run(const ChildOptions& options, const std::string& variable, pid_t& pid) {
  posix_spawn_file_actions_addclosefrom_np(&actions_, first_closed_);

  std::string program = FindProgram(options.program);
  if (program.empty()) return ENOENT;
  if (!options.working_directory.empty()) {  // a relative path is ours, not the child's
    std::error_code error;
    program = std::filesystem::absolute(program, error).string();
    if (error) return error.value();
  }
  std::vector<char*> argv = {Exec(options.program)};
  for (const std::string& argument : options.arguments) argv.push_back(Exec(argument));
  argv.push_back(nullptr);

  std::vector<std::string> environment = EnvironmentOf(options, variable);
  std::vector<char*> envp;
  envp.reserve(environment.size() + 1);
  for (const std::string& entry : environment) envp.push_back(Exec(entry));
  envp.push_back(nullptr);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  int error =
      sys::SpawnProcess(&pid, program.c_str(), &actions_, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace ferry::internal

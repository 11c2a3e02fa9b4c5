// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// search [-F] [--worker=ADDRESS] [--workers=N] [--kill-worker-after=N] PATTERN FOLDER
//
// Prints FILE:COUNT for each file in the folder that has matching lines, as grep -rcI
// does, and exits as grep does. The work is done by search_worker: processes that are started
// for it, or the one that serves ADDRESS.

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_replace.h"
#include "file_list.h"
#include "line_matcher.h"
#include "worker_crew.h"

ABSL_FLAG(bool, F, false, "the pattern is plain text, no regular expression");
ABSL_FLAG(std::string, worker, "", "where to find workers; by default they are started");
ABSL_FLAG(int, workers, 4, "how many search at a time");
ABSL_FLAG(int, kill_worker_after, -1, "kill a worker when so many files are done");

namespace {

constexpr int kMatched = 0, kNoMatch = 1, kTrouble = 2;  // grep's exit codes

// Abseil knows a flag by its C++ name only: --a-b=c becomes --a_b=c.
void AllowDashesInFlags(int argc, char** argv) {
  for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    if (std::strncmp(argv[i], "--", 2) != 0) continue;
    char* name = argv[i] + 2;
    std::replace(name, name + std::strcspn(name, "="), '-', '_');
  }
}

// The worker that is installed beside this program.
std::string OwnWorker() {
  std::error_code ignored;
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe", ignored).replace_filename("search_worker");
  return "exec:" + absl::StrReplaceAll(program, {{"%", "%25"}, {" ", "%20"}, {"?", "%3F"}});
}

int Fail(search::Progress& progress, const absl::Status& status) {
  progress.Say(std::string(status.message()));
  return kTrouble;
}

// Prints the counts above zero.
int Report(const std::vector<std::string>& files,
           const std::vector<search::WorkerCrew::Count>& counts, search::Progress& progress) {
  bool matched = false, trouble = false;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!counts[i].ok()) {
      progress.Say(files[i] + ": " + std::string(counts[i].status().message()));
      trouble = true;
    } else if (*counts[i] > 0) {
      std::printf("%s:%lld\n", files[i].c_str(), static_cast<long long>(*counts[i]));
      matched = true;
    }
  }
  if (std::fflush(stdout) != 0) return Fail(progress, absl::ErrnoToStatus(errno, "stdout"));
  return trouble ? kTrouble : matched ? kMatched : kNoMatch;
}

int Search(const std::string& pattern, const std::string& folder) {
  search::Progress progress;
  search::CountRequest query;
  query.set_pattern(pattern);
  query.set_fixed(absl::GetFlag(FLAGS_F));
  auto matcher = search::LineMatcher::Create(query.pattern(), query.fixed());
  if (!matcher.ok()) return Fail(progress, matcher.status());

  search::FileList list = search::ListFiles(folder);
  for (const std::string& error : list.errors) progress.Say(error);

  search::CrewOptions options;
  options.worker = absl::GetFlag(FLAGS_worker);
  if (options.worker.empty()) options.worker = OwnWorker();
  options.workers = static_cast<size_t>(absl::GetFlag(FLAGS_workers));
  if (int count = absl::GetFlag(FLAGS_kill_worker_after); count >= 0) options.kill_after = count;
  auto counts = search::WorkerCrew(options, query, list.files, progress).Search();
  if (!counts.ok()) return Fail(progress, counts.status());

  const int outcome = Report(list.files, *counts, progress);
  return list.errors.empty() ? outcome : kTrouble;
}

}  // namespace

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");  // for regular expressions
  constexpr char kUsage[] =
      "search [-F] [--worker=ADDRESS] [--workers=N] [--kill-worker-after=N] PATTERN FOLDER";
  absl::SetProgramUsageMessage(kUsage);
  AllowDashesInFlags(argc, argv);
  std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  if (arguments.size() != 3 || absl::GetFlag(FLAGS_workers) < 1) {
    return std::fprintf(stderr, "usage: %s\n", kUsage), kTrouble;
  }
  return Search(arguments[1], arguments[2]);
}

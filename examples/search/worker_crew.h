// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// WorkerCrew: a few workers, between which files are divided.

#ifndef FERRY_EXAMPLES_SEARCH_WORKER_CREW_H_
#define FERRY_EXAMPLES_SEARCH_WORKER_CREW_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ferry/rpc/channel.h"
#include "progress.h"
#include "searcher.ferry.h"

namespace search {

struct CrewOptions {
  std::string worker;  // the address, of which each worker is one connection
  size_t workers = 1;
  // Kill a worker when so many files are done: to show that it does no harm.
  std::optional<size_t> kill_after;
};

// One search. Each worker has a thread of this process, which gives it one file at a
// time and connects to another worker when it dies. Thread contract: thread-compatible.
class WorkerCrew {
 public:
  using Count = absl::StatusOr<int64_t>;

  // `query` lacks the path only.
  WorkerCrew(CrewOptions options, CountRequest query, std::vector<std::string> files,
             Progress& progress);

  // Returns: a count or an error for each file, in their order; when workers cannot be
  // reached, why.
  absl::StatusOr<std::vector<Count>> Search();

 private:
  void LeadWorker();
  std::optional<size_t> TakeFile();
  void FinishFile(size_t index, Count count);
  Count CountIn(const std::string& file, std::optional<ferry::Channel>& worker);
  absl::StatusOr<CountReply> Ask(const CountRequest& request,
                                 std::optional<ferry::Channel>& worker);
  bool IsTimeToKill();

  // Constant after construction.
  const CrewOptions options_;
  const CountRequest query_;
  const std::vector<std::string> files_;

  // Guards what follows.
  std::mutex mutex_;
  Progress& progress_;
  std::vector<Count> counts_;
  size_t taken_ = 0;
  size_t finished_ = 0;
  bool killed_ = false;
  absl::Status failure_;  // no more files are taken then
};

}  // namespace search

#endif  // FERRY_EXAMPLES_SEARCH_WORKER_CREW_H_

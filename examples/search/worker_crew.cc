// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "worker_crew.h"

#include <signal.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/rpc/call_failure.h"

namespace search {

namespace {

// So many workers may die over one file.
constexpr int kAttempts = 3;

// Whether no answer came because a worker died, so that another one may do better.
bool IsLoss(const absl::Status& status) {
  std::optional<ferry::CallFailure> failure = ferry::CallFailureOf(status);
  if (!failure.has_value()) return absl::IsUnavailable(status);  // it died before its first call
  return failure->origin == ferry::CallFailure::Origin::kHere;
}

// Whether there was not even a worker to call.
bool IsFailureToConnect(const absl::Status& status) {
  return !status.ok() && !ferry::CallFailureOf(status).has_value();
}

}  // namespace

WorkerCrew::WorkerCrew(CrewOptions options, CountRequest query, std::vector<std::string> files,
                       Progress& progress)
    : options_(std::move(options)),
      query_(std::move(query)),
      files_(std::move(files)),
      progress_(progress),
      counts_(files_.size()) {}

absl::StatusOr<std::vector<WorkerCrew::Count>> WorkerCrew::Search() {
  std::vector<std::thread> threads(std::min(options_.workers, files_.size()));
  for (std::thread& thread : threads) thread = std::thread([this] { LeadWorker(); });
  for (std::thread& thread : threads) thread.join();
  progress_.Erase();
  if (!failure_.ok()) return failure_;
  return std::move(counts_);
}

void WorkerCrew::LeadWorker() {
  std::optional<ferry::Channel> worker;
  while (std::optional<size_t> index = TakeFile()) {
    FinishFile(*index, CountIn(files_[*index], worker));
  }
}

std::optional<size_t> WorkerCrew::TakeFile() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (taken_ == files_.size() || !failure_.ok()) return std::nullopt;
  return taken_++;
}

void WorkerCrew::FinishFile(size_t index, Count count) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (IsFailureToConnect(count.status())) failure_ = count.status();
  counts_[index] = std::move(count);
  progress_.Show(++finished_, files_.size(), options_.workers);
}

WorkerCrew::Count WorkerCrew::CountIn(const std::string& file,
                                      std::optional<ferry::Channel>& worker) {
  CountRequest request = query_;
  request.set_path(file);
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<CountReply> reply = Ask(request, worker);
    if (reply.ok()) return reply->lines();
    if (!IsLoss(reply.status())) return reply.status();
    worker.reset();
    if (attempt == kAttempts) return reply.status();
    // Nobody knows how far the lost worker came. Here it does not matter: a search changes
    // nothing, so it may be done twice.
    std::lock_guard<std::mutex> lock(mutex_);
    progress_.Say(absl::StrCat(reply.status().message(), "; ", file, " is searched again"));
  }
}

absl::StatusOr<CountReply> WorkerCrew::Ask(const CountRequest& request,
                                           std::optional<ferry::Channel>& worker) {
  if (!worker.has_value()) {
    absl::StatusOr<ferry::Channel> connected = ferry::Connect(options_.worker);
    if (!connected.ok()) return connected.status();
    worker = *std::move(connected);
  }
  // A named pipe does not tell whose it is, and to kill -1 is to kill all.
  const auto pid = static_cast<pid_t>(worker->peer().pid);
  if (pid > 0 && IsTimeToKill()) kill(pid, SIGKILL);
  return SearcherStub(*worker).Count(request);
}

bool WorkerCrew::IsTimeToKill() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (killed_ || !options_.kill_after.has_value() || finished_ < *options_.kill_after) return false;
  killed_ = true;
  return true;
}

}  // namespace search

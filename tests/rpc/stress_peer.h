// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Who serves Stress, over any transport: a child, an unrelated process or this one.

#ifndef FERRY_TESTS_RPC_STRESS_PEER_H_
#define FERRY_TESTS_RPC_STRESS_PEER_H_

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "ferry/rpc/server.h"
#include "ferry/rpc/spawn.h"
#include "tests/rpc/stress_service.h"
#include "tests/support/body_process.h"
#include "tests/support/temp_folder.h"

namespace ferry::test {

struct Way {
  const char* name;
  const char* scheme;  // of an address with a name; "": a child
  const char* link = "";
  bool is_child() const { return *scheme == '\0'; }
  bool is_here() const { return std::string(scheme) == "inproc"; }
};
inline void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

inline constexpr Way kWays[] = {{"exec_pipe", "", "pipe"},
                                {"exec_stdio", "", "stdio"},
                                {"exec_unix", "", "unix"},
                                {"exec_shm", "", "shm"},
                                {"unix", "unix"},
                                {"unix_abstract", "unix-abstract"},
                                {"named_pipe", "named-pipe"},
                                {"shm", "shm"},
                                {"inproc", "inproc"}};

struct Usage {
  size_t descriptors = 0;
  size_t threads = 0;
  size_t memory = 0;
};

// Thread contract: channels() on any thread, while another replaces the peer; the rest on one.
class StressPeer {
 public:
  // `max_threads`: of the server.
  StressPeer(const Way& way, size_t max_threads);
  // Stops it, and expects it to end well.
  ~StressPeer();
  StressPeer(const StressPeer&) = delete;
  StressPeer& operator=(const StressPeer&) = delete;

  // Those that are shared at present: of a child one, else some.
  std::vector<Channel> channels();

  // One of nobody else; of a child, whose channel is all there is.
  Channel NewChannel();

  // REQUIRES: not is_here.
  void KillAndReplace();

  // Waits until no handler runs on it; once and for all if nobody calls. Expects nothing to have
  // gone wrong there.
  ServiceState AwaitIdle();

  pid_t pid() const;
  Usage UsageNow() const;

 private:
  void Start();
  std::string address() const;
  void SetChannels(std::vector<Channel> channels);

  const Way way_;
  const size_t max_threads_;
  TempFolder folder_;

  std::unique_ptr<BodyProcess> process_;
  std::optional<Child> child_;
  StressImpl service_;
  std::optional<Server> server_;
  std::thread serving_;

  internal::Mutex mutex_;
  std::vector<Channel> channels_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_STRESS_PEER_H_

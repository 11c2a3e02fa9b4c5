// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// search_worker: counts matching lines for the process that starts it.

#include <cerrno>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/status/statusor.h"
#include "ferry/rpc/server.h"
#include "line_matcher.h"
#include "searcher.ferry.h"

namespace search {
namespace {

// Returns: the file's matching lines, 0 if there is a NUL byte in it; what errno says.
absl::StatusOr<int64_t> CountLines(std::FILE* file, const LineMatcher& matcher) {
  char* line = nullptr;
  size_t capacity = 0;
  int64_t count = 0;
  ssize_t length;
  bool binary = false;
  while (!binary && (length = getline(&line, &capacity, file)) >= 0) {
    if (line[length - 1] == '\n') line[--length] = '\0';
    binary = std::memchr(line, '\0', static_cast<size_t>(length)) != nullptr;
    if (matcher.Matches(line)) ++count;
  }
  const int error = errno;
  std::free(line);
  if (binary) return 0;
  if (!std::feof(file)) return absl::ErrnoToStatus(error, "cannot be read");
  return count;
}

class LineSearcher final : public SearcherService {
  absl::Status Count(ferry::ServerContext&, const CountRequest& request,
                     CountReply& reply) override {
    absl::StatusOr<LineMatcher> matcher = LineMatcher::Create(request.pattern(), request.fixed());
    if (!matcher.ok()) return matcher.status();
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(request.path().c_str(), "re"),
                                                         std::fclose);
    if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot be opened");
    absl::StatusOr<int64_t> lines = CountLines(file.get(), *matcher);
    if (lines.ok()) reply.set_lines(*lines);
    return lines.status();
  }
};

}  // namespace
}  // namespace search

int main() {
  std::setlocale(LC_ALL, "");  // for regular expressions
  search::LineSearcher searcher;
  ferry::Server server;
  server.Register(searcher);
  return ferry::ExitCode(server.Serve("parent:"));
}

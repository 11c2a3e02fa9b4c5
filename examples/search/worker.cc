// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// search_worker [ADDRESS…]: counts matching lines for the process that starts it, or for who
// connects to one of the addresses.

#include <cerrno>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "ferry/rpc/server.h"
#include "line_matcher.h"
#include "searcher.ferry.h"

namespace search {
namespace {

// Returns: the file's matching lines, 0 if there is a NUL byte in it; what errno says.
absl::StatusOr<int64_t> CountLines(std::FILE* file, const LineMatcher& matcher) {
  int64_t count = 0;
  std::string lines;  // the last one is unfinished
  char chunk[64 * 1024];
  while (size_t size = std::fread(chunk, 1, sizeof(chunk), file)) {
    if (std::memchr(chunk, '\0', size) != nullptr) return 0;
    size_t begin = 0;
    size_t end = lines.size();  // no newline is before it
    lines.append(chunk, size);
    while ((end = lines.find('\n', end)) != std::string::npos) {
      lines[end] = '\0';
      if (matcher.Matches(&lines[begin])) ++count;
      begin = ++end;
    }
    lines.erase(0, begin);
  }
  if (std::ferror(file)) return absl::ErrnoToStatus(errno, "cannot be read");
  if (!lines.empty() && matcher.Matches(lines.c_str())) ++count;
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

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");  // for regular expressions
  search::LineSearcher searcher;
  ferry::Server server;
  server.Register(searcher);
  absl::Status status = server.Listen(argc > 1 ? argv[1] : "parent:");
  for (int i = 2; i < argc && status.ok(); ++i) status = server.Listen(argv[i]);
  return ferry::ExitCode(status.ok() ? server.Serve() : status);
}

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_EXAMPLES_SEARCH_PROGRESS_H_
#define FERRY_EXAMPLES_SEARCH_PROGRESS_H_

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <string>

namespace search {

// A line on stderr that is written over again and again; only messages when stderr is
// no terminal. Thread contract: thread-compatible.
class Progress {
 public:
  void Show(size_t done, size_t total, size_t workers) {
    if (terminal_) std::fprintf(stderr, "\r%zu/%zu files, %zu workers\33[K", done, total, workers);
  }

  // Leaves a message above the line.
  void Say(const std::string& message) {
    Erase();
    std::fprintf(stderr, "search: %s\n", message.c_str());
  }

  void Erase() {
    if (terminal_) std::fputs("\r\33[K", stderr);
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
};

}  // namespace search

#endif  // FERRY_EXAMPLES_SEARCH_PROGRESS_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_EXAMPLES_SEARCH_LINE_MATCHER_H_
#define FERRY_EXAMPLES_SEARCH_LINE_MATCHER_H_

#include <regex.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace search {

// What grep calls a pattern: plain texts or POSIX basic regular expressions, one per
// line, of which any may match. Thread contract: const methods on any thread.
class LineMatcher {
 public:
  // Returns: INVALID_ARGUMENT when the pattern is no regular expression.
  static absl::StatusOr<LineMatcher> Create(const std::string& pattern, bool fixed);

  // `line` has no newline.
  bool Matches(const char* line) const;

 private:
  struct Free {
    void operator()(regex_t* regex) const;
  };

  std::vector<std::string> texts_;
  std::vector<std::unique_ptr<regex_t, Free>> regexes_;
};

}  // namespace search

#endif  // FERRY_EXAMPLES_SEARCH_LINE_MATCHER_H_

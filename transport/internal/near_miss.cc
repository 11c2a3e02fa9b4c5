// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/near_miss.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace ferry::internal {
namespace {

// No name of ours is longer; comparing takes time in the product of the lengths.
constexpr size_t kLongestName = 100;

}  // namespace

size_t EditDistance(absl::string_view a, absl::string_view b) {
  // Row i has the distances of a's first i characters to the first j of b; three rows are
  // enough, since an exchange looks two back.
  std::vector<size_t> two_back(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    two_back.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_back[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string NearMiss(absl::string_view given, const std::vector<std::string>& known) {
  if (given.size() > kLongestName) return "";
  const std::string* nearest = nullptr;
  size_t least = given.size();  // at that distance nothing of it is left
  for (const std::string& name : known) {
    if (name.size() > kLongestName) continue;
    size_t distance = EditDistance(given, name);
    if (distance >= least || distance > std::max<size_t>(1, name.size() / 3)) continue;
    nearest = &name;
    least = distance;
  }
  return nearest == nullptr ? "" : *nearest;
}

std::string DidYouMean(absl::string_view given, const std::vector<std::string>& known,
                       absl::string_view suffix) {
  std::string nearest = NearMiss(given, known);
  if (nearest.empty()) return "";
  return absl::StrCat(" (did you mean '", nearest, suffix, "'?)");
}

}  // namespace ferry::internal

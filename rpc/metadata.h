// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// Metadata: what goes with a call beside its messages, such as a trace id.

#ifndef FERRY_RPC_METADATA_H_
#define FERRY_RPC_METADATA_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace ferry {

// Names and values, in their order; a name may be there several times. A name has lower-case
// letters, digits, '-', '_' and '.'. The value of one that ends in "-bin" is any bytes, all
// others are UTF-8. Thread contract: thread-compatible.
class Metadata {
 public:
  using Entry = std::pair<std::string, std::string>;

  // The most that travels at once, encoded.
  static constexpr size_t kMaxBytes = 64 * 1024;

  void Add(std::string_view name, std::string_view value) { entries_.emplace_back(name, value); }

  // The first value of that name, valid until the next change; nullopt if there is none.
  std::optional<std::string_view> Find(std::string_view name) const;

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  void clear() { entries_.clear(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

  // Whether it can be sent. Returns: INVALID_ARGUMENT, naming the entry that cannot and why;
  // RESOURCE_EXHAUSTED when it is larger than kMaxBytes.
  absl::Status Validate() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace ferry

#endif  // FERRY_RPC_METADATA_H_

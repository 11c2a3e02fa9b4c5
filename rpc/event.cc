// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/event.h"

#include "absl/strings/str_cat.h"

namespace ferry {
namespace {

absl::string_view NameOf(Event::Type type) {
  switch (type) {
    case Event::Type::kConnected:
      return "connected";
    case Event::Type::kConnectFailed:
      return "connect failed";
    case Event::Type::kRefused:
      return "refused";
    case Event::Type::kClosed:
      return "closed";
    case Event::Type::kLimitReached:
      return "limit reached";
    case Event::Type::kAcceptPaused:
      return "accepting paused";
    case Event::Type::kDraining:
      return "draining";
  }
  return "unknown event";
}

}  // namespace

std::string ToString(const Event& event) {
  std::string text = absl::StrCat(NameOf(event.type), " ",
                                  absl::string_view(event.address.data(), event.address.size()));
  if (event.peer != nullptr) absl::StrAppend(&text, ", ", event.peer->description);
  if (!event.status.ok()) absl::StrAppend(&text, ": ", event.status.ToString());
  if (event.type == Event::Type::kConnectFailed) {
    absl::StrAppend(&text,
                    event.retry_in == absl::InfiniteDuration()
                        ? std::string(" (for good)")
                        : absl::StrCat(" (again in ", absl::FormatDuration(event.retry_in), ")"));
  }
  return text;
}

}  // namespace ferry

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_NEAR_MISS_H_
#define FERRY_TRANSPORT_INTERNAL_NEAR_MISS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ferry::internal {

// How many characters have to be put in, left out, replaced, or exchanged with their
// neighbour, to make one text of the other.
size_t EditDistance(absl::string_view a, absl::string_view b);

// The one of `known` that was probably meant, since it differs by a third of its
// characters at most; the first of several. "" if there is none.
std::string NearMiss(absl::string_view given, const std::vector<std::string>& known);

// For an error text: " (did you mean 'ring'?)", or "". `suffix` belongs to the names.
std::string DidYouMean(absl::string_view given, const std::vector<std::string>& known,
                       absl::string_view suffix = "");

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_NEAR_MISS_H_

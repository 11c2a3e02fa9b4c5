// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/scheme.h"

#include "absl/strings/str_cat.h"
#include "ferry/transport/internal/near_miss.h"

namespace ferry::internal {
namespace {

struct Scheme {
  const char* name;
  SchemeSet bit;
};
constexpr Scheme kSchemes[] = {
    {"exec", kExec},
    {"inproc", kInproc},
    {"named-pipe", kNamedPipe},
    {"parent", kParent},
    {"shm", kShm},
    {"stdio", kStdio},
    {"unix", kUnix},
    {"unix-abstract", kUnixAbstract},
};

}  // namespace

std::vector<std::string> NamesOf(SchemeSet schemes) {
  std::vector<std::string> names;
  for (const Scheme& scheme : kSchemes) {
    if ((schemes & scheme.bit) != 0) names.emplace_back(scheme.name);
  }
  return names;
}

std::string ListOf(SchemeSet schemes) {
  std::vector<std::string> names = NamesOf(schemes);
  for (std::string& name : names) name += ':';
  if ((schemes & (kExecShm | kExec)) == kExecShm) names.emplace_back("exec: with transport=shm");
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    absl::StrAppend(&list, i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  }
  return list;
}

SchemeSet SchemesOf(const Address& address) {
  for (const Scheme& scheme : kSchemes) {
    if (address.scheme != scheme.name) continue;
    const AddressParameter* link = scheme.bit == kExec ? address.Find("transport") : nullptr;
    return link != nullptr && link->value == "shm" ? kExec | kExecShm : scheme.bit;
  }
  return 0;
}

absl::Status CheckScheme(const Address& address, SchemeSet allowed, const char* purpose) {
  SchemeSet scheme = SchemesOf(address);
  if ((scheme & allowed) != 0) return absl::OkStatus();
  if (scheme == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(address.where, ": unknown scheme '", address.scheme, ":'",
                     DidYouMean(address.scheme, NamesOf(allowed), ":"), "; there are ",
                     ListOf(allowed), " ", purpose));
  }
  return absl::InvalidArgumentError(absl::StrCat(address.where, ": ", address.scheme,
                                                 ": is not a scheme ", purpose, "; there are ",
                                                 ListOf(allowed)));
}

}  // namespace ferry::internal

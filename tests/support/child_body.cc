// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/child_body.h"

#include <unistd.h>

#include <climits>
#include <cstring>
#include <map>

namespace ferry::test {
namespace {

constexpr char kFlag[] = "--child-body=";

std::map<std::string, ChildBody>& Bodies() {
  static auto* bodies = new std::map<std::string, ChildBody>;
  return *bodies;
}

}  // namespace

bool RegisterChildBody(const char* name, ChildBody body) {
  return Bodies().emplace(name, body).second;
}

bool RunChildBody(int argc, char** argv, int& exit_code) {
  if (argc < 2 || std::strncmp(argv[1], kFlag, std::strlen(kFlag)) != 0) return false;
  exit_code = Bodies().at(argv[1] + std::strlen(kFlag))();
  return true;
}

std::string SelfPath() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return std::string(path, length > 0 ? static_cast<size_t>(length) : 0);
}

std::string ChildFlag(const std::string& name) { return kFlag + name; }

std::string ChildAddress(const std::string& name) {
  return "exec:" + SelfPath() + "?arg=" + ChildFlag(name);
}

}  // namespace ferry::test

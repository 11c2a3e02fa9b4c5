// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/child_options.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ferry/transport/internal/ring_layout.h"
#include "ferry/transport/internal/sys.h"

namespace ferry {
namespace {

bool HasNul(const std::string& text) { return text.find('\0') != std::string::npos; }

// What is wrong, or "".
std::string WrongStdio(const ChildOptions& options) {
  if (options.standard_input == Stdio::kCapture) {
    return "stdin cannot be captured, only inherited or null";
  }
  if (options.link == ChildLinkKind::kStdio &&
      (options.standard_input != Stdio::kInherit || options.standard_output != Stdio::kInherit)) {
    return "its stdin and stdout carry the calls, and cannot be anything else";
  }
  return "";
}

std::string WrongRing(const ChildOptions& options) {
  if (options.shm.ring != 0 && options.shm.ring <= internal::RingGeometry::kMaxRing) return "";
  return absl::StrCat("a ring of ", options.shm.ring, " bytes is none, expected 4KiB to 64MiB");
}

std::string WrongEnvironment(const ChildOptions& options) {
  for (const auto& [name, value] : options.environment) {
    if (name.empty() || absl::StrContains(name, '=') || HasNul(name)) {
      return absl::StrCat("'", name, "' cannot be the name of an environment variable");
    }
    if (HasNul(value)) {
      return absl::StrCat("the environment variable ", name, " contains a NUL byte");
    }
  }
  return "";
}

std::string WrongDescriptors(const ChildOptions& options) {
  for (int fd : options.descriptors) {
    if (!internal::sys::IsOpen(fd)) {
      return absl::StrCat("descriptor ", fd, ", to be passed to it, is not open");
    }
  }
  return "";
}

}  // namespace

absl::Status CheckChildOptions(const ChildOptions& options) {
  if (options.program.empty()) return absl::InvalidArgumentError("child: no program given");
  if (HasNul(options.program)) {
    return absl::InvalidArgumentError("child: the program's name contains a NUL byte");
  }
  std::string wrong = WrongStdio(options);
  for (const std::string& argument : options.arguments) {
    if (HasNul(argument)) wrong = "an argument contains a NUL byte, which exec cannot pass";
  }
  if (HasNul(options.working_directory)) wrong = "the working directory contains a NUL byte";
  if (wrong.empty()) wrong = WrongRing(options);
  if (wrong.empty()) wrong = WrongEnvironment(options);
  if (wrong.empty()) wrong = WrongDescriptors(options);
  if (wrong.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("child '", options.program, "': ", wrong));
}

}  // namespace ferry

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/endpoint.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ferry/transport/inproc_transport.h"
#include "ferry/transport/parent_link.h"

namespace ferry {
namespace {

constexpr const char* kExecParameters[] = {"arg", "transport", "stdin", "stdout", "stderr"};

absl::Status UnknownScheme(const Address& address, const char* known) {
  return absl::InvalidArgumentError(absl::StrCat("address '", address.text, "': unknown scheme '",
                                                 address.scheme, ":'; there are ", known));
}

absl::Status OneWord(const Address& address, const char* what) {
  if (address.words.size() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("address '", address.text, "': expected ", address.scheme, ":", what));
}

enum class Capture : bool { kNo, kYes };

absl::Status SetStdio(const Address& address, const char* name, Capture capture, Stdio& stdio) {
  const std::string* value = address.Find(name);
  if (value == nullptr || *value == "inherit") {
    stdio = Stdio::kInherit;
  } else if (*value == "null") {
    stdio = Stdio::kNull;
  } else if (*value == "capture" && capture == Capture::kYes) {
    stdio = Stdio::kCapture;
  } else {
    return BadParameter(address, name, *value,
                        capture == Capture::kYes ? "inherit, null or capture" : "inherit or null");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectExec(const Address& address) {
  absl::StatusOr<ChildOptions> options = ChildOptionsOf(address);
  if (!options.ok()) return options.status();
  absl::StatusOr<ChildLink> link = StartLinkedChild(*options);
  if (!link.ok()) return link.status();
  return std::move(link->transport);
}

absl::Status CheckInproc(const Address& address) {
  if (absl::Status name = OneWord(address, "NAME"); !name.ok()) return name;
  return address.CheckParameters({});
}

}  // namespace

absl::StatusOr<ChildOptions> ChildOptionsOf(const Address& address) {
  if (absl::Status known = address.CheckParameters(kExecParameters); !known.ok()) return known;
  if (address.words.empty()) return OneWord(address, "PROGRAM");
  const std::string* transport = address.Find("transport");
  if (transport != nullptr && *transport != "pipe") {
    return BadParameter(address, "transport", *transport, "pipe");
  }

  ChildOptions options;
  options.program = address.words[0];
  options.arguments.assign(address.words.begin() + 1, address.words.end());
  for (const auto& [name, value] : address.parameters) {
    if (name == "arg") options.arguments.push_back(value);
  }
  absl::Status set = SetStdio(address, "stdin", Capture::kNo, options.standard_input);
  if (set.ok()) set = SetStdio(address, "stdout", Capture::kYes, options.standard_output);
  if (set.ok()) set = SetStdio(address, "stderr", Capture::kYes, options.standard_error);
  if (!set.ok()) return set;
  return options;
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectTransport(const Address& address) {
  if (address.scheme == "exec") return ConnectExec(address);
  if (address.scheme == "inproc") {
    if (absl::Status valid = CheckInproc(address); !valid.ok()) return valid;
    return ConnectInproc(address.words[0]);
  }
  return UnknownScheme(address, "exec: and inproc: to connect to");
}

absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address) {
  if (address.scheme == "parent") {
    if (absl::Status known = address.CheckParameters({}); !known.ok()) return known;
    if (!address.words.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("address '", address.text, "': expected parent: and nothing behind it"));
    }
    return ListenToParent();
  }
  if (address.scheme == "inproc") {
    if (absl::Status valid = CheckInproc(address); !valid.ok()) return valid;
    return ListenInproc(address.words[0]);
  }
  return UnknownScheme(address, "inproc: and parent: to serve");
}

}  // namespace ferry

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/endpoint.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "ferry/transport/child_link.h"
#include "ferry/transport/inproc_transport.h"
#include "ferry/transport/internal/shm_parameters.h"
#include "ferry/transport/internal/spin_parameter.h"
#include "ferry/transport/named_pipe.h"
#include "ferry/transport/parent_link.h"
#include "ferry/transport/shm.h"
#include "ferry/transport/stdio_link.h"
#include "ferry/transport/unix_socket.h"

namespace ferry {
namespace {

using internal::kSpin;

constexpr const char* kExecParameters[] = {
    "arg",    "env",    "cwd", "transport",     "stdin",
    "stdout", "stderr", kSpin, internal::kRing, internal::kTrusted};
constexpr const char* kChildParameters[] = {"orphan_grace", kSpin};
constexpr const char* kUsualParameters[] = {kSpin};
constexpr const char* kShmParameters[] = {kSpin, internal::kRing, internal::kTrusted};

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

constexpr std::pair<const char*, ChildLinkKind> kLinks[] = {{"pipe", ChildLinkKind::kPipes},
                                                            {"stdio", ChildLinkKind::kStdio},
                                                            {"unix", ChildLinkKind::kUnix},
                                                            {"shm", ChildLinkKind::kShm}};

absl::Status SetLink(const Address& address, ChildOptions& options) {
  const std::string* value = address.Find("transport");
  const auto* link = value == nullptr
                         ? kLinks
                         : std::find_if(std::begin(kLinks), std::end(kLinks),
                                        [&](const auto& known) { return *value == known.first; });
  if (link == std::end(kLinks)) {
    return BadParameter(address, "transport", *value, "pipe, stdio, unix or shm");
  }
  options.link = link->second;
  for (const char* name : {internal::kRing, internal::kTrusted}) {
    if (options.link == ChildLinkKind::kShm || address.Find(name) == nullptr) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("address '", address.text, "': ", name, " is a parameter of transport=shm"));
  }
  absl::StatusOr<ShmOptions> shm = internal::ShmOptionsOf(address);
  if (!shm.ok()) return shm.status();
  options.shm = *shm;
  return absl::OkStatus();
}

absl::Status AddEnvironment(const Address& address, const std::string& entry,
                            ChildOptions& options) {
  size_t equals = entry.find('=');
  if (equals == std::string::npos || equals == 0) {
    return BadParameter(address, "env", entry, "NAME=VALUE");
  }
  options.environment[entry.substr(0, equals)] = entry.substr(equals + 1);
  return absl::OkStatus();
}

// Of an address that has nothing but a scheme and how a child ends.
absl::StatusOr<std::optional<absl::Duration>> OrphanGraceOf(const Address& address) {
  absl::Status known = address.CheckParameters(kChildParameters);
  if (!known.ok()) return known;
  if (!address.words.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("address '", address.text, "': expected ",
                                                   address.scheme, ": and nothing behind it"));
  }
  const std::string* value = address.Find("orphan_grace");
  if (value == nullptr) return std::nullopt;
  absl::Duration grace;
  if (!absl::ParseDuration(*value, &grace) || grace < absl::ZeroDuration()) {
    return BadParameter(address, "orphan_grace", *value, "a duration such as 5s, or inf");
  }
  return grace;
}

absl::StatusOr<std::unique_ptr<Listener>> ListenAsChild(const Address& address) {
  absl::StatusOr<std::optional<absl::Duration>> grace = OrphanGraceOf(address);
  if (!grace.ok()) return grace.status();
  return address.scheme == "stdio" ? ListenToStdio(*grace) : ListenToParent(*grace);
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectExec(const Address& address,
                                                       std::shared_ptr<ChildProcess>* child) {
  absl::StatusOr<ChildOptions> options = ChildOptionsOf(address);
  if (!options.ok()) return options.status();
  absl::StatusOr<ChildLink> link = StartLinkedChild(*options);
  if (!link.ok()) return link.status();
  if (child != nullptr) *child = std::move(link->child);
  return std::move(link->transport);
}

// An address that is a scheme, a name and parameters: what the others are made of.
struct NamedScheme {
  const char* scheme;
  const char* what;  // the name is
  absl::Span<const char* const> parameters;
  absl::StatusOr<std::unique_ptr<Transport>> (*connect)(const Address& address, Deadline deadline);
  absl::StatusOr<std::unique_ptr<Listener>> (*listen)(const Address& address);
};

// For one whose parameters are the usual.
template <auto connect>
absl::StatusOr<std::unique_ptr<Transport>> ConnectByName(const Address& address,
                                                         Deadline deadline) {
  return connect(address.words[0], deadline);
}
template <auto listen>
absl::StatusOr<std::unique_ptr<Listener>> ListenByName(const Address& address) {
  return listen(address.words[0]);
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectShmAt(const Address& address, Deadline deadline) {
  absl::StatusOr<ShmOptions> options = internal::ShmOptionsOf(address);
  if (!options.ok()) return options.status();
  return ConnectShm(address.words[0], *options, deadline);
}

absl::StatusOr<std::unique_ptr<Listener>> ListenShmAt(const Address& address) {
  absl::StatusOr<ShmOptions> options = internal::ShmOptionsOf(address);
  if (!options.ok()) return options.status();
  return ListenShm(address.words[0], *options);
}

constexpr NamedScheme kNamedSchemes[] = {
    {"inproc", "NAME", kUsualParameters,
     [](const Address& address, Deadline) { return ConnectInproc(address.words[0]); },
     ListenByName<ListenInproc>},
    {"named-pipe", "PATH", kUsualParameters, ConnectByName<ConnectNamedPipe>,
     ListenByName<ListenNamedPipe>},
    {"shm", "NAME or shm:PATH", kShmParameters, ConnectShmAt, ListenShmAt},
    {"unix", "PATH", kUsualParameters, ConnectByName<ConnectUnix>, ListenByName<ListenUnix>},
    {"unix-abstract", "NAME", kUsualParameters, ConnectByName<ConnectUnixAbstract>,
     ListenByName<ListenUnixAbstract>},
};

// Null if the address has another scheme.
absl::StatusOr<const NamedScheme*> FindNamedScheme(const Address& address) {
  for (const NamedScheme& named : kNamedSchemes) {
    if (address.scheme != named.scheme) continue;
    if (address.words.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat("address '", address.text, "': expected ",
                                                     address.scheme, ":", named.what,
                                                     ", in which a space is written %20"));
    }
    if (absl::Status name = OneWord(address, named.what); !name.ok()) return name;
    if (absl::Status known = address.CheckParameters(named.parameters); !known.ok()) return known;
    return &named;
  }
  return nullptr;
}

// Both for an address whose parameter kSpin has been read.
absl::StatusOr<std::unique_ptr<Transport>> ConnectAsUsual(const Address& address, Deadline deadline,
                                                          std::shared_ptr<ChildProcess>* child) {
  if (address.scheme == "exec") return ConnectExec(address, child);
  if (address.scheme == "stdio") {
    if (absl::Status known = address.CheckParameters(kUsualParameters); !known.ok()) return known;
    return ConnectToStdio();
  }
  absl::StatusOr<const NamedScheme*> named = FindNamedScheme(address);
  if (!named.ok()) return named.status();
  if (*named != nullptr) return (*named)->connect(address, deadline);
  return UnknownScheme(
      address, "exec:, inproc:, named-pipe:, shm:, stdio:, unix: and unix-abstract: to connect to");
}

absl::StatusOr<std::unique_ptr<Listener>> ListenAsUsual(const Address& address) {
  if (address.scheme == "parent" || address.scheme == "stdio") return ListenAsChild(address);
  absl::StatusOr<const NamedScheme*> named = FindNamedScheme(address);
  if (!named.ok()) return named.status();
  if (*named != nullptr) return (*named)->listen(address);
  return UnknownScheme(
      address, "inproc:, named-pipe:, parent:, shm:, stdio:, unix: and unix-abstract: to serve");
}

}  // namespace

absl::StatusOr<ChildOptions> ChildOptionsOf(const Address& address) {
  if (absl::Status known = address.CheckParameters(kExecParameters); !known.ok()) return known;
  if (address.words.empty()) return OneWord(address, "PROGRAM");

  ChildOptions options;
  options.program = address.words[0];
  options.arguments.assign(address.words.begin() + 1, address.words.end());
  for (const auto& [name, value] : address.parameters) {
    if (name == "arg") options.arguments.push_back(value);
    if (name != "env") continue;
    if (absl::Status added = AddEnvironment(address, value, options); !added.ok()) return added;
  }
  if (const std::string* folder = address.Find("cwd")) options.working_directory = *folder;
  absl::Status set = SetLink(address, options);
  if (set.ok()) set = SetStdio(address, "stdin", Capture::kNo, options.standard_input);
  if (set.ok()) set = SetStdio(address, "stdout", Capture::kYes, options.standard_output);
  if (set.ok()) set = SetStdio(address, "stderr", Capture::kYes, options.standard_error);
  if (!set.ok()) return set;
  return options;
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectTransport(const Address& address,
                                                            Deadline deadline,
                                                            std::shared_ptr<ChildProcess>* child) {
  absl::StatusOr<std::optional<absl::Duration>> spin = internal::SpinLimitOf(address);
  if (!spin.ok()) return spin.status();
  absl::StatusOr<std::unique_ptr<Transport>> transport = ConnectAsUsual(address, deadline, child);
  if (transport.ok() && spin->has_value()) (*transport)->set_spin_limit(**spin);
  return transport;
}

absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address) {
  absl::StatusOr<std::optional<absl::Duration>> spin = internal::SpinLimitOf(address);
  if (!spin.ok()) return spin.status();
  absl::StatusOr<std::unique_ptr<Listener>> listener = ListenAsUsual(address);
  if (!listener.ok() || !spin->has_value()) return listener;
  return internal::WithSpinLimit(*std::move(listener), **spin);
}

}  // namespace ferry

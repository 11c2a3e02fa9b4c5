// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/endpoint.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ferry/transport/child_link.h"
#include "ferry/transport/inproc_transport.h"
#include "ferry/transport/internal/scheme.h"
#include "ferry/transport/internal/shm_parameters.h"
#include "ferry/transport/internal/spinning_listener.h"
#include "ferry/transport/named_pipe.h"
#include "ferry/transport/parameter.h"
#include "ferry/transport/parent_link.h"
#include "ferry/transport/shm.h"
#include "ferry/transport/stdio_link.h"
#include "ferry/transport/unix_socket.h"

namespace ferry {
namespace {

absl::Status Expected(const Address& address, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(address.where, ": expected ", address.scheme, ":", what));
}

absl::StatusOr<std::unique_ptr<Listener>> ListenAsChild(const Address& address) {
  std::optional<absl::Duration> grace;
  if (address.Find("orphan_grace") != nullptr) {
    Read(address, "orphan_grace", grace.emplace());
  }
  return address.scheme == "stdio" ? ListenToStdio(grace) : ListenToParent(grace);
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

// An address whose body is a name.
struct NamedScheme {
  const char* scheme;
  const char* what;  // the name is
  absl::StatusOr<std::unique_ptr<Transport>> (*connect)(const Address& address, Deadline deadline);
  absl::StatusOr<std::unique_ptr<Listener>> (*listen)(const Address& address);
};

// For one that needs nothing but the name.
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
  return ConnectShm(address.words[0], internal::ShmOptionsOf(address), deadline);
}

absl::StatusOr<std::unique_ptr<Listener>> ListenShmAt(const Address& address) {
  return ListenShm(address.words[0], internal::ShmOptionsOf(address));
}

constexpr NamedScheme kNamedSchemes[] = {
    {"inproc", "NAME",
     [](const Address& address, Deadline) { return ConnectInproc(address.words[0]); },
     ListenByName<ListenInproc>},
    {"named-pipe", "PATH", ConnectByName<ConnectNamedPipe>, ListenByName<ListenNamedPipe>},
    {"shm", "NAME or shm:PATH", ConnectShmAt, ListenShmAt},
    {"unix", "PATH", ConnectByName<ConnectUnix>, ListenByName<ListenUnix>},
    {"unix-abstract", "NAME", ConnectByName<ConnectUnixAbstract>, ListenByName<ListenUnixAbstract>},
};

const NamedScheme* FindNamedScheme(const Address& address) {
  for (const NamedScheme& named : kNamedSchemes) {
    if (address.scheme == named.scheme) return &named;
  }
  return nullptr;
}

absl::Status CheckBody(const Address& address) {
  if (const NamedScheme* named = FindNamedScheme(address)) {
    if (address.words.size() == 1) return absl::OkStatus();
    return Expected(address, address.words.empty()
                                 ? named->what
                                 : absl::StrCat(named->what, ", in which a space is written %20"));
  }
  if (address.scheme == "exec") {
    return address.words.empty() ? Expected(address, "PROGRAM") : absl::OkStatus();
  }
  return address.words.empty() ? absl::OkStatus() : Expected(address, " and nothing behind it");
}

absl::Status Check(const Address& address, internal::SchemeSet schemes, const char* purpose) {
  absl::Status checked = internal::CheckScheme(address, schemes, purpose);
  if (checked.ok()) checked = CheckAddress(address);
  return checked.ok() ? CheckBody(address) : checked;
}

// Both for an address that has been checked.
absl::StatusOr<std::unique_ptr<Transport>> ConnectAsUsual(const Address& address, Deadline deadline,
                                                          std::shared_ptr<ChildProcess>* child) {
  if (address.scheme == "exec") return ConnectExec(address, child);
  if (address.scheme == "stdio") return ConnectToStdio();
  return FindNamedScheme(address)->connect(address, deadline);
}

absl::StatusOr<std::unique_ptr<Listener>> ListenAsUsual(const Address& address) {
  const NamedScheme* named = FindNamedScheme(address);
  return named != nullptr ? named->listen(address) : ListenAsChild(address);
}

}  // namespace

absl::StatusOr<ChildOptions> ChildOptionsOf(const Address& address) {
  absl::Status checked = Check(address, internal::kExec, "to start a program with");
  if (!checked.ok()) return checked;
  ChildOptions options;
  options.program = address.words[0];
  options.arguments.assign(address.words.begin() + 1, address.words.end());
  for (const AddressParameter& given : address.parameters) {
    if (given.name == "arg") options.arguments.push_back(given.value);
    if (given.name != "env") continue;
    size_t equals = given.value.find('=');
    options.environment[given.value.substr(0, equals)] = given.value.substr(equals + 1);
  }
  Read(address, "cwd", options.working_directory);
  ReadChoice(address, "transport", options.link);
  ReadChoice(address, "stdin", options.standard_input);
  ReadChoice(address, "stdout", options.standard_output);
  ReadChoice(address, "stderr", options.standard_error);
  Read(address, "grace", options.grace);
  options.shm = internal::ShmOptionsOf(address);
  return options;
}

absl::StatusOr<std::unique_ptr<Transport>> ConnectTransport(const Address& address,
                                                            Deadline deadline,
                                                            std::shared_ptr<ChildProcess>* child) {
  absl::Status checked = Check(address, internal::kConnected, "to connect to");
  if (!checked.ok()) return checked;
  absl::StatusOr<std::unique_ptr<Transport>> transport = ConnectAsUsual(address, deadline, child);
  if (!transport.ok()) return transport;
  absl::Duration spin = (*transport)->spin_limit();
  Read(address, "spin", spin);
  (*transport)->set_spin_limit(spin);
  return transport;
}

absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address) {
  absl::Status checked = Check(address, internal::kServed, "to serve");
  if (!checked.ok()) return checked;
  absl::StatusOr<std::unique_ptr<Listener>> listener = ListenAsUsual(address);
  if (!listener.ok() || address.Find("spin") == nullptr) return listener;
  absl::Duration spin;
  Read(address, "spin", spin);
  return internal::WithSpinLimit(*std::move(listener), spin);
}

}  // namespace ferry

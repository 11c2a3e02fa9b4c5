// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// A child that is started, and the parent's end of the link to it; parent_link.h has the
// child's.

#ifndef FERRY_TRANSPORT_CHILD_LINK_H_
#define FERRY_TRANSPORT_CHILD_LINK_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ferry/transport/child_process.h"
#include "ferry/transport/transport.h"

namespace ferry {

struct ChildLink {
  std::unique_ptr<Transport> transport;
  // Also kept by the transport: it says how the child ended.
  std::shared_ptr<ChildProcess> child;
};

// Starts a program and links to it. Not to be called while another thread changes the
// environment. That it is a ferry worker shows when it answers.
// Returns: what ChildProcess::Start does; of kShm also UNIMPLEMENTED, when the system cannot
// share memory safely.
absl::StatusOr<ChildLink> StartLinkedChild(const ChildOptions& options);

}  // namespace ferry

#endif  // FERRY_TRANSPORT_CHILD_LINK_H_

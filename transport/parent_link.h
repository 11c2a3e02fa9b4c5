// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// The link between a parent and the child it starts: two anonymous pipes, on the
// descriptors 3 and 4 of the child, which the environment variable FERRY_PARENT tells
// it ("pipe:3,4": it reads the first and writes the second). The child's stdin, stdout
// and stderr are not touched.

#ifndef FERRY_TRANSPORT_PARENT_LINK_H_
#define FERRY_TRANSPORT_PARENT_LINK_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ferry/transport/child_process.h"
#include "ferry/transport/listener.h"
#include "ferry/transport/transport.h"

namespace ferry {

struct ChildLink {
  std::unique_ptr<Transport> transport;
  // Also kept by the transport: it says how the child ended.
  std::shared_ptr<ChildProcess> child;
};

// Starts a program and links to it. Not to be called while another thread changes the
// environment. That it is a ferry worker shows when it answers.
// Returns: what ChildProcess::Start does.
absl::StatusOr<ChildLink> StartLinkedChild(const ChildOptions& options);

// In the child: the link to the parent, once; FERRY_PARENT is unset then. Not to be
// called while another thread uses the environment.
// Returns: FAILED_PRECONDITION when there is no parent that speaks ferry, with what to
// do about it.
absl::StatusOr<std::unique_ptr<Transport>> AttachToParent();

// AttachToParent as a listener, which accepts once.
absl::StatusOr<std::unique_ptr<Listener>> ListenToParent();

}  // namespace ferry

#endif  // FERRY_TRANSPORT_PARENT_LINK_H_

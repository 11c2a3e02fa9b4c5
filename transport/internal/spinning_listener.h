// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TRANSPORT_INTERNAL_SPINNING_LISTENER_H_
#define FERRY_TRANSPORT_INTERNAL_SPINNING_LISTENER_H_

#include <memory>

#include "absl/time/time.h"
#include "ferry/transport/listener.h"

namespace ferry::internal {

// The same listener, giving that limit (Transport::spin_limit) to all that it accepts.
std::unique_ptr<Listener> WithSpinLimit(std::unique_ptr<Listener> listener, absl::Duration limit);

}  // namespace ferry::internal

#endif  // FERRY_TRANSPORT_INTERNAL_SPINNING_LISTENER_H_

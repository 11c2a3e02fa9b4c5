// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/server_context.h"

#include "ferry/rpc/channel.h"

namespace ferry {

Channel ServerContext::channel() const { return Channel(origin_.channel()); }

}  // namespace ferry

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_SERVICE_REGISTRY_H_
#define FERRY_RPC_INTERNAL_SERVICE_REGISTRY_H_

#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "ferry/rpc/internal/method_pace.h"
#include "ferry/rpc/service.h"

namespace ferry::internal {

// The methods that a server serves, by the id that travels. Thread contract: filled in
// first, then read by any number of threads.
class ServiceRegistry {
 public:
  struct Entry {
    Service* service;
    const ServiceMethod* method;
    std::unique_ptr<MethodPace> pace;
  };

  // Returns: ALREADY_EXISTS when a method is there already; FAILED_PRECONDITION when two
  // names have one id. Nothing is added then.
  absl::Status Add(Service& service);

  // Null when there is no such method.
  const Entry* Find(uint64_t method_id) const {
    auto found = entries_.find(method_id);
    return found == entries_.end() ? nullptr : &found->second;
  }

 private:
  absl::flat_hash_map<uint64_t, Entry> entries_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_SERVICE_REGISTRY_H_

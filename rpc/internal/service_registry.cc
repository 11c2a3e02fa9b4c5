// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/service_registry.h"

#include "absl/strings/str_cat.h"
#include "ferry/rpc/internal/method_name.h"

namespace ferry::internal {
absl::Status ServiceRegistry::Add(Service& service) {
  ServiceMethods methods = service.ferry_methods();
  for (size_t i = 0; i < methods.size; ++i) {
    const ServiceMethod& method = methods.begin[i];
    const Entry* present = Find(method.method->id);
    if (present == nullptr) continue;
    if (NameOf(*present->method->method) == NameOf(*method.method)) {
      return absl::AlreadyExistsError(
          absl::StrCat(NameOf(*method.method), " is registered already"));
    }
    return absl::FailedPreconditionError(
        absl::StrCat(NameOf(*method.method), " and ", NameOf(*present->method->method),
                     " have the same method id; one of them needs another name"));
  }
  for (size_t i = 0; i < methods.size; ++i) {
    entries_[methods.begin[i].method->id] = {&service, &methods.begin[i],
                                             std::make_unique<MethodPace>()};
  }
  return absl::OkStatus();
}

}  // namespace ferry::internal

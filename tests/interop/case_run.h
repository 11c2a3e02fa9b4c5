// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_INTEROP_CASE_RUN_H_
#define FERRY_TESTS_INTEROP_CASE_RUN_H_

#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ferry/rpc/channel.h"
#include "interop.ferry.h"

namespace ferry::interop {

// A case that runs: what it calls, and the first thing that was not as expected. The Expect
// functions answer whether it was. Thread contract: thread-safe.
class CaseRun {
 public:
  CaseRun(std::string address, Channel channel)
      : address_(std::move(address)), channel_(std::move(channel)) {}
  CaseRun(const CaseRun&) = delete;
  CaseRun& operator=(const CaseRun&) = delete;

  const std::string& address() const { return address_; }
  const Channel& channel() const { return channel_; }
  TestServiceStub stub() const { return TestServiceStub(channel_); }

  template <typename T>
  bool ExpectEqual(const char* what, const T& expected, const T& actual) {
    if (actual == expected) return true;
    Fail(what, absl::StrCat(expected), absl::StrCat(actual));
    return false;
  }
  bool ExpectEqual(const char* what, bool expected, bool actual);
  // Texts are compared whole, and told in part.
  bool ExpectText(const char* what, const std::string& expected, const std::string& actual);
  bool ExpectOk(const char* what, const absl::Status& actual);
  bool ExpectCode(const char* what, absl::StatusCode expected, const absl::Status& actual);
  // `expected` is not OK.
  bool ExpectStatus(const char* what, const absl::Status& expected, const absl::Status& actual);

  // "WHAT: expected …, got …" in one line; "" if all was as expected.
  std::string problem() const;

 private:
  void Fail(const char* what, const std::string& expected, const std::string& actual);

  const std::string address_;
  const Channel channel_;
  mutable std::mutex mutex_;
  std::string problem_;  // guarded by it
};

}  // namespace ferry::interop

#endif  // FERRY_TESTS_INTEROP_CASE_RUN_H_

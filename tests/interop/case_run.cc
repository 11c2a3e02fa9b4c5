// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "case_run.h"

#include "absl/strings/escaping.h"

namespace ferry::interop {
namespace {

std::string Quoted(const std::string& text) {
  constexpr size_t kMost = 80;
  std::string quoted = "\"" + absl::Utf8SafeCEscape(text.substr(0, kMost)) + "\"";
  if (text.size() > kMost) absl::StrAppend(&quoted, " … of ", text.size(), " bytes");
  return quoted;
}

std::string Told(const absl::Status& status) {
  if (status.ok()) return "OK";
  return absl::StrCat(absl::StatusCodeToString(status.code()), " ",
                      Quoted(std::string(status.message())));
}

}  // namespace

bool CaseRun::ExpectEqual(const char* what, bool expected, bool actual) {
  if (actual == expected) return true;
  Fail(what, expected ? "true" : "false", actual ? "true" : "false");
  return false;
}

bool CaseRun::ExpectText(const char* what, const std::string& expected, const std::string& actual) {
  if (actual == expected) return true;
  Fail(what, Quoted(expected), Quoted(actual));
  return false;
}

bool CaseRun::ExpectOk(const char* what, const absl::Status& actual) {
  return ExpectCode(what, absl::StatusCode::kOk, actual);
}

bool CaseRun::ExpectCode(const char* what, absl::StatusCode expected, const absl::Status& actual) {
  if (actual.code() == expected) return true;
  Fail(what, absl::StatusCodeToString(expected), Told(actual));
  return false;
}

bool CaseRun::ExpectStatus(const char* what, const absl::Status& expected,
                           const absl::Status& actual) {
  if (actual.code() == expected.code() && actual.message() == expected.message()) return true;
  Fail(what, Told(expected), Told(actual));
  return false;
}

std::string CaseRun::problem() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return problem_;
}

void CaseRun::Fail(const char* what, const std::string& expected, const std::string& actual) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (problem_.empty()) problem_ = absl::StrCat(what, ": expected ", expected, ", got ", actual);
}

}  // namespace ferry::interop

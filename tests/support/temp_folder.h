// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_SUPPORT_TEMP_FOLDER_H_
#define FERRY_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace ferry::test {

// A folder for one test, of a short path. Fails the test if anything is left in it at the
// end, and removes it. Thread-compatible.
class TempFolder {
 public:
  TempFolder() {
    char path[] = "/tmp/ferry-test-XXXXXX";
    EXPECT_NE(mkdtemp(path), nullptr);
    path_ = path;
  }
  ~TempFolder() {
    for (const std::string& name : Names()) ADD_FAILURE() << "left behind: " << name;
    std::filesystem::remove_all(path_);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

 private:
  std::string path_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_SUPPORT_TEMP_FOLDER_H_

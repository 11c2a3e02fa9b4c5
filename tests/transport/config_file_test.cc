// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/temp_folder.h"

namespace ferry::internal {
namespace {

TEST(ConfigFileTest, IsReadWhole) {
  test::TempFolder folder;
  const std::string path = folder / "config";
  for (size_t size : {size_t{0}, size_t{4096}, size_t{1} << 20}) {
    std::ofstream(path) << std::string(size, 'x');
    absl::StatusOr<std::string> text = ReadConfigFile(path);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(text->size(), size);
  }
  std::ofstream(path) << std::string((size_t{1} << 20) + 1, 'x');
  EXPECT_EQ(
      ReadConfigFile(path).status(),
      absl::InvalidArgumentError("configuration " + path + ": expected a file of at most 1MiB"));
  std::filesystem::remove(path);
}

TEST(ConfigFileTest, IsARegularFile) {
  test::TempFolder folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, folder.path(), std::string("/dev/null")}) {
    EXPECT_EQ(ReadConfigFile(path).status(),
              absl::InvalidArgumentError("configuration " + path + ": expected a regular file"));
  }
  std::filesystem::remove(pipe);
  EXPECT_EQ(ReadConfigFile(pipe).status(),
            absl::NotFoundError("configuration " + pipe + ": No such file or directory"));
}

TEST(ConfigFileTest, IsNamedByTheEnvironment) {
  unsetenv("FERRY_CONFIG");
  EXPECT_EQ(ConfigFileOfEnvironment(), "");
  setenv("FERRY_CONFIG", "/etc/ferry.textproto", 1);
  EXPECT_EQ(ConfigFileOfEnvironment(), "/etc/ferry.textproto");
  unsetenv("FERRY_CONFIG");
}

}  // namespace
}  // namespace ferry::internal

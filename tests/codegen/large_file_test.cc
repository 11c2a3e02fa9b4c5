// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/codegen/protoc_run.h"

namespace ferry::codegen {
namespace {

class LargeFileTest : public ProtocTest {
 protected:
  // The bytes generated for `services` services of 20 methods each.
  uintmax_t SizeFor(int services) {
    std::ofstream proto(out_ / "large.proto");
    proto << "syntax = 'proto3'; package large; message M {}\n";
    for (int service = 1000; service < 1000 + services; ++service) {
      proto << "service S" << service << " {\n";
      for (int method = 10; method < 30; ++method) {
        proto << "  // A comment.\n  rpc Method" << method << "(M) returns (M);\n";
      }
      proto << "}\n";
    }
    proto.close();
    const Result result = Protoc(out_, "large.proto");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return std::filesystem::file_size(out_ / "large.ferry.h") +
           std::filesystem::file_size(out_ / "large.ferry.cc");
  }
};

// The names are equally long: each service takes the same number of bytes.
TEST_F(LargeFileTest, SizeGrowsWithTheServicesAndNoFaster) {
  const uintmax_t one = SizeFor(1);
  EXPECT_EQ(SizeFor(201) - one, 20 * (SizeFor(11) - one));
}

}  // namespace
}  // namespace ferry::codegen

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/spinner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "ferry/transport/internal/cpu_limit.h"
#include "tests/support/temp_folder.h"

namespace ferry::internal {
namespace {

// How many sleeps come without a look now.
int Skipped(SpinPolicy& policy) {
  for (int skipped = 0;; ++skipped) {
    if (policy.ShallLook()) return skipped;
  }
}

TEST(SpinPolicyTest, ASuccessGoesOn) {
  SpinPolicy policy;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(policy.ShallLook());
    policy.Succeeded();
  }
}

TEST(SpinPolicyTest, FailuresInARowMakeLooksRare) {
  SpinPolicy policy;
  policy.Failed();
  EXPECT_EQ(Skipped(policy), 0) << "one may be chance";
  for (int skipped : {1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256}) {
    policy.Failed();
    EXPECT_EQ(Skipped(policy), skipped);
  }
  policy.Succeeded();
  EXPECT_EQ(Skipped(policy), 0);
  policy.Failed();
  EXPECT_EQ(Skipped(policy), 0) << "a success forgives all";
}

TEST(SpinPolicyTest, QuickSuccessesForgiveOneFailureEach) {
  SpinPolicy policy;
  for (int i = 0; i < 4; ++i) policy.Failed();
  EXPECT_EQ(Skipped(policy), 4);
  for (int i = 0; i < 3; ++i) policy.SucceededSoon();
  policy.Failed();
  EXPECT_EQ(Skipped(policy), 1);
  for (int i = 0; i < 10; ++i) policy.SucceededSoon();
  policy.Failed();
  EXPECT_EQ(Skipped(policy), 0);
}

TEST(SpinPolicyTest, ToBeInTheWayWeighsMore) {
  SpinPolicy policy;
  for (int skipped : {2, 16, 128, 1024, 1024}) {
    policy.WasInTheWay();
    EXPECT_EQ(Skipped(policy), skipped);
  }
  policy.Failed();
  EXPECT_EQ(Skipped(policy), 1024) << "a failure does not make up for it";
}

TEST(SpinPolicyTest, OnOneCpuFailuresWeighMore) {
  SpinPolicy policy;
  policy.set_cpus(SpinPolicy::Cpus::kOne);
  EXPECT_TRUE(policy.ShallLook()) << "the peer may have another";
  for (int skipped : {4, 64, 1024, 1024}) {
    policy.Failed();
    EXPECT_EQ(Skipped(policy), skipped);
  }
}

constexpr absl::Duration kLong = absl::Milliseconds(10);

TEST(SpinnerTest, WithoutALimitItDoesNotLook) {
  Spinner spinner;
  EXPECT_FALSE(spinner.Spin(Spinner::Look::kMemory, absl::ZeroDuration(), kNoDeadline, [] {
    ADD_FAILURE();
    return true;
  }));
}

TEST(SpinnerTest, StopsAtTheFirstLookThatFindsSomething) {
  Spinner spinner;
  for (Spinner::Look kind : {Spinner::Look::kMemory, Spinner::Look::kCall}) {
    for (int calls : {1, 4}) {
      int called = 0;
      EXPECT_TRUE(spinner.Spin(kind, kLong, kNoDeadline, [&] { return ++called == calls; }));
      EXPECT_EQ(called, calls);
    }
  }
}

TEST(SpinnerTest, EndsAtTheDeadlineAndLearnsThatItWasInVain) {
  Spinner spinner;
  bool called = true;
  for (int i = 0; called; ++i) {
    ASSERT_LT(i, 10) << "it goes on looking in vain";
    called = false;
    EXPECT_FALSE(spinner.Spin(Spinner::Look::kMemory, absl::Microseconds(1), kNoDeadline, [&] {
      called = true;
      return false;
    }));
    if (CpuLimit() < 2) {
      EXPECT_FALSE(called) << "with one CPU it never looks";
    }
  }
}

// Makes a cgroup of version 2 with that file.
void Write(const std::string& folder, const char* max) {
  ASSERT_TRUE(std::ofstream(folder + "/cpu.max") << max << "\n");
}

TEST(CpuLimitTest, IsTheLowestQuotaOfAllCgroupsRoundedDown) {
  test::TempFolder root;
  std::string inner = root.path() + "/inner";
  ASSERT_EQ(mkdir(inner.c_str(), 0700), 0);
  EXPECT_EQ(CpuLimitOf(root.path(), "/inner", 8), 8) << "no file, no quota";
  Write(inner, "max 100000");
  EXPECT_EQ(CpuLimitOf(root.path(), "/inner", 8), 8);
  Write(inner, "390000 100000");
  EXPECT_EQ(CpuLimitOf(root.path(), "/inner", 8), 3);
  Write(root.path(), "20000 100000");
  EXPECT_EQ(CpuLimitOf(root.path(), "/inner", 8), 1);
  EXPECT_EQ(CpuLimitOf(root.path(), "/elsewhere", 8), 1);
  EXPECT_EQ(CpuLimitOf("/nowhere", "/", 2), 2);
  for (const std::string& name : root.Names()) std::filesystem::remove_all(root / name);
}

}  // namespace
}  // namespace ferry::internal

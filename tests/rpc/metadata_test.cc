// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// What travels beside the messages, and calls that nobody waits for.

#include "ferry/rpc/metadata.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "ferry/rpc/call_failure.h"
#include "ferry/rpc/internal/utf8.h"
#include "tests/rpc/talk_service.h"

namespace ferry::test {
namespace {

using absl::StatusCode;

Metadata Made(std::initializer_list<Metadata::Entry> entries) {
  Metadata metadata;
  for (const auto& [name, value] : entries) metadata.Add(name, value);
  return metadata;
}

TEST(MetadataTest, KeepsOrderAndDuplicates) {
  Metadata metadata = Made({{"a", "1"}, {"b", "2"}, {"a", "3"}});
  EXPECT_EQ(metadata.size(), 3u);
  EXPECT_EQ(metadata.Find("a"), "1");
  EXPECT_EQ(metadata.Find("c"), std::nullopt);
  EXPECT_EQ((metadata.begin() + 2)->second, "3");
}

TEST(MetadataTest, NamesWhatCannotBeSent) {
  EXPECT_TRUE(Made({{"a-b_c.9", "ü"}, {"x-bin", "\xff"}}).Validate().ok());
  EXPECT_EQ(Made({{"Upper", "1"}}).Validate(),
            absl::InvalidArgumentError("metadata named \"Upper\", expected lower-case letters, "
                                       "digits, '-', '_' and '.'"));
  EXPECT_FALSE(Made({{"", "1"}}).Validate().ok());
  EXPECT_EQ(Made({{"text", "\xff"}}).Validate(),
            absl::InvalidArgumentError("the value of metadata text, 1 bytes, is not UTF-8: for "
                                       "other bytes the name has to end in \"-bin\""));
  EXPECT_EQ(Made({{"a", std::string(70000, 'x')}}).Validate().code(),
            StatusCode::kResourceExhausted);
}

TEST(Utf8Test, AcceptsTheShortestFormOfEveryCharacterOnly) {
  for (const char* good :
       {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(internal::IsUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2x", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(internal::IsUtf8(bad)) << bad;
  }
}

class TravellingMetadataTest : public TalkTest {
 protected:
  // Gives back what came, twice.
  static void Return(ServerContext& context) {
    context.initial_metadata() = context.metadata();
    context.trailing_metadata() = context.metadata();
    context.trailing_metadata().Add("end", "yes");
  }
};
INSTANTIATE_TEST_SUITE_P(All, TravellingMetadataTest, testing::ValuesIn(kTalkSchemes),
                         NameOfScheme);

TEST_P(TravellingMetadataTest, GoesBothWaysWithACall) {
  service_.say = [](ServerContext& context, const Item&, Item&) {
    Return(context);
    return absl::OkStatus();
  };
  Start();
  Metadata initial, trailing;
  CallOptions options;
  options.metadata = Made({{"id", "7"}, {"key-bin", std::string("\0\xff", 2)}, {"id", "8"}});
  options.initial_metadata = &initial;
  options.trailing_metadata = &trailing;
  EXPECT_TRUE(stub_->Say(Item(), options).ok());
  EXPECT_EQ(initial.size(), 3u);
  EXPECT_EQ(initial.Find("key-bin"), std::string("\0\xff", 2));
  EXPECT_EQ(trailing.Find("end"), "yes");
}

TEST_P(TravellingMetadataTest, ComesWithAnErrorToo) {
  service_.say = [](ServerContext& context, const Item&, Item&) {
    Return(context);
    return absl::AbortedError("no");
  };
  Start();
  Metadata trailing;
  CallOptions options;
  options.trailing_metadata = &trailing;
  EXPECT_EQ(stub_->Say(Item(), options).status().code(), StatusCode::kAborted);
  EXPECT_EQ(trailing.Find("end"), "yes");
}

TEST_P(TravellingMetadataTest, IsThereBeforeTheFirstMessageOfAStream) {
  Signal go_on;
  service_.count = [&](ServerContext& context, const Item&, ServerWriter<Item>& replies) {
    Return(context);
    EXPECT_TRUE(context.SendInitialMetadata());
    EXPECT_FALSE(context.SendInitialMetadata());
    replies.Write(Item());
    go_on.Await();
    return absl::OkStatus();
  };
  Start();
  Metadata initial, trailing;
  CallOptions options;
  options.metadata = Made({{"id", std::string(60000, '7')}});
  options.initial_metadata = &initial;
  options.trailing_metadata = &trailing;
  ClientReader<Item> reader = stub_->Count(Item(), options);
  Item item;
  EXPECT_TRUE(reader.Read(&item));
  EXPECT_EQ(initial.Find("id")->size(), 60000u);
  EXPECT_TRUE(trailing.empty());
  go_on.Set();
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_EQ(trailing.size(), 2u);
}

TEST_P(TravellingMetadataTest, ThatIsWrongFailsTheCallAndSaysWhy) {
  service_.say = [](ServerContext& context, const Item&, Item&) {
    context.trailing_metadata().Add("Wrong", "");
    return absl::OkStatus();
  };
  Start();
  CallOptions options;
  options.metadata.Add("Wrong", "");
  absl::Status refused = stub_->Say(Item(), options).status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CallFailureOf(refused)->delivery, CallFailure::Delivery::kNotSent);
  absl::Status failed = stub_->Say(Item()).status();
  EXPECT_EQ(failed.code(), StatusCode::kInternal);
  EXPECT_EQ(failed.message(),
            "the handler's metadata named \"Wrong\", expected lower-case letters, digits, '-', '_' "
            "and '.'");
}

class OneWayTest : public TalkTest {};
INSTANTIATE_TEST_SUITE_P(All, OneWayTest, testing::ValuesIn(kTalkSchemes), NameOfScheme);

TEST_P(OneWayTest, ReturnsBeforeTheHandlerDoes) {
  Signal go_on, done;
  service_.note = [&](ServerContext&, const Item& request) {
    EXPECT_EQ(request.number(), 5);
    go_on.Await();
    done.Set();
    return absl::AbortedError("nobody hears this");
  };
  Start();
  EXPECT_TRUE(stub_->Note(Numbered(5)).ok());
  go_on.Set();
  done.Await();
}

TEST_P(OneWayTest, ThereMayBeMoreThanIdsAndCreditInARow) {
  constexpr int kCalls = 200000;
  std::atomic<int> left{kCalls};
  Signal done;
  service_.note = [&](ServerContext&, const Item&) {
    if (--left == 0) done.Set();
    return absl::OkStatus();
  };
  Start();
  Item item = Sized(20);
  for (int i = 0; i < kCalls; ++i) {
    absl::Status status = stub_->Note(item);
    ASSERT_TRUE(status.ok()) << status << " at " << i;
  }
  done.Await();
}

}  // namespace
}  // namespace ferry::test

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_RPC_CLIENT_REACTOR_TEST_H_
#define FERRY_TESTS_RPC_CLIENT_REACTOR_TEST_H_

#include <vector>

#include "tests/rpc/async_test.h"
#include "tests/rpc/reactors.h"

namespace ferry::test {

class ClientReactorTest : public AsyncTest {
 protected:
  ~ClientReactorTest() override {
    DropChannel();
    Stop();
  }
  void CountUpTo(int count, size_t size = 0) {
    service_.count = [=](ServerContext&, const Item&, ServerWriter<Item>& replies) {
      Item item = Sized(size);
      for (int i = 0; i < count; ++i) {
        item.set_number(i);
        if (!replies.Write(item)) return absl::AbortedError("nobody reads");
      }
      return absl::OkStatus();
    };
  }
  // Reads one message, pauses, and has all of them here.
  void PauseAtOnce(Reader& reader) {
    CountUpTo(10);
    service_.say = SendBack;
    StartAsync();
    reader.on_read = [&](const Item&) { reader.PauseReads(); };
    stub_->Count(Item(), reader);
    EXPECT_TRUE(stub_->Say(Item()).ok());  // all of the other's has come before
    while (reader.reads == 0) std::this_thread::yield();
  }
  void SumUp() {
    service_.sum = [this](ServerContext&, ServerReader<Item>& requests, Item& reply) {
      may_read_.Await();
      int sum = 0;
      for (Item item; requests.Read(&item);) sum += item.number();
      reply.set_number(sum);
      return absl::OkStatus();
    };
  }
  void ChatBack() {
    service_.chat = [](ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
      context.trailing_metadata().Add("reads", "all");
      for (Item item; stream.Read(&item);) stream.Write(item);
      return absl::OkStatus();
    };
  }
  static std::vector<int> UpTo(int count) {
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(i);
    return numbers;
  }

  Signal may_read_;
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_RPC_CLIENT_REACTOR_TEST_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

// The contract suite: what transport.h promises, for every kind of transport. The tests
// are in contract_*_test.cc; a new transport adds one line to Kinds(), in contract.cc.

#ifndef FERRY_TESTS_TRANSPORT_CONTRACT_H_
#define FERRY_TESTS_TRANSPORT_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ferry/transport/address.h"
#include "ferry/transport/listener.h"
#include "tests/support/temp_folder.h"
#include "tests/transport/transport_pair.h"

namespace ferry::test {

struct TransportKind {
  // What a kind cannot do, and is not asked for.
  enum Lack : unsigned {
    kNothing = 0,
    kProcesses = 1,  // both ends are in one process
    kStream = 2,     // it carries frames, not bytes: none is broken or overtaken
  };

  std::string name;
  absl::StatusOr<TransportPair> (*pair)();  // of ends here; null: they meet at `address`
  std::string address;     // to listen and connect at, FOLDER being one of its own; "": none
  std::string child_link;  // "exec:…?transport=" this leads to a child; "": none does
  unsigned lacks = kNothing;

  bool has(Lack lack) const { return (lacks & lack) == 0; }
};

std::vector<TransportKind> Kinds();
inline void PrintTo(const TransportKind& kind, std::ostream* out) { *out << kind.name; }

// Where the two ends of a kind meet, as often as asked. Fails the test if a file is left
// behind. Thread-compatible.
class Meeting {
 public:
  explicit Meeting(const TransportKind& kind);

  // The kind's, with the folder put in.
  const std::string& address() const { return address_; }
  const TempFolder& folder() const { return folder_; }

  // Lets both ends connect: the one that connects is first.
  absl::StatusOr<TransportPair> Meet();
  // Nobody can connect any more.
  void Close() { listener_ = nullptr; }
  // What a server could not take away with it, the next one does.
  ~Meeting();

 private:
  absl::StatusOr<TransportPair> (*const pair_)();
  TempFolder folder_;
  std::string address_;
  std::unique_ptr<Listener> listener_;
};

// The latter within a time that no working machine needs.
absl::StatusOr<std::unique_ptr<Listener>> ListenAt(const std::string& address);
absl::StatusOr<std::unique_ptr<Transport>> ConnectTo(const std::string& address);

// Waits for the next to connect, or until `given_up` answers true. Never null.
absl::StatusOr<std::unique_ptr<Transport>> AcceptOne(Listener& listener,
                                                     const std::function<bool()>& given_up);

// How many descriptors this process has.
size_t CountDescriptors();

class TransportContract : public testing::TestWithParam<TransportKind> {
 protected:
  void SetUp() override {
    meeting_.emplace(GetParam());
    Meet();
  }

  // New ends in place of the old.
  void Meet() {
    a_ = nullptr;
    b_ = nullptr;
    absl::StatusOr<TransportPair> pair = meeting_->Meet();
    ASSERT_TRUE(pair.ok()) << pair.status();
    std::tie(a_, b_) = *std::move(pair);
  }

  bool Has(TransportKind::Lack lack) const { return GetParam().has(lack); }

  static void Send(Transport& from, uint32_t call, const std::string& message) {
    SendMessage(from, call, message);
  }

  // On a_, filled in.
  Reservation Reserve(uint32_t call, const std::string& message);

  std::optional<Meeting> meeting_;
  std::unique_ptr<Transport> a_, b_;
};

}  // namespace ferry::test

#define INSTANTIATE_CONTRACT(suite)                                                 \
  INSTANTIATE_TEST_SUITE_P(All, suite, ::testing::ValuesIn(::ferry::test::Kinds()), \
                           [](const auto& kind) { return kind.param.name; })

#endif  // FERRY_TESTS_TRANSPORT_CONTRACT_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_CALLING_MODEL_H_
#define FERRY_TESTS_FUZZ_CALLING_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "ferry/rpc/method.h"
#include "tests/fuzz/peer_frames.h"

namespace ferry::test {

// What a server knows of a client's calls: from the frames that it sends, in the order in which
// the client takes them, follows what the client may send. Thread contract: thread-compatible.
class CallingModel final : private PeerCalls {
 public:
  struct Call {
    CallId id;
    const Method* method = nullptr;
    bool is_open = true;    // no reply has come
    bool is_strict = true;  // the server has kept the contract, and nobody has cancelled it
    bool has_ended = false;
    bool is_cancelled = false;
    bool has_answer = false;
    bool has_initial = false;
    bool has_trailing = false;
    int64_t send_credit = 0;          // of the client
    int64_t receive_credit = 0;       // of the server
    uint64_t received = 0;            // bytes that the server drew
    uint64_t given = 0;               // bytes that the client gave back
    absl::StatusCode code{};          // of the reply
    std::deque<std::string> to_read;  // messages of the server's that nobody has read
  };

  // `methods` outlive it. `stream_credit`: what the client gives.
  CallingModel(size_t max_message, uint64_t stream_credit,
               const std::map<uint64_t, const Method*>& methods)
      : stream_credit_(stream_credit), methods_(methods), frames_(0, max_message, false, *this) {}

  // The client takes a frame of the server's. Once something is unclear all that follows is.
  Fate OnTaken(const FrameHeader& header, std::string_view payload) {
    Fate fate = is_unclear_ ? Fate::kUnclear : frames_.Take(header, payload);
    is_unclear_ = fate == Fate::kUnclear;
    return fate;
  }
  bool is_unclear() const { return is_unclear_; }
  // The client has sent a whole message. Checks that it may.
  void OnSent(const FrameHeader& header, std::string_view payload);

  // A read of that call has answered that; a call has ended so.
  void OnRead(size_t call, std::string_view message);
  void OnOutcome(size_t call, const absl::Status& status);

  bool greeted() const { return frames_.greeted(); }
  const PeerFrames& frames() const { return frames_; }
  // In the order of their requests.
  const std::vector<Call>& calls() const { return calls_; }
  bool lacks_request_credit() const { return counts_requests_ && request_credit_ <= 0; }

 private:
  void OnHello(const wire::Hello& hello) override;
  void OnCredit(uint32_t bytes) override;
  void OnPing(uint64_t number) override { pings_.push_back(number); }
  void OnGoAway() override { is_leaving_ = true; }
  Fate OnFirst(const FrameHeader& header) override;
  Fate OnWhole(const FrameHeader& header, std::string_view payload, bool was_refused) override;

  Call* FindOpen(CallId id);
  Fate OnOfServer(const FrameHeader& header);
  Fate OnReply(Call& call, const FrameHeader& header, std::string_view payload, bool was_refused);
  Fate OnMessage(Call& call, std::string_view payload, bool was_refused);
  Fate OnMetadata(Call& call, const FrameHeader& header, std::string_view payload,
                  bool was_refused);
  void CheckOfServer(const FrameHeader& header);
  void CheckRequest(const FrameHeader& header, std::string_view payload);
  void CheckMetadata(const FrameHeader& header, std::string_view payload);
  void CheckMessage(Call& call, const FrameHeader& header, std::string_view payload);
  void CheckShape(const Call& call, const FrameHeader& header);

  const uint64_t stream_credit_;
  const std::map<uint64_t, const Method*>& methods_;
  PeerFrames frames_;
  bool is_unclear_ = false;
  bool said_hello_ = false;  // the client
  bool is_leaving_ = false;  // the server
  uint64_t server_stream_credit_ = 0;
  uint64_t server_max_message_ = UINT64_MAX;
  bool counts_requests_ = false;
  int64_t request_credit_ = 0;
  std::deque<uint64_t> pings_;
  CallId metadata_of_;  // that was just sent; 0: none
  std::vector<Call> calls_;
  std::map<uint32_t, uint32_t> generations_;      // by index
  std::map<uint32_t, int> replies_due_;           // of the server's calls, by id
  std::map<uint32_t, uint32_t> server_metadata_;  // ids by index
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_CALLING_MODEL_H_

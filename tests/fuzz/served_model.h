// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_SERVED_MODEL_H_
#define FERRY_TESTS_FUZZ_SERVED_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "ferry/rpc/method.h"
#include "tests/fuzz/peer_frames.h"

namespace ferry::test {

// What a server is configured with.
struct ServedLimits {
  size_t max_message;
  uint64_t request_credit;
  uint64_t stream_credit;
  bool memory_is_short;
};

// What a client knows of its calls: from the frames that it sends, in the order in which the
// server takes them, follows what the server may send. Thread contract: thread-compatible.
class ServedModel final : private PeerCalls {
 public:
  struct Call {
    const Method* method = nullptr;  // null: nobody serves it
    bool is_whole = false;           // its request has arrived
    bool is_open = true;             // no reply has come
    bool is_strict = true;           // the client has kept the contract, and asks for no failure
    bool has_ended = false;          // the client sends no more messages
    bool is_cancelled = false;
    bool is_one_way = false;
    bool has_initial = false;
    bool has_trailing = false;
    bool has_message = false;
    int64_t send_credit = 0;          // of the server
    int64_t receive_credit = 0;       // of the client
    uint64_t received = 0;            // bytes that the client drew
    uint64_t given = 0;               // bytes that the server gave back
    uint32_t drawn = 0;               // for the request
    std::deque<std::string> to_read;  // messages of the client's that the handler has not read
  };

  // `methods` outlive it.
  ServedModel(const ServedLimits& limits, const std::map<uint64_t, const Method*>& methods)
      : limits_(limits),
        methods_(methods),
        frames_(1, limits.max_message, limits.memory_is_short, *this) {}

  // The server takes a frame of the client's. Once something is unclear all that follows is.
  Fate OnTaken(const FrameHeader& header, std::string_view payload) {
    Fate fate = is_unclear_ ? Fate::kUnclear : frames_.Take(header, payload);
    is_unclear_ = fate == Fate::kUnclear;
    return fate;
  }
  bool is_unclear() const { return is_unclear_; }
  // The server has sent a whole message. Checks that it may.
  void OnSent(const FrameHeader& header, std::string_view payload);

  // A handler has read that message.
  void OnRead(CallId call, std::string_view message);

  // When nothing is under way, and no call is open: all that was drawn was given back.
  void CheckBalance() const;

  bool greeted() const { return frames_.greeted(); }
  const PeerFrames& frames() const { return frames_; }
  const std::map<uint32_t, Call>& calls() const { return calls_; }
  // Null if there is none that is open.
  const Call* FindOpen(CallId call) const;

 private:
  void OnHello(const wire::Hello& hello) override;
  void OnCredit(uint32_t) override {}
  void OnPing(uint64_t number) override { pings_.push_back(number); }
  void OnGoAway() override {}
  Fate OnFirst(const FrameHeader& header) override;
  Fate OnWhole(const FrameHeader& header, std::string_view payload, bool was_refused) override;

  void Open(const FrameHeader& header);
  Fate OnRequest(const FrameHeader& header, std::string_view payload, bool was_refused);
  Fate OnMetadata(const FrameHeader& header, std::string_view payload, bool was_refused);
  void OnMessage(Call& call, const FrameHeader& header, std::string_view payload, bool was_refused);
  void CheckOfConnection(const FrameHeader& header);
  void CheckReply(Call& call, const FrameHeader& header, std::string_view payload);
  void CheckMetadata(Call& call, const FrameHeader& header, std::string_view payload);
  void CheckMessage(Call& call, const FrameHeader& header, std::string_view payload);
  void GiveBack(uint32_t bytes);

  struct Early {
    CallId call;
    size_t size = 0;
    bool was_refused = false;
  };

  const ServedLimits limits_;
  const std::map<uint64_t, const Method*>& methods_;
  PeerFrames frames_;
  bool is_unclear_ = false;
  bool said_hello_ = false;  // the server
  uint64_t client_stream_credit_ = 0;
  uint64_t client_max_message_ = UINT64_MAX;
  uint64_t drawn_ = 0;
  uint64_t given_ = 0;
  uint64_t lost_ = 0;  // drawn for metadata of no request
  std::deque<uint64_t> pings_;
  std::map<uint32_t, Early> early_;  // metadata, by index
  std::map<uint32_t, Call> calls_;   // by id
};

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_SERVED_MODEL_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/play_caller.h"

#include "tests/fuzz/check.h"
#include "tests/fuzz/play_service.h"

namespace ferry::test {

bool PlayCaller::Take(char letter, Program& program, Deed& deed) {
  deed.letter = letter;
  switch (letter) {
    case 'S':
      deed.slot = program.Digit(kSlots);
      deed.shape = 1 + (program.Digit(3) + 2) % 3;
      deed.options = program.Digit(32);
      deed.size = program.Size();
      return true;
    case 'U':
    case 'O':
      deed.options = program.Digit(32);
      deed.size = program.Size();
      return true;
    case 'W':
      deed.slot = program.Digit(kSlots);
      deed.size = program.Size();
      return true;
    case 'E':
    case 'R':
    case 'F':
    case 'D':
    case 'X':
      deed.slot = program.Digit(kSlots);
      return true;
    default:
      return letter == 'K';
  }
}

bool PlayCaller::DoMeanwhile(const Deed& deed) {
  if (deed.letter != 'X' && deed.letter != 'K') return false;
  Do(deed);
  return true;
}

void PlayCaller::Do(const Deed& deed) {
  if (deed.letter == 'U' || deed.letter == 'O') return Call(deed);
  if (deed.letter == 'S') return Open(deed);
  if (deed.letter == 'K') {
    Cancellation& cancelled = *cancellations_.back();
    cancellations_.push_back(std::make_unique<Cancellation>());
    return cancelled.Cancel();
  }
  std::unique_ptr<Stream>& stream = streams_[deed.slot];
  if (stream == nullptr || stream->stream == nullptr) return;
  bool is_of_reader = deed.letter == 'R';
  bool is_of_writer = deed.letter == 'W' || deed.letter == 'E';
  if (is_of_reader && !ReturnsStream(stream->shape)) return;
  if (is_of_writer && !TakesStream(stream->shape)) return;
  wire::Status message;
  switch (deed.letter) {
    case 'W':
      message.set_message(std::string(deed.size, 'w'));
      stream->stream->Write(message);
      return;
    case 'E':
      stream->stream->WritesDone();
      return;
    case 'R':
      return Read(*stream);
    case 'F':
      return Finish(stream);
    case 'D':
      stream.reset();
      return;
    default:
      stream->stream->Cancel();
  }
}

CallOptions PlayCaller::OptionsOf(uint32_t bits, Metadata& initial, Metadata& trailing) {
  CallOptions options;
  if ((bits & 1) != 0) options.metadata.Add("name", "value");
  if ((bits & 2) != 0) {
    options.initial_metadata = &initial;
    options.trailing_metadata = &trailing;
  }
  if ((bits & 4) != 0) options.cancellation = cancellations_.back().get();
  if ((bits & 8) != 0) options.timeout = absl::Microseconds(1);
  if ((bits & 16) != 0) options.timeout = absl::Hours(1);
  return options;
}

void PlayCaller::Call(const Deed& deed) {
  wire::Status request, reply;
  request.set_message(std::string(deed.size, 'r'));
  Metadata initial, trailing;
  CallOptions options = OptionsOf(deed.options, initial, trailing);
  size_t before = model_.calls().size();
  absl::Status status = deed.letter == 'U' ? channel_.Call(kPlayMethods[0], request, reply, options)
                                           : channel_.SendOneWay(kPlayMethods[4], request, options);
  Outcome(before, status);
}

void PlayCaller::Open(const Deed& deed) {
  auto stream = std::make_unique<Stream>();
  const Method& method = kPlayMethods[deed.shape];
  stream->shape = method.shape;
  wire::Status request;
  request.set_message(std::string(deed.size, 'r'));
  CallOptions options = OptionsOf(deed.options, stream->initial, stream->trailing);
  size_t before = model_.calls().size();
  stream->stream =
      channel_.OpenStream(method, TakesStream(method.shape) ? nullptr : &request,
                          ReturnsStream(method.shape) ? nullptr : &stream->reply, options);
  if (model_.calls().size() > before) stream->call = before;
  streams_[deed.slot] = std::move(stream);
}

void PlayCaller::Read(Stream& stream) {
  wire::Status message;
  if (!stream.stream->Read(message)) return;
  Check(stream.call != kNone || model_.is_unclear(), "what was not sent has no answer");
  if (stream.call != kNone) model_.OnRead(stream.call, message.SerializeAsString());
}

void PlayCaller::Finish(std::unique_ptr<Stream>& stream) {
  Outcome(stream->call, stream->stream->Finish());
  stream.reset();
}

void PlayCaller::Outcome(size_t call, const absl::Status& status) {
  if (call < model_.calls().size()) return model_.OnOutcome(call, status);
  Check(!status.ok() || model_.is_unclear(), "what was not sent does not succeed");
}

void PlayCaller::EndAll(bool finishes) {
  for (std::unique_ptr<Stream>& stream : streams_) {
    if (stream == nullptr) continue;
    if (finishes) {
      Finish(stream);
    } else {
      stream.reset();
    }
    finishes = !finishes;
  }
}

}  // namespace ferry::test

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/turns.h"

#include <memory>

#include "ferry/rpc/internal/connection_reader.h"
#include "ferry/rpc/internal/session.h"

namespace ferry::internal {
namespace {

// What else a thread has to do does not wait for more.
constexpr int kMostAtOnce = 64;

}  // namespace

void Turns::RunOnReader() { reader().RunNow(*this); }

// A server, or a channel, may have ended meanwhile: then there is no thread but this.
void Turns::RunSoon() {
  if (!reader().RunSoon(*this)) Run();
}

void Turns::Run() {
  std::shared_ptr<Session> its_session = session()->shared_from_this();
  its_session->RunCallback([this] { RunAll(); });
}

void Turns::RunAll() {
  int told = 0;
  do {
    word_.store(kRuns);
    for (Step step = Step::kTold; step != Step::kNothing;) {
      step = Next();
      if (step == Step::kOver) return;  // this may be gone
      if (++told % kMostAtOnce == 0 && reader().RunSoon(*this)) return;
    }
  } while (!Rest());
}

}  // namespace ferry::internal

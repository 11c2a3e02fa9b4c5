// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_CALL_PLAY_H_
#define FERRY_TESTS_FUZZ_CALL_PLAY_H_

#include <string>
#include <string_view>
#include <vector>

namespace ferry::test {

// Plays a program of any bytes: calls of all shapes on a channel, against a server that speaks
// frame by frame, and not always well. Ends the process if the channel does what it must not.
void PlayCalls(std::string_view program);

// Programs that reach most of what there is.
std::vector<std::string> CallSeeds();

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_CALL_PLAY_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_FUZZ_SERVED_PLAY_H_
#define FERRY_TESTS_FUZZ_SERVED_PLAY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::test {

// Plays a program of any bytes: a client that speaks frame by frame, and not always well,
// against a session that serves. Ends the process if the session does what it must not.
void PlayServed(std::string_view program);

// Programs that reach most of what there is.
std::vector<std::string> ServedSeeds();

}  // namespace ferry::test

#endif  // FERRY_TESTS_FUZZ_SERVED_PLAY_H_

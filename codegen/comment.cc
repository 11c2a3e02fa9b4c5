// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/comment.h"

#include <cstddef>
#include <cstdint>

namespace ferry::codegen {
namespace {

// Characters that make text look other than it is read by a compiler; see
// https://trojansource.codes. Compilers warn of them in comments too.
bool ChangesDirection(uint32_t character) {
  return (character >= 0x202a && character <= 0x202e) ||
         (character >= 0x2066 && character <= 0x2069);
}

// The bytes of a UTF-8 character of two bytes or more that may stand in a
// comment; 0 if `text` does not begin with one.
size_t MultiByteLength(std::string_view text) {
  const auto byte = [text](size_t i) -> uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  constexpr uint32_t kFirstByte[] = {0, 0, 0xc0, 0xe0, 0xf0};
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  uint32_t character = byte(0) - kFirstByte[length];
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    character = character << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < kSmallest[length] || character > 0x10ffff || surrogate) return 0;
  return ChangesDirection(character) ? 0 : length;
}

std::string Cleaned(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    const auto byte = static_cast<unsigned char>(line.front());
    const size_t length = byte < 0x80 ? 1 : MultiByteLength(line);
    if (byte < 0x20 || byte == 0x7f) {
      out += ' ';
    } else if (length == 0) {
      out += '?';
    } else {
      out += line.substr(0, length);
    }
    line.remove_prefix(length == 0 ? 1 : length);
  }
  return out.erase(out.find_last_not_of(' ') + 1);
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

std::string CommentLines(std::string_view text) {
  std::string out;
  size_t blank_lines = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string line = Cleaned(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.empty()) {
      ++blank_lines;
      continue;
    }
    // The compiler would join the next line to this one. "??/" is a backslash
    // in C++14.
    if (EndsWith(line, "\\") || EndsWith(line, "?\?/")) line += " .";
    for (; blank_lines > 0; --blank_lines) out += out.empty() ? "" : "//\n";
    out.append("//").append(line).append("\n");
  }
  return out;
}

}  // namespace ferry::codegen

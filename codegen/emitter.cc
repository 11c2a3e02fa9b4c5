// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "codegen/emitter.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ferry::codegen {
namespace {

// Text behind the last line break is left out: a layout's is the indentation of
// its closing quote.
std::vector<std::string_view> WholeLines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    lines.push_back(text.substr(0, end));
  }
  return lines;
}

size_t Indentation(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

size_t SharedIndentation(const std::vector<std::string_view>& lines) {
  size_t shared = std::string_view::npos;
  for (std::string_view line : lines) {
    if (!line.empty()) shared = std::min(shared, Indentation(line));
  }
  return shared;
}

// The first $name$ of a line.
struct Hole {
  size_t begin;
  size_t end;
  const std::string* value;  // null: the line has none
};

Hole FindHole(std::string_view line, const Holes& holes) {
  for (size_t begin = line.find('$'); begin != line.npos; begin = line.find('$', begin + 1)) {
    const size_t close = line.find('$', begin + 1);
    if (close == line.npos) break;
    const auto found = holes.find(line.substr(begin + 1, close - begin - 1));
    if (found != holes.end()) return {begin, close + 1, &found->second};
  }
  return {0, 0, nullptr};
}

std::string Indented(std::string value, size_t indentation) {
  if (!value.empty() && value.back() != '\n') value += '\n';
  std::string out;
  for (std::string_view line : WholeLines(value)) {
    if (!line.empty()) out.append(indentation, ' ').append(line);
    out += '\n';
  }
  return out;
}

std::string FilledLine(std::string_view line, const Holes& holes) {
  Hole hole = FindHole(line, holes);
  if (hole.value && hole.begin == Indentation(line) && hole.end == line.size()) {
    return Indented(*hole.value, hole.begin);
  }
  std::string out;
  for (; hole.value; hole = FindHole(line, holes)) {
    out.append(line.substr(0, hole.begin)).append(*hole.value);
    line.remove_prefix(hole.end);
  }
  return out.append(line).append("\n");
}

}  // namespace

std::string Emit(std::string_view layout, const Holes& holes) {
  if (!layout.empty() && layout.front() == '\n') layout.remove_prefix(1);
  const std::vector<std::string_view> lines = WholeLines(layout);
  const size_t shared = SharedIndentation(lines);
  std::string out;
  for (std::string_view line : lines) {
    line.remove_prefix(std::min(shared, line.size()));
    out += FilledLine(line, holes);
  }
  return out;
}

std::string InNamespace(const std::string& name, const std::string& code) {
  if (name.empty() || code.empty()) return code;
  return Emit(R"(
      namespace $name$ {

      $code$
      }  // namespace $name$

      )",
              {{"name", name}, {"code", code}});
}

std::string AllowShadowing(const std::string& code) {
  if (code.empty()) return "";
  return Emit(R"(
      // An extension in the .proto may be called like a parameter below.
      #pragma GCC diagnostic push
      #pragma GCC diagnostic ignored "-Wshadow"

      $code$
      #pragma GCC diagnostic pop

      )",
              {{"code", code}});
}

}  // namespace ferry::codegen

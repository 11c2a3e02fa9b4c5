// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_CODEGEN_DOC_TABLE_H_
#define FERRY_TESTS_CODEGEN_DOC_TABLE_H_

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ferry::codegen {

inline constexpr char kDocument[] = FERRY_SOURCE_DIR "/docs/generated_code.md";

// The cells of the table under a heading of the document, row by row, without
// its head, backquotes and the spaces around cells.
inline std::vector<std::vector<std::string>> DocTable(const std::string& heading) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream doc(kDocument);
  bool inside = false;
  for (std::string line; std::getline(doc, line);) {
    if (line.rfind("#", 0) == 0) inside = line == heading;
    if (!inside || line.rfind("| ", 0) != 0) continue;
    rows.emplace_back();
    std::istringstream cells(line.substr(1));
    for (std::string cell; std::getline(cells, cell, '|');) {
      const size_t begin = cell.find_first_not_of(" `");
      rows.back().push_back(cell.substr(begin, cell.find_last_not_of(" `") + 1 - begin));
    }
  }
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

}  // namespace ferry::codegen

#endif  // FERRY_TESTS_CODEGEN_DOC_TABLE_H_

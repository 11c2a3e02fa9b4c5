// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_TESTS_SUPPORT_DOC_TABLE_H_
#define FERRY_TESTS_SUPPORT_DOC_TABLE_H_

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ferry::test {

// The cells of the table under a heading of a document, "docs/NAME.md", row by row, without
// its head, backquotes and the spaces around cells.
inline std::vector<std::vector<std::string>> DocTable(const std::string& document,
                                                      const std::string& heading) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream doc(FERRY_SOURCE_DIR "/" + document);
  bool inside = false;
  for (std::string line; std::getline(doc, line);) {
    if (line.rfind("#", 0) == 0) inside = line == heading;
    if (!inside || line.rfind("| ", 0) != 0) continue;
    rows.emplace_back();
    std::istringstream cells(line.substr(1));
    for (std::string cell; std::getline(cells, cell, '|');) {
      const size_t begin = cell.find_first_not_of(" `");
      const size_t end = cell.find_last_not_of(" `") + 1;
      rows.back().push_back(begin == cell.npos ? "" : cell.substr(begin, end - begin));
    }
  }
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

}  // namespace ferry::test

#endif  // FERRY_TESTS_SUPPORT_DOC_TABLE_H_

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_EXAMPLES_SEARCH_FILE_LIST_H_
#define FERRY_EXAMPLES_SEARCH_FILE_LIST_H_

#include <string>
#include <vector>

namespace search {

struct FileList {
  std::vector<std::string> files;
  std::vector<std::string> errors;  // "FOLDER: reason"
};

// The regular files in `folder` and below; symbolic links in it are not followed. If
// `folder` is a file, that one.
FileList ListFiles(const std::string& folder);

}  // namespace search

#endif  // FERRY_EXAMPLES_SEARCH_FILE_LIST_H_

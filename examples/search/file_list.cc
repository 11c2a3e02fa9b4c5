// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "file_list.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace search {

namespace fs = std::filesystem;

namespace {

// Adds the files in `folder` to the list, and the folders in it to `folders`.
std::error_code ListOne(const fs::path& folder, FileList& list, std::vector<fs::path>& folders) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;  // its type is then none of these
    const fs::file_type type = entry->symlink_status(gone).type();
    if (type == fs::file_type::directory) folders.push_back(entry->path());
    if (type == fs::file_type::regular) list.files.push_back(entry->path().string());
  }
  return error;
}

}  // namespace

FileList ListFiles(const std::string& folder) {
  FileList list;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    if (error) {
      list.errors.push_back(absl::StrCat(folder, ": ", error.message()));
    } else {
      list.files.push_back(folder);
    }
    return list;
  }
  std::string root = folder;
  while (absl::EndsWith(root, "//")) root.pop_back();
  std::vector<fs::path> folders = {root};
  while (!folders.empty()) {
    const fs::path next = std::move(folders.back());
    folders.pop_back();
    error = ListOne(next, list, folders);
    if (error) list.errors.push_back(absl::StrCat(next.string(), ": ", error.message()));
  }
  return list;
}

}  // namespace search

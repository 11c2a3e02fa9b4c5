// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/transport/internal/program_file.h"

#include <elf.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "ferry/transport/internal/sys.h"

namespace ferry::internal {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kOurMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kOurMachine = EM_AARCH64;
#else
constexpr uint16_t kOurMachine = EM_NONE;
#endif

constexpr char kUsualPath[] = "/bin:/usr/bin";  // what execvp takes

const char* SearchPath() {
  const char* path = getenv("PATH");
  return path != nullptr ? path : kUsualPath;
}

bool Exists(const std::string& path) {
  struct stat status;
  return sys::Stat(path, status) == 0;
}

// What exec would take: a folder of that name on the way is passed by.
bool IsProgram(const std::string& path) {
  struct stat status;
  return sys::Stat(path, status) == 0 && S_ISREG(status.st_mode) &&
         eaccess(path.c_str(), X_OK) == 0;
}

std::string UserName(uid_t uid) {
  struct passwd entry, *found = nullptr;
  std::vector<char> buffer(4096);
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : absl::StrCat("uid ", uid);
}

std::string MachineName(uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "i386";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "arm";
    case EM_AARCH64:
      return "arm64";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return absl::StrCat("ELF machine ", machine);
  }
}

// The loader that a program of this machine asks for; "" if it asks for none.
std::string LoaderOf(std::ifstream& file, const Elf64_Ehdr& header) {
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    file.seekg(static_cast<std::streamoff>(header.e_phoff + i * sizeof(part)));
    if (!file.read(reinterpret_cast<char*>(&part), sizeof(part))) break;
    if (part.p_type != PT_INTERP || part.p_filesz == 0 || part.p_filesz > PATH_MAX) continue;
    std::string loader(part.p_filesz - 1, '\0');  // it ends with a NUL
    file.seekg(static_cast<std::streamoff>(part.p_offset));
    if (file.read(loader.data(), static_cast<std::streamsize>(loader.size()))) return loader;
  }
  return "";
}

std::string DescribeElf(std::ifstream& file, const Elf64_Ehdr& header) {
  // e_machine is at the same place in programs of 32 bits.
  bool same_order = header.e_ident[EI_DATA] == ELFDATA2LSB;
  uint16_t machine = header.e_machine;
  if (!same_order) machine = static_cast<uint16_t>(machine << 8 | machine >> 8);
  bool is_64_bit = header.e_ident[EI_CLASS] == ELFCLASS64;
  if (machine != kOurMachine || !is_64_bit) {
    return absl::StrCat("a ", is_64_bit ? "" : "32-bit ", "program for ", MachineName(machine),
                        ", and this machine is ", MachineName(kOurMachine));
  }
  std::string loader = LoaderOf(file, header);
  if (!loader.empty() && !Exists(loader)) {
    return absl::StrCat("a program whose loader '", loader, "' does not exist");
  }
  return absl::StrCat("a program for ", MachineName(machine));
}

std::string DescribeScript(std::ifstream& file) {
  char bytes[256] = {};  // as much as the kernel looks at
  file.clear();
  file.seekg(2);
  file.getline(bytes, sizeof(bytes));
  std::string line = bytes;
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(line);
  std::string interpreter(rest.substr(0, rest.find_first_of(" \t\r")));
  std::string what = absl::StrCat("a script for '", interpreter, "'");
  if (!Exists(interpreter)) absl::StrAppend(&what, ", which does not exist");
  if (absl::EndsWith(line, "\r")) {
    absl::StrAppend(&what, "; its #! line ends with a carriage return");
  }
  return what;
}

std::string DescribeContent(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "a file that this process may not read";
  Elf64_Ehdr header = {};
  file.read(reinterpret_cast<char*>(&header), sizeof(header));
  auto size = static_cast<size_t>(file.gcount());
  absl::string_view begin(reinterpret_cast<const char*>(&header), size);
  if (size == 0) return "an empty file";
  if (absl::StartsWith(begin, absl::string_view(ELFMAG, SELFMAG)) && size > EI_NIDENT + 4) {
    return DescribeElf(file, header);
  }
  if (absl::StartsWith(begin, "#!")) return DescribeScript(file);
  return "neither an ELF program nor a script with a #! line";
}

// "; it belongs to root, has mode 0644 and is an empty file"; "" if nothing is known.
std::string DescribeFile(const std::string& path, int error) {
  struct stat status;
  if (sys::Stat(path, status) != 0) return "";
  std::string what = S_ISDIR(status.st_mode)   ? "a directory"
                     : S_ISREG(status.st_mode) ? DescribeContent(path)
                                               : "no regular file";
  return absl::StrFormat("; it belongs to %s, has mode %04o and is %s%s", UserName(status.st_uid),
                         status.st_mode & 07777, what,
                         error == EACCES ? "; this process runs as " + UserName(geteuid()) : "");
}

// An errno, or 0 if it is a directory that this process may enter.
int WrongDirectory(const std::string& path) {
  struct stat status;
  if (path.empty()) return 0;
  if (sys::Stat(path, status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return eaccess(path.c_str(), X_OK) == 0 ? 0 : errno;
}

absl::StatusCode CodeOf(int error) {
  if (error == ENOEXEC || error == ELIBBAD) return absl::StatusCode::kFailedPrecondition;
  if (error == E2BIG) return absl::StatusCode::kInvalidArgument;
  return absl::ErrnoToStatusCode(error);
}

}  // namespace

std::string FindProgram(const std::string& name) {
  if (absl::StrContains(name, '/')) return name;
  std::string found;
  for (absl::string_view folder : absl::StrSplit(SearchPath(), ':')) {
    std::string candidate = absl::StrCat(folder.empty() ? "." : folder, "/", name);
    if (IsProgram(candidate)) return candidate;
    if (found.empty() && Exists(candidate)) found = candidate;
  }
  return found;
}

absl::Status ExplainNoStart(int error, const ChildOptions& options) {
  if (int wrong = WrongDirectory(options.working_directory); wrong != 0) {
    return absl::ErrnoToStatus(wrong, absl::StrCat("cannot start '", options.program, "' in '",
                                                   options.working_directory, "'"));
  }
  std::string what = absl::StrCat("cannot start '", options.program, "'");
  std::string path = FindProgram(options.program);
  if (path.empty()) {
    absl::StrAppend(&what, ", looked up in PATH=", SearchPath());
  } else if (path != options.program) {
    absl::StrAppend(&what, ", found as ", path);
  }
  bool file_matters = error == EACCES || error == ENOENT || error == ENOEXEC || error == ELIBBAD;
  return absl::Status(CodeOf(error), absl::StrCat(what, ": ", strerrordesc_np(error),
                                                  file_matters ? DescribeFile(path, error) : ""));
}

}  // namespace ferry::internal

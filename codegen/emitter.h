// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Emit: output from a layout that looks like the output.

#ifndef FERRY_CODEGEN_EMITTER_H_
#define FERRY_CODEGEN_EMITTER_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace ferry::codegen {

// What stands in a layout's $name$s.
using Holes = std::map<std::string, std::string, std::less<>>;

// Fills the holes of `layout`, a raw string written with the code around it:
//
//   Emit(R"(
//       class $name$ {
//         $members$
//       };
//       )",
//       {{"name", "Boat"}, {"members", "int mast;\nint keel;\n"}})
//
// The line break that opens the raw string, its last line (the closing quote's)
// and the indentation that all its lines share are not output. A hole alone on
// its line takes any number of lines, each indented like the hole; with no
// lines, the hole's line vanishes. What fills a hole is not searched for
// further holes, so comments may contain '$'. A $name$ that is not in `holes`
// stays as it is.
std::string Emit(std::string_view layout, const Holes& holes);

// `code` inside `namespace name { }`; just `code` if either is empty.
std::string InNamespace(const std::string& name, const std::string& code);

// `code`, in which compilers accept a parameter that is called like something
// in an enclosing namespace.
std::string AllowShadowing(const std::string& code);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_EMITTER_H_

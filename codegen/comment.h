// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// Comments of a .proto, for the code generated from it.

#ifndef FERRY_CODEGEN_COMMENT_H_
#define FERRY_CODEGEN_COMMENT_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

namespace ferry::codegen {

// `text` as `//` lines; "" if it is blank. Whatever is in the text, each line
// stays a comment, and compilers have nothing to warn of: control characters
// become spaces; bytes that are not UTF-8, and characters that change the
// direction of writing, become '?'; a line that would end in a backslash ends
// in " ." instead.
std::string CommentLines(std::string_view text);

// The comment directly above a service or method; "" if there is none.
template <typename Descriptor>
std::string LeadingComment(const Descriptor& descriptor) {
  google::protobuf::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return "";
  return CommentLines(location.leading_comments);
}

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_COMMENT_H_

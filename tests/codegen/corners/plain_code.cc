// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/codegen/corners/plain_code.h"

#include "options/plain.ferry.h"
#include "tests/codegen/corners/served.h"

namespace corner::plain {

std::string SaysHello() {
  ferry::test::Echo<CornerService, Text> service;
  const ferry::test::Served served({&service});
  Text request;
  request.set_text("hello");
  return ferry::test::TextOf(CornerStub(served.Connect()).Get(request));
}

}  // namespace corner::plain

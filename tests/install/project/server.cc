// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "greeter.h"

int main() {
  ferry::Server server;
  return ferry::ExitCode(ServeGreeter(server, "parent:"));
}

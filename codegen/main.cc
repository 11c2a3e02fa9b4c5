// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include <google/protobuf/compiler/plugin.h>

#include "codegen/generator.h"

int main(int argc, char** argv) {
  ferry::codegen::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}

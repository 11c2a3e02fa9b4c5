// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#ifndef FERRY_RPC_INTERNAL_CONFIG_TEXT_H_
#define FERRY_RPC_INTERNAL_CONFIG_TEXT_H_

#include <google/protobuf/text_format.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ferry/proto/config.pb.h"
#include "ferry/transport/address.h"

namespace ferry::internal {

// A configuration file that was read, and where in it everything is.
// Thread contract: thread-compatible.
class ConfigText {
 public:
  // `path` is for error texts.
  explicit ConfigText(std::string path) : path_(std::move(path)) {}

  // Returns: INVALID_ARGUMENT when it is no textproto of a Config, with line and column and,
  // for an unknown field, those that there are.
  absl::Status Parse(const std::string& text);

  const std::string& path() const { return path_; }
  int size() const { return config_.endpoint_size(); }
  const Endpoint& endpoint(int index) const { return config_.endpoint(index); }

  // "FILE:LINE" of an endpoint, or of a field in it that is there.
  std::string Place(int index, const char* field = nullptr) const;
  // The same and the endpoint's name: "FILE:LINE: endpoint 'kv'".
  std::string Where(int index, const char* field = nullptr) const;

  // The fields of an endpoint that are there, but name and address, as parameters.
  std::vector<AddressParameter> Parameters(int index) const;

 private:
  int LineOf(int index, const google::protobuf::FieldDescriptor* field, int value) const;

  const std::string path_;
  Config config_;
  google::protobuf::TextFormat::ParseInfoTree places_;
};

}  // namespace ferry::internal

#endif  // FERRY_RPC_INTERNAL_CONFIG_TEXT_H_

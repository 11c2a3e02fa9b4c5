// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0

#include "ferry/rpc/internal/config_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/message.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "ferry/transport/internal/near_miss.h"

namespace ferry::internal {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

namespace {

// The first error: later ones may follow from it.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
#if GOOGLE_PROTOBUF_VERSION >= 4025000
  void RecordError(int line, int column, absl::string_view message) override {
    Take(line, column, message);
  }
#else
  void AddError(int line, int column, const std::string& message) override {
    Take(line, column, message);
  }
#endif

  int line() const { return line_ + 1; }
  int column() const { return column_ + 1; }
  const std::string& message() const { return message_; }

 private:
  void Take(int line, int column, absl::string_view message) {
    if (!message_.empty()) return;
    line_ = line;
    column_ = column;
    message_ = std::string(message);
  }

  int line_ = 0, column_ = 0;
  std::string message_;
};

// Protobuf's message for a field that is not there names type and field only.
std::string Explained(const std::string& message) {
  constexpr absl::string_view kUnknown = "has no field named \"";
  for (const Descriptor* type : {Config::descriptor(), Endpoint::descriptor()}) {
    const std::string start = absl::StrCat("Message type \"", type->full_name(), "\" ", kUnknown);
    if (message.compare(0, start.size(), start) != 0) continue;
    std::vector<std::string> fields;
    fields.reserve(static_cast<size_t>(type->field_count()));
    for (int i = 0; i < type->field_count(); ++i) fields.emplace_back(type->field(i)->name());
    const std::string field =
        message.substr(start.size(), message.find('"', start.size()) - start.size());
    return absl::StrCat("unknown field '", field, "'", DidYouMean(field, fields), "; ",
                        type->name(), " has ", absl::StrJoin(fields, ", "));
  }
  return message;
}

// A value as it is written in an address; `value` counts those of a repeated field.
std::string TextOf(const Endpoint& endpoint, const FieldDescriptor* field, int value) {
  const Reflection* reflection = endpoint.GetReflection();
  if (field->is_repeated()) return reflection->GetRepeatedString(endpoint, field, value);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(endpoint, field) ? "1" : "0";
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection->GetUInt64(endpoint, field));
    default:
      return reflection->GetString(endpoint, field);
  }
}

// Of the fields of an endpoint.
int FirstLineIn(const TextFormat::ParseInfoTree* places) {
  const Descriptor* type = Endpoint::descriptor();
  int first = -1;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const int line = places->GetLocation(field, field->is_repeated() ? 0 : -1).line;
    if (line >= 0 && (first < 0 || line < first)) first = line;
  }
  return first + 1;
}

}  // namespace

absl::Status ConfigText::Parse(const std::string& text) {
  TextFormat::Parser parser;
  FirstError error;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&places_);
  if (parser.ParseFromString(text, &config_)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path_, ":", error.line(), ":", error.column(),
                                                 ": ", Explained(error.message())));
}

// Protobuf says where a list is, "[a, b]", but not where what is in it is.
int ConfigText::LineOf(int index, const FieldDescriptor* field, int value) const {
  const FieldDescriptor* endpoints =
      Config::descriptor()->FindFieldByNumber(Config::kEndpointFieldNumber);
  const TextFormat::ParseInfoTree* places = places_.GetTreeForNested(endpoints, index);
  if (field == nullptr) {
    const bool in_list = places_.GetLocation(endpoints, size() - 1).line < 0;
    return in_list ? FirstLineIn(places) : places_.GetLocation(endpoints, index).line + 1;
  }
  if (field->is_repeated()) {
    const int last = endpoint(index).GetReflection()->FieldSize(endpoint(index), field) - 1;
    if (places->GetLocation(field, last).line < 0) value = 0;
  }
  return places->GetLocation(field, value).line + 1;
}

std::string ConfigText::Place(int index, const char* field) const {
  const FieldDescriptor* found =
      field == nullptr ? nullptr : Endpoint::descriptor()->FindFieldByName(field);
  return absl::StrCat(path_, ":", LineOf(index, found, -1));
}

std::string ConfigText::Where(int index, const char* field) const {
  return absl::StrCat(Place(index, field), ": endpoint '", endpoint(index).name(), "'");
}

std::vector<AddressParameter> ConfigText::Parameters(int index) const {
  const Endpoint& endpoint = config_.endpoint(index);
  const Reflection* reflection = endpoint.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(endpoint, &fields);
  std::vector<AddressParameter> parameters;
  for (const FieldDescriptor* field : fields) {
    const int number = field->number();
    if (number == Endpoint::kNameFieldNumber || number == Endpoint::kAddressFieldNumber) continue;
    const int values = field->is_repeated() ? reflection->FieldSize(endpoint, field) : 1;
    for (int value = 0; value < values; ++value) {
      const int line = LineOf(index, field, field->is_repeated() ? value : -1);
      parameters.push_back({std::string(field->name()), TextOf(endpoint, field, value),
                            absl::StrCat(path_, ":", line, ": endpoint '", endpoint.name(), "'")});
    }
  }
  return parameters;
}

}  // namespace ferry::internal

// SPDX-FileCopyrightText: The ferry authors
// SPDX-License-Identifier: Apache-2.0
//
// What things are called in generated code. The examples are for x/boat.proto
// with
//
//   package harbour.boats;
//   message Trip { message Leg {} }
//   service Boat { rpc Sail(Trip.Leg) returns (Trip); }
//
// Where a name would clash with a keyword, a macro or another name, '_' is
// appended, as protobuf does it. The examples are without options.

#ifndef FERRY_CODEGEN_NAMES_H_
#define FERRY_CODEGEN_NAMES_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "codegen/options.h"

namespace ferry::codegen {

// "x/boat": what ".pb.h", ".ferry.h" and ".ferry.cc" follow.
std::string BaseName(const google::protobuf::FileDescriptor& file);

// "FERRY_GENERATED_x_2fboat_2eproto", unique to the path.
std::string IncludeGuard(const google::protobuf::FileDescriptor& file);

// "harbour::boats"; "" without a package.
std::string Namespace(const google::protobuf::FileDescriptor& file);

// "harbour::boats", too: where the classes of services are.
std::string ClassNamespace(const google::protobuf::FileDescriptor& file, const Options& options);

// "BoatService" and "BoatStub".
std::string ServiceClass(const google::protobuf::ServiceDescriptor& service,
                         const Options& options);
std::string StubClass(const google::protobuf::ServiceDescriptor& service, const Options& options);

// "MockBoatService".
std::string MockClassName(const google::protobuf::ServiceDescriptor& service,
                          const Options& options);

// "Sail": the member function of both classes.
std::string MethodName(const google::protobuf::MethodDescriptor& method, const Options& options);

// "::harbour::boats::Trip_Leg", which means the same in every scope.
std::string MessageType(const google::protobuf::Descriptor& message);

// "harbour.boats.Boat/Sail": ferry::Method::full_name.
std::string FullName(const google::protobuf::MethodDescriptor& method);

// "ferry::internal::generated::harbour_2eboats_2eBoat_": where a service's
// constants are, apart from everything that a .proto can name.
std::string ConstantsNamespace(const google::protobuf::ServiceDescriptor& service);

// "kSail": the ferry::Method in that namespace.
std::string ConstantName(const google::protobuf::MethodDescriptor& method);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_NAMES_H_

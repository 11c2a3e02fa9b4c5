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
// Where a name would clash with a keyword or with another name, '_' is
// appended, as protobuf does it.

#ifndef FERRY_CODEGEN_NAMES_H_
#define FERRY_CODEGEN_NAMES_H_

#include <google/protobuf/descriptor.h>

#include <string>

namespace ferry::codegen {

// "x/boat": what ".pb.h", ".ferry.h" and ".ferry.cc" follow.
std::string BaseName(const google::protobuf::FileDescriptor& file);

// "FERRY_GENERATED_x_2fboat_2eproto", unique to the path.
std::string IncludeGuard(const google::protobuf::FileDescriptor& file);

// "harbour::boats"; "" without a package.
std::string Namespace(const google::protobuf::FileDescriptor& file);

// "BoatService" and "BoatStub".
std::string ServiceClass(const google::protobuf::ServiceDescriptor& service);
std::string StubClass(const google::protobuf::ServiceDescriptor& service);

// "Sail": the member function of both classes.
std::string MethodName(const google::protobuf::MethodDescriptor& method);

// "::harbour::boats::Trip_Leg", which means the same in every scope.
std::string MessageType(const google::protobuf::Descriptor& message);

// "harbour.boats.Boat/Sail": ferry::Method::full_name.
std::string FullName(const google::protobuf::MethodDescriptor& method);

// "ferry::internal::generated::harbour_2eboats_2eBoat": where a service's
// constants are, apart from everything that a .proto can name.
std::string ConstantsNamespace(const google::protobuf::ServiceDescriptor& service);

// "kSail": the ferry::Method in that namespace.
std::string ConstantName(const google::protobuf::MethodDescriptor& method);

}  // namespace ferry::codegen

#endif  // FERRY_CODEGEN_NAMES_H_

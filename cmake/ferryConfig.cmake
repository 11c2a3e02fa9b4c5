# find_package(ferry CONFIG): the library ferry::ferry and the function ferry_generate.
cmake_minimum_required(VERSION 3.25)
include(CMakeFindDependencyMacro)
find_dependency(Threads)
if(NOT TARGET protobuf::libprotobuf)
  find_package(Protobuf CONFIG QUIET)
  if(NOT Protobuf_FOUND)
    find_dependency(Protobuf 3.21)
  endif()
endif()
find_dependency(absl)

include(${CMAKE_CURRENT_LIST_DIR}/ferryTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/FerryGenerate.cmake)

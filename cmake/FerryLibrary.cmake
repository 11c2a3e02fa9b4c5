# ferry_library, ferry_layer, ferry_program and ferry_test: how ferry's own targets are
# built.

# One include line works in the tree and after installation: "ferry/rpc/channel.h".
# In the tree, build/include/ferry holds links to the source folders, and
# build/generated what protoc wrote for ferry's own messages.
set(FERRY_INCLUDE_DIR ${PROJECT_BINARY_DIR}/include)
set(FERRY_GENERATED_DIR ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${FERRY_INCLUDE_DIR}/ferry ${FERRY_GENERATED_DIR})
foreach(folder proto transport rpc)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${FERRY_INCLUDE_DIR}/ferry/${folder} SYMBOLIC)
endforeach()

# Programs land in build/bin.
set(FERRY_BIN_DIR ${PROJECT_BINARY_DIR}/bin)

# Flags for code written here; generated protobuf code is not held to them. Whether a
# warning is an error is CMAKE_COMPILE_WARNING_AS_ERROR's to say: the presets set it,
# somebody else's compiler is not stopped by it.
function(ferry_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
  ferry_sanitize(${target})
endfunction()

function(ferry_sanitize target)
  if(FERRY_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${FERRY_SANITIZE} -fno-omit-frame-pointer
      -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${FERRY_SANITIZE})
  endif()
endfunction()

# ferry_library(): the library, which users know as ferry::ferry. It is one, so that a
# program has one thing to link and to be shipped with; the layers add themselves.
function(ferry_library)
  add_library(ferry)
  add_library(ferry::ferry ALIAS ferry)
  target_compile_features(ferry PUBLIC cxx_std_17)
  target_include_directories(ferry PUBLIC $<BUILD_INTERFACE:${FERRY_INCLUDE_DIR}>)
  target_include_directories(ferry SYSTEM PUBLIC $<BUILD_INTERFACE:${FERRY_GENERATED_DIR}>)
  # While the version is 0.x, each minor version may break programs built with another.
  set_target_properties(ferry PROPERTIES LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  ferry_sanitize(ferry)
endfunction()

# ferry_layer(NAME SRCS a.cc … DEPS x …): the part NAME of the library. It sees the
# layers among its DEPS, which are named ferry_NAME, and no others.
function(ferry_layer name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(ferry_${name} OBJECT ${ARG_SRCS})
  target_compile_features(ferry_${name} PUBLIC cxx_std_17)
  target_include_directories(ferry_${name} PUBLIC ${FERRY_INCLUDE_DIR})
  target_link_libraries(ferry_${name} PUBLIC ${ARG_DEPS})
  # Also when the library is static: a plugin, which is a shared object, may hold it.
  set_target_properties(ferry_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # What is installed links with other compilers and other versions, too.
    target_compile_options(ferry_${name} PRIVATE -ffat-lto-objects)
  endif()
  ferry_compile_options(ferry_${name})

  list(FILTER ARG_DEPS EXCLUDE REGEX ^ferry_)
  target_link_libraries(ferry PUBLIC ${ARG_DEPS})
  target_sources(ferry PRIVATE $<TARGET_OBJECTS:ferry_${name}>)
endfunction()

# ferry_program(NAME SRCS a.cc … DEPS x …): the program build/bin/NAME.
function(ferry_program name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${FERRY_BIN_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  ferry_compile_options(${name})
endfunction()

# ferry_test(NAME SRCS a_test.cc … DEPS x …): a GoogleTest program under ctest. A test
# that hangs fails after two minutes, or five with a sanitizer.
function(ferry_test name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ferry_test_main)
  ferry_compile_options(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT $<IF:$<BOOL:${FERRY_SANITIZE}>,300,120>
    ENVIRONMENT "FERRY_BIN_DIR=${FERRY_BIN_DIR}")
endfunction()

# ferry_library, ferry_program and ferry_test: how ferry's own targets are built.

# One include line works in the tree and after installation: "ferry/rpc/channel.h".
# In the tree, build/include/ferry holds links to the source folders.
# ferry_generate reads the variable in the scope of whoever calls it.
set(FERRY_INCLUDE_DIR ${PROJECT_BINARY_DIR}/include CACHE INTERNAL "")
file(MAKE_DIRECTORY ${FERRY_INCLUDE_DIR}/ferry)
foreach(folder proto transport rpc)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${FERRY_INCLUDE_DIR}/ferry/${folder} SYMBOLIC)
endforeach()

# Programs land in build/bin.
set(FERRY_BIN_DIR ${PROJECT_BINARY_DIR}/bin)

# Flags for code written here; generated protobuf code is not held to them.
function(ferry_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
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

# ferry_library(NAME SRCS a.cc … DEPS x …): the library ferry_NAME, also ferry::NAME.
function(ferry_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(ferry_${name} ${ARG_SRCS})
  add_library(ferry::${name} ALIAS ferry_${name})
  target_compile_features(ferry_${name} PUBLIC cxx_std_17)
  target_include_directories(ferry_${name} PUBLIC $<BUILD_INTERFACE:${FERRY_INCLUDE_DIR}>)
  target_link_libraries(ferry_${name} PUBLIC ${ARG_DEPS})
  ferry_compile_options(ferry_${name})
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
# that hangs fails after two minutes.
function(ferry_test name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ferry_test_main)
  ferry_compile_options(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120
    ENVIRONMENT "FERRY_BIN_DIR=${FERRY_BIN_DIR}")
endfunction()

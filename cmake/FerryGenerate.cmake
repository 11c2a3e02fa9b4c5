# ferry_generate(TARGET t PROTOS a.proto … [IMPORT_DIRS dir …] [OPTIONS name=value …])
#
# Runs protoc with its C++ generator and with protoc-gen-ferry on each file and adds
# the results to the target t, a library or program of the same folder. Code of t says
# #include "a.ferry.h". Paths are relative to the current source directory, which is
# also where the files' imports are looked up first; "ferry/proto/options.proto" is
# always found. OPTIONS go to protoc-gen-ferry.
#
# The variable FERRY_PLUGIN, if set, is the protoc-gen-ferry to run: one that this
# machine can run when the build is for another.
function(ferry_generate)
  cmake_parse_arguments(ARG "" "TARGET" "PROTOS;IMPORT_DIRS;OPTIONS" ${ARGN})
  set(call "ferry_generate(TARGET ${ARG_TARGET} …)")
  if(NOT ARG_TARGET OR NOT ARG_PROTOS OR ARG_UNPARSED_ARGUMENTS)
    list(JOIN ARGN " " given)
    message(FATAL_ERROR "ferry_generate(${given}): expected "
      "ferry_generate(TARGET t PROTOS a.proto … [IMPORT_DIRS dir …] [OPTIONS name=value …])")
  endif()
  if(NOT TARGET ${ARG_TARGET})
    message(FATAL_ERROR "${call}: there is no target ${ARG_TARGET}; "
      "add_library or add_executable comes first")
  endif()
  get_target_property(type ${ARG_TARGET} TYPE)
  get_target_property(folder ${ARG_TARGET} SOURCE_DIR)
  if(NOT type MATCHES "^((STATIC|SHARED|MODULE|OBJECT)_LIBRARY|EXECUTABLE)$")
    message(FATAL_ERROR "${call}: ${ARG_TARGET} is an ${type}; expected a target that is compiled")
  endif()
  if(NOT folder STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    message(FATAL_ERROR "${call}: ${ARG_TARGET} is a target of ${folder}; "
      "call ferry_generate in the CMakeLists.txt there")
  endif()

  set(plugin $<TARGET_FILE:ferry::protoc-gen-ferry>)
  if(FERRY_PLUGIN)
    set(plugin ${FERRY_PLUGIN})
  endif()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${ARG_TARGET}.generated)
  file(MAKE_DIRECTORY ${out})
  set(includes $<REMOVE_DUPLICATES:$<TARGET_PROPERTY:ferry::ferry,INTERFACE_INCLUDE_DIRECTORIES>>)
  list(TRANSFORM ARG_IMPORT_DIRS PREPEND -I)
  set(given_options ${ARG_OPTIONS})
  list(TRANSFORM ARG_OPTIONS PREPEND --ferry_opt=)

  foreach(given IN LISTS ARG_PROTOS)
    cmake_path(ABSOLUTE_PATH given NORMALIZE OUTPUT_VARIABLE path)
    if(NOT EXISTS ${path})
      message(FATAL_ERROR "${call}: there is no file ${path}")
    endif()
    cmake_path(RELATIVE_PATH path OUTPUT_VARIABLE proto)
    if(proto MATCHES "^\\.\\./" OR NOT proto MATCHES "\\.proto$")
      message(FATAL_ERROR "${call}: PROTOS has ${given}; "
        "expected a file NAME.proto in ${CMAKE_CURRENT_SOURCE_DIR} or below")
    endif()
    string(REGEX REPLACE "\\.proto$" "" base ${out}/${proto})
    set(sources ${base}.pb.cc ${base}.ferry.cc)
    set(mocks "")
    if("generate_mocks=true" IN_LIST given_options)
      set(mocks ${base}.ferry_mock.h)
    endif()
    add_custom_command(
      OUTPUT ${sources} ${base}.pb.h ${base}.ferry.h ${mocks}
      COMMAND protobuf::protoc
        -I${CMAKE_CURRENT_SOURCE_DIR} ${ARG_IMPORT_DIRS} "-I$<JOIN:${includes},;-I>"
        --plugin=protoc-gen-ferry=${plugin} ${ARG_OPTIONS}
        --cpp_out=${out} --ferry_out=${out} ${proto}
      # Any of them may import another.
      DEPENDS ${ARG_PROTOS} ${plugin}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      COMMENT "Generating ${proto}"
      VERBATIM
      COMMAND_EXPAND_LISTS)
    target_sources(${ARG_TARGET} PRIVATE ${sources})
    # Protobuf's own output is not clean under every warning a target may ask for.
    set_source_files_properties(${base}.pb.cc PROPERTIES COMPILE_OPTIONS -w)
  endforeach()
  target_include_directories(${ARG_TARGET} SYSTEM PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${ARG_TARGET} PUBLIC ferry::ferry)
endfunction()

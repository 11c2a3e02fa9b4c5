# ferry_generate(TARGET t PROTOS a.proto … [IMPORT_DIRS dir …])
#
# Runs protoc with its C++ generator and with protoc-gen-ferry on each file and adds
# the results to the target t, which must exist. Code of t says
# #include "a.ferry.h". Paths are relative to the current source directory, which is
# also where the files' imports are looked up first; "ferry/proto/options.proto" is
# always found.
function(ferry_generate)
  cmake_parse_arguments(ARG "" "TARGET" "PROTOS;IMPORT_DIRS" ${ARGN})
  if(NOT ARG_TARGET OR NOT ARG_PROTOS OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "usage: ferry_generate(TARGET t PROTOS a.proto … [IMPORT_DIRS dir …])")
  endif()

  set(out ${CMAKE_CURRENT_BINARY_DIR}/${ARG_TARGET}.generated)
  file(MAKE_DIRECTORY ${out})
  set(imports -I ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(dir IN LISTS ARG_IMPORT_DIRS)
    list(APPEND imports -I ${dir})
  endforeach()
  list(APPEND imports -I ${FERRY_INCLUDE_DIR})

  foreach(proto IN LISTS ARG_PROTOS)
    cmake_path(GET proto PARENT_PATH folder)
    cmake_path(GET proto STEM LAST_ONLY stem)
    cmake_path(APPEND out "${folder}" "${stem}" OUTPUT_VARIABLE base)
    set(sources ${base}.pb.cc ${base}.ferry.cc)
    add_custom_command(
      OUTPUT ${sources} ${base}.pb.h ${base}.ferry.h
      COMMAND protobuf::protoc ${imports}
        --plugin=protoc-gen-ferry=$<TARGET_FILE:protoc-gen-ferry>
        --cpp_out=${out} --ferry_out=${out} ${proto}
      DEPENDS ${proto} protoc-gen-ferry
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      COMMENT "Generating ${proto}"
      VERBATIM)
    target_sources(${ARG_TARGET} PRIVATE ${sources})
    # Protobuf's own output is not clean under every warning a target may ask for.
    set_source_files_properties(${base}.pb.cc PROPERTIES COMPILE_OPTIONS -w)
  endforeach()
  target_include_directories(${ARG_TARGET} SYSTEM PUBLIC ${out})
  target_link_libraries(${ARG_TARGET} PUBLIC ferry::rpc ferry::options protobuf::libprotobuf)
endfunction()

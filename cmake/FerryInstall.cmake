# What `cmake --install` installs: the library, its headers, protoc-gen-ferry, and what
# find_package and pkg-config need. Nothing in it knows where it was built or installed.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ferry)

install(TARGETS ferry EXPORT ferryTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS protoc-gen-ferry EXPORT ferryTargets)
install(EXPORT ferryTargets NAMESPACE ferry:: DESTINATION ${package_dir})

# Headers in internal/ stay private, but public ones include some of them.
foreach(folder proto transport rpc)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ferry FILES_MATCHING PATTERN *.h)
endforeach()
# For .proto files that import it, and for tools that check configuration files.
install(FILES ${PROJECT_SOURCE_DIR}/proto/options.proto ${PROJECT_SOURCE_DIR}/proto/config.proto
    ${FERRY_GENERATED_DIR}/ferry/proto/options.pb.h
    ${FERRY_GENERATED_DIR}/ferry/proto/raw.pb.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ferry/proto)

# While the version is 0.x, each minor version may break code written for another.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ferryConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ferryConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/ferryConfig.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FerryGenerate.cmake
  DESTINATION ${package_dir})

# ferry.pc names what the library links as pkg-config names it.
get_target_property(requires ferry LINK_LIBRARIES)
list(FILTER requires INCLUDE REGEX "^(absl|protobuf)::")
list(REMOVE_DUPLICATES requires)
list(TRANSFORM requires REPLACE "^absl::" "absl_")
list(TRANSFORM requires REPLACE "^protobuf::libprotobuf$" "protobuf")
list(JOIN requires ", " requires)
set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pc_dir} OUTPUT_VARIABLE prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/ferry.pc.in ${PROJECT_BINARY_DIR}/ferry.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ferry.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

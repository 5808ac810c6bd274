# sparsescope::build_info gives "commit.h", written at each build, and SPARSESCOPE_VERSION to what records or exports.
add_custom_target(sparsescope_commit
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUTPUT=${CMAKE_BINARY_DIR}/generated/commit.h -P ${CMAKE_SOURCE_DIR}/cmake/WriteCommit.cmake
  BYPRODUCTS ${CMAKE_BINARY_DIR}/generated/commit.h)
add_library(sparsescope_build_info INTERFACE)
add_library(sparsescope::build_info ALIAS sparsescope_build_info)
add_dependencies(sparsescope_build_info sparsescope_commit)
target_include_directories(sparsescope_build_info INTERFACE ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(sparsescope_build_info INTERFACE SPARSESCOPE_VERSION="${PROJECT_VERSION}")

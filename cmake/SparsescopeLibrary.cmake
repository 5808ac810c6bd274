# How every library, program and test of this project is made: explicit sources, the repository root as include base.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
endif()

function(sparsescope_settings target)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  # File names in messages start at the repository root.
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-missing-field-initializers -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=>)
endfunction()

# sparsescope_library(name SOURCES a.cpp b.cpp PUBLIC lib... PRIVATE lib...) makes sparsescope_name, alias sparsescope::name.
function(sparsescope_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(sparsescope_${name} STATIC ${arg_SOURCES})
  add_library(sparsescope::${name} ALIAS sparsescope_${name})
  sparsescope_settings(sparsescope_${name})
  target_link_libraries(sparsescope_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# Headers of torch cost seconds a file: compile the narrow set once for the libraries that use it.
function(sparsescope_precompile_torch name)
  target_precompile_headers(sparsescope_${name} PRIVATE <ATen/ATen.h> <string> <vector>)
endfunction()

# sparsescope_test(area SOURCES ... LIBRARIES ... LABELS ...) makes the program test_area and registers its cases; with TOGETHER
# the program is one test: for those that take longer to start (LibTorch: about a second) than to run a case.
function(sparsescope_test area)
  cmake_parse_arguments(arg "TOGETHER" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;ENVIRONMENT" ${ARGN})
  add_executable(test_${area} ${arg_SOURCES})
  sparsescope_settings(test_${area})
  target_link_libraries(test_${area} PRIVATE ${arg_LIBRARIES} GTest::gtest_main)
  if(NOT arg_LABELS)
    set(arg_LABELS cpu)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  target_compile_definitions(test_${area} PRIVATE SPARSESCOPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(arg_TOGETHER)
    add_test(NAME ${area} COMMAND test_${area})
    set_tests_properties(${area} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${arg_ENVIRONMENT}"
                         SKIP_REGULAR_EXPRESSION "PASSED  . 0 tests.[\r\n]+.  SKIPPED")
    return()
  endif()
  include(GoogleTest)
  gtest_discover_tests(test_${area} DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()

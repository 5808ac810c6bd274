# Third-party libraries: where they come from and the traps their CMake packages set. Versions are pinned in scripts/setup.
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C HL)
pkg_check_modules(libdeflate REQUIRED IMPORTED_TARGET libdeflate)
find_package(Threads REQUIRED)
find_package(PNG REQUIRED)

if(SPARSESCOPE_TESTS)
  find_package(GTest REQUIRED)
endif()

if(SPARSESCOPE_TRAINING)
  pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)
  find_package(tomlplusplus REQUIRED)
  find_path(SPARSESCOPE_GUMBO_INCLUDE gumbo.h REQUIRED)
  find_library(SPARSESCOPE_GUMBO NAMES libgumbo.a gumbo REQUIRED)

  # LibTorch refuses to configure without a GPU unless this is set; it ignores CMAKE_CUDA_ARCHITECTURES.
  string(REGEX REPLACE "([0-9])(;|$)" ".\\1\\2" TORCH_CUDA_ARCH_LIST "${SPARSESCOPE_CUDA_ARCHITECTURES}")
  set(CMAKE_CUDA_ARCHITECTURES ${SPARSESCOPE_CUDA_ARCHITECTURES})
  # The wheels carry libcudart.so.13 and no libcudart.so; LibTorch's package wants it with or without our kernels.
  set(sparsescope_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
  list(PREPEND CMAKE_FIND_LIBRARY_SUFFIXES .so.13)
  # What the compiler links by itself is called libcudart.so: give the wheels' runtime that name, too.
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/cudart)
  file(CREATE_LINK ${SPARSESCOPE_SITE}/nvidia/cu13/lib/libcudart.so.13 ${CMAKE_BINARY_DIR}/cudart/libcudart.so SYMBOLIC)
  set(CMAKE_CUDA_FLAGS_INIT "--cudart=shared -L${CMAKE_BINARY_DIR}/cudart -L${SPARSESCOPE_SITE}/nvidia/cu13/lib")
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 20)
  # CMake 3.25 does not know how to ask this compiler for C++20.
  if("${CMAKE_CUDA20_STANDARD_COMPILE_OPTION}" STREQUAL "")
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  endif()
  set(sparsescope_cuda_flags "${CMAKE_CUDA_FLAGS}")
  find_package(Torch 2.11 REQUIRED PATHS ${SPARSESCOPE_SITE}/torch/share/cmake NO_DEFAULT_PATH)
  # LibTorch's package turns our architectures off and puts its own flags into everybody's.
  set(CMAKE_CUDA_ARCHITECTURES ${SPARSESCOPE_CUDA_ARCHITECTURES})
  set(CMAKE_CUDA_FLAGS "${sparsescope_cuda_flags}")
  set(CMAKE_FIND_LIBRARY_SUFFIXES ${sparsescope_suffixes})
endif()

include(ImGui)

// How Dear ImGui is compiled here: 32-bit indices, assertions that throw in test builds. No settings made at
// run time.
#pragma once

// Plots and graphs pass 65,536 vertices in one list.
#define ImDrawIdx unsigned int

#define IMGUI_DISABLE_DEMO_WINDOWS

#ifdef SPARSESCOPE_IMGUI_TESTS

#define IMGUI_ENABLE_TEST_ENGINE
#define IMGUI_TEST_ENGINE_ENABLE_COROUTINE_STDTHREAD_IMPL 1
#define IMGUI_TEST_ENGINE_ENABLE_STD_FUNCTION 1
#define IMGUI_TEST_ENGINE_ENABLE_CAPTURE 0
#include "imgui_test_engine/imgui_te_imconfig.h"

// A broken promise inside ImGui fails the test that caused it, with its place; it does not end the process.
#include <stdexcept>
#include <string>
namespace sparsescope {
[[noreturn]] inline void imgui_assertion(const char* what, const char* file, int line) {
  throw std::logic_error(std::string("imgui: ") + what + " (" + file + ":" + std::to_string(line) + ")");
}
}  // namespace sparsescope
#define IM_ASSERT(what)                                                     \
  do {                                                                      \
    if (!(what)) ::sparsescope::imgui_assertion(#what, __FILE__, __LINE__); \
  } while (false)

#endif

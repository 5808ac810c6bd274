// The program's operator new, counted.
#include "tests/viz/allocations.h"

#include <cstdlib>
#include <new>

#include "imgui.h"
#include "imgui_internal.h"

namespace {

thread_local std::int64_t asked = 0;

void* counted(std::size_t bytes) {
  ++asked;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace sparsescope::test {
namespace {

std::int64_t asked_by_imgui() {
  const ImGuiContext* context = ImGui::GetCurrentContext();
  return context != nullptr ? context->DebugAllocInfo.TotalAllocCount : 0;
}

}  // namespace

Allocations::Allocations() : of_new_(asked), of_imgui_(asked_by_imgui()) {}

std::int64_t Allocations::count() const { return asked - of_new_ + asked_by_imgui() - of_imgui_; }

}  // namespace sparsescope::test

// How often memory is asked for: by operator new on this thread, and by ImGui.
#pragma once

#include <cstdint>

namespace sparsescope::test {

class Allocations {
 public:
  Allocations();
  // Since this was made.
  std::int64_t count() const;

 private:
  std::int64_t of_new_, of_imgui_;
};

}  // namespace sparsescope::test

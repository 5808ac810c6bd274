#include "app/cpu_manners.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>

namespace sparsescope::app {

void mind_cpu_manners(char** argv) {
  // Tensors of a few MiB come and go every step: handing each back to the system costs its page faults again.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe",
        argv);  // returns only where /proc is missing: then threads spin, and all else is the same
}

}  // namespace sparsescope::app

// The fixture of tests on a GPU: it skips itself where there is none.
#pragma once

#include <gtest/gtest.h>

#include "tests/kernels/device.h"

namespace sparsescope::kernels {

class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0)
      GTEST_SKIP() << "this machine has no GPU that CUDA can use";
  }
};

}  // namespace sparsescope::kernels

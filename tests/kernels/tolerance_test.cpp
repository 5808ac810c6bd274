// The comparison that kernel tests rely on must itself notice differences.
#include "kernels/common/tolerance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sparsescope::kernels {
namespace {

TEST(Tolerance, NamesTheFirstAndTheWorstElementOutside) {
  const std::vector<float> got = {1, 2.5f, 3, 9}, reference = {1, 2, 3, 4};
  const std::string sentence = first_outside(got, reference, {});
  EXPECT_NE(sentence.find("2 of 4"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("element 1 is 2.5 instead of 2"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("worst is element 3"), std::string::npos) << sentence;
}

TEST(Tolerance, GrowsWithTheReferenceAndHasAFloor) {
  const std::vector<double> got = {1000.1, 0.05}, reference = {1000, 0};
  EXPECT_EQ(first_outside(got, reference, {0.05, 1e-4, 2}), "");
  EXPECT_NE(first_outside(got, reference, {0.05, 1e-5, 2}), "");
  EXPECT_NE(first_outside(got, reference, {0.04, 1e-4, 2}), "");
}

TEST(Tolerance, ANotANumberIsOutsideUnlessItIsExpected) {
  const std::vector<float> one = {1}, nan = {std::nanf("")};
  EXPECT_NE(first_outside(nan, one, {1, 1, 1}), "");
  EXPECT_NE(first_outside(one, nan, {1, 1, 1}), "");
  EXPECT_EQ(first_outside(nan, nan, {}), "");
}

TEST(Tolerance, ArraysOfDifferentSizeDiffer) {
  EXPECT_NE(first_outside(std::vector<float>{1}, std::vector<float>{1, 2}, {}), "");
}

}  // namespace
}  // namespace sparsescope::kernels

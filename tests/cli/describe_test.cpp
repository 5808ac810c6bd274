// What `describe` prints: sentences first, tables only for who asks.
#include <gtest/gtest.h>

#include "tests/cli/cli_support.h"

namespace sparsescope::test {
namespace {

ProcessResult describe(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {cli(), "describe", SPARSESCOPE_SMALL_RECORDING});
  return run_process(arguments);
}

TEST(Describe, SaysSentencesAndHowLongTheTableWouldBe) {
  const ProcessResult words = describe({"--view", "density"});
  EXPECT_EQ(words.exit_code, 0) << words.errors;
  EXPECT_NE(words.output.find("direct first above 20 % in layer 3 at step 30"), std::string::npos);
  EXPECT_EQ(words.output.find('\t'), std::string::npos) << "a table";
  EXPECT_NE(words.errors.find("--table adds its table of "), std::string::npos) << words.errors;
  const ProcessResult whole = describe({"--view", "density", "--table"});
  EXPECT_EQ(whole.output.find(words.output), 0u) << "the same sentences, then the table";
  EXPECT_NE(whole.output.find("track\tunit\tmark"), std::string::npos);
  EXPECT_EQ(whole.errors, "");
}

TEST(Describe, WithoutAViewSaysTheSentencesOfAll) {
  const ProcessResult all = describe({});
  EXPECT_EQ(all.exit_code, 0) << all.errors;
  for (const char* view : {"density", "declarations", "loss"}) {
    const ProcessResult one = describe({"--view", view});
    EXPECT_NE(all.output.find(one.output), std::string::npos) << view;
  }
  EXPECT_EQ(describe({"--csv"}).exit_code, 2) << "a table is one view's";
}

TEST(Describe, WithABaselineSaysTheDifferenceOrWhyThereIsNone) {
  const ProcessResult same = describe({"--view", "declarations", "--baseline", SPARSESCOPE_SMALL_RECORDING});
  EXPECT_EQ(same.exit_code, 0) << same.errors;
  EXPECT_NE(same.output.find("difference to the pinned baseline"), std::string::npos) << same.output;
  const std::string other = SPARSESCOPE_DENSE_RECORDING;
  const ProcessResult none = describe({"--view", "declarations", "--baseline", other});
  EXPECT_EQ(none.exit_code, 0) << none.errors;
  EXPECT_NE(none.output.find("The pinned baseline makes no declarations"), std::string::npos) << none.output;
  const ProcessResult numbers = describe({"--view", "declarations", "--baseline", other, "--csv"});
  EXPECT_EQ(numbers.exit_code, 3) << "a table of one run would pass for the difference";
  EXPECT_EQ(numbers.output, "");
  EXPECT_NE(numbers.errors.find("The pinned baseline makes no declarations"), std::string::npos)
      << numbers.errors;
  const ProcessResult lines = describe({"--view", "loss", "--baseline", other});
  EXPECT_NE(lines.output.find("A: "), std::string::npos) << lines.output;
}

}  // namespace
}  // namespace sparsescope::test

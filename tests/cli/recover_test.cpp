// What `recover` prints, returns and leaves behind.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/cli_support.h"

namespace sparsescope::test {
namespace {

namespace fs = std::filesystem;

TEST(RecoverCommand, CopiesAWholeRecordingWholeAndSaysSo) {
  const TemporaryFolder folder;
  const std::string to = folder / "copy.h5";
  const ProcessResult done = run_process({cli(), "recover", SPARSESCOPE_SMALL_RECORDING, "-o", to});
  EXPECT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output.find("recovered "), 0u) << done.output;
  EXPECT_NE(done.output.find(", last step "), std::string::npos) << done.output;
  EXPECT_NE(done.output.find(to), std::string::npos);
  const ProcessResult info = run_process({cli(), "info", to});
  EXPECT_EQ(info.exit_code, 0) << info.errors;
  EXPECT_NE(info.output.find("frames of a recording that was not whole"), std::string::npos) << info.output;

  const ProcessResult again = run_process({cli(), "recover", SPARSESCOPE_SMALL_RECORDING, "-o", to});
  EXPECT_EQ(again.exit_code, 3);
  EXPECT_NE(again.errors.find("is there already"), std::string::npos) << again.errors;
}

TEST(RecoverCommand, OfACutRecordingItKeepsTheBeginningAndLeavesTheCutFileAlone) {
  const TemporaryFolder folder;
  const std::string cut = folder / "cut.h5";
  int recovered = 0;
  for (const int percent : {60, 80, 95}) {
    fs::copy_file(SPARSESCOPE_SMALL_RECORDING, cut, fs::copy_options::overwrite_existing);
    const auto bytes = fs::file_size(cut) * static_cast<unsigned>(percent) / 100;
    fs::resize_file(cut, bytes);
    const ProcessResult done = run_process({cli(), "recover", cut});
    EXPECT_EQ(fs::file_size(cut), bytes);
    if (done.exit_code == 3) {
      EXPECT_NE(done.errors, "");
      continue;
    }
    EXPECT_EQ(done.exit_code, 5) << percent << ": " << done.output << done.errors;
    EXPECT_TRUE(fs::exists(folder / "cut.recovered.h5"));
    fs::remove(folder / "cut.recovered.h5");
    ++recovered;
  }
  EXPECT_GT(recovered, 0);
}

}  // namespace
}  // namespace sparsescope::test

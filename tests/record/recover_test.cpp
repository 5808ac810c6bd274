// Copies out of recordings that were never closed or lost their end: every proven frame, bit for bit, and the
// old file as it was.
#include "engine/record/recover.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "engine/trace/error.h"
#include "tests/record/record_support.h"

namespace sparsescope::testing {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

trace::SyntheticSource small_run(std::uint64_t frames) {
  return trace::SyntheticSource({trace::SyntheticOptions::Kind::EveryDtype, frames, 41});
}

// A copy of a recording that is being written: unclosed, as after a kill.
void leave_unclosed(const trace::SyntheticSource& source, std::uint64_t rows, const std::string& as,
                    TempFolder& folder) {
  const std::string live = folder.file("live.h5");
  record::WriterOptions options = writer_options(live);
  options.commit_nanos = 1;
  record::RecordingWriter writer(options);
  writer.on_schema(source.schema());
  for (std::uint64_t i = 0; i < rows; ++i) writer.on_frame(source.frame(i));
  while (writer.stats().frames_committed < rows) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::filesystem::copy_file(live, as);
}

TEST(Recover, AnUnclosedRecordingBecomesAClosedOneWithEveryFrame) {
  TempFolder folder;
  const trace::SyntheticSource source = small_run(120);
  const std::string broken = folder.file("run.h5");
  leave_unclosed(source, 120, broken, folder);
  ASSERT_EQ(record::file_state(broken), record::FileState::Unclosed);
  const std::string before = bytes_of(broken);
  const std::string to = record::recovered_path(broken);
  EXPECT_EQ(to, folder.file("run.recovered.h5"));
  std::vector<double> said;
  const record::Recovered done = record::recover(broken, to, [&](double fraction) {
    said.push_back(fraction);
    return true;
  });
  EXPECT_EQ(done.frames, 120u);
  EXPECT_EQ(done.of, 120u);
  ASSERT_GE(said.size(), 2u);
  EXPECT_EQ(said.back(), 1);
  EXPECT_EQ(record::file_state(to), record::FileState::Closed);
  EXPECT_EQ(difference(to, source, 120, RecordedAs::RecoveredCopy), "");
  EXPECT_EQ(bytes_of(broken), before) << "a damaged file is evidence";
  EXPECT_EQ(record::recovered_path(broken), folder.file("run.recovered-2.h5"));
}

TEST(Recover, ARecordingThatLostItsEndGivesItsGoodBeginning) {
  TempFolder folder;
  const trace::SyntheticSource source = small_run(200);
  const std::string whole = folder.file("whole.h5"), cut = folder.file("cut.h5");
  record_run(source, writer_options(whole));
  int recovered = 0;
  for (int percent = 55; percent < 100; percent += 11) {
    std::filesystem::copy_file(whole, cut, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(cut,
                                 std::filesystem::file_size(whole) * static_cast<unsigned>(percent) / 100);
    const std::string to = record::recovered_path(cut);
    try {
      const record::Recovered done = record::recover(cut, to);
      ++recovered;
      EXPECT_GT(done.frames, 0u);
      EXPECT_EQ(difference(to, source, done.frames, RecordedAs::RecoveredCopy), "") << percent;
      EXPECT_EQ(words_of(done).rfind("recovered " + std::to_string(done.frames) + " of ", 0), 0u)
          << words_of(done);
    } catch (const Error&) {
      EXPECT_FALSE(std::filesystem::exists(to)) << "what cannot be read at all leaves nothing behind";
    }
  }
  EXPECT_GT(recovered, 0);
}

// Frame by frame, where a stretch of bytes is turned over.
TEST(Recover, BadFramesEndTheCopyOrAreLeftOutAndSaid) {
  TempFolder folder;
  const trace::SyntheticSource source = small_run(200);
  const std::string whole = folder.file("whole.h5"), bad = folder.file("bad.h5");
  record_run(source, writer_options(whole));
  const std::string good_bytes = bytes_of(whole);
  int salvaged = 0;
  for (std::size_t at = good_bytes.size() / 4; at < good_bytes.size() * 3 / 4 && salvaged < 3;
       at += good_bytes.size() / 97) {
    std::string bytes = good_bytes;
    for (std::size_t i = at; i < at + 40; ++i) bytes[i] = static_cast<char>(~bytes[i]);
    std::ofstream(bad, std::ios::binary | std::ios::trunc) << bytes;
    const std::string prefix = record::recovered_path(bad);
    record::Recovered ended, all;
    try {
      ended = record::recover(bad, prefix);
      EXPECT_EQ(difference(prefix, source, ended.frames, RecordedAs::RecoveredCopy), "");
      EXPECT_FALSE(ended.has_gap);
      all = record::recover(bad, record::recovered_path(bad), {}, record::BadFrames::LeaveOut);
    } catch (const Error&) {
      continue;  // what holds the file together was hit
    }
    EXPECT_GE(all.frames, ended.frames);
    if (!all.has_gap) continue;
    ++salvaged;
    EXPECT_LT(all.frames, 200u);
    EXPECT_EQ(all.last_step, source.frame(199)->step);
    const std::string to = folder.file("bad.recovered-2.h5");
    Collector run;
    const auto reader = record::open_recording(to, run);
    run.wait_end();
    ASSERT_TRUE(run.schema->recovered.has_value());
    EXPECT_EQ(run.schema->recovered->frames, all.frames);
    EXPECT_EQ(run.schema->recovered->of, 200u);
    EXPECT_EQ(run.schema->recovered->from_uuid, source.schema()->run_uuid);
    EXPECT_EQ(run.frames.size(), all.frames);
    std::size_t flagged = 0;
    for (const trace::FramePtr& frame : run.frames) flagged += frame->flags & trace::kFlagAfterGap ? 1 : 0;
    EXPECT_GE(flagged, 1u);
    for (const char* name : {"bad.recovered.h5", "bad.recovered-2.h5"})
      std::filesystem::remove(folder.file(name));
  }
  EXPECT_GT(salvaged, 0);
}

TEST(Recover, StoppedOrRefusedItLeavesNothingBehind) {
  TempFolder folder;
  const trace::SyntheticSource source = small_run(100);
  const std::string whole = folder.file("whole.h5"), to = folder.file("to.h5");
  record_run(source, writer_options(whole));
  EXPECT_THROW(record::recover(whole, to, [](double) { return false; }), Error);
  EXPECT_FALSE(std::filesystem::exists(to));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().filename().string().find("to.h5"), std::string::npos) << entry.path();
  EXPECT_THROW(record::recover(folder.file("nothing.h5"), to), Error);
  EXPECT_THROW(record::recover(whole, whole), Error) << "never over a file that is there";
}

}  // namespace
}  // namespace sparsescope::testing

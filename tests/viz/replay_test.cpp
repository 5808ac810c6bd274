// The law that a replay shows what the live run showed: equal draw data for frames that passed and the same
// frames read back.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/record/reader_client.h"
#include "engine/record/recording_writer.h"
#include "engine/trace/synthetic_source.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

namespace fs = std::filesystem;
using test::NullScreen;

constexpr const char* kViews[] = {"loss", "drift", "density"};

trace::SyntheticOptions options(std::uint64_t seed = 1) {
  trace::SyntheticOptions made;
  made.frames = 320;
  made.seed = seed;
  return made;
}

std::shared_ptr<trace::Mailbox> mailbox() {
  return std::make_shared<trace::Mailbox>(std::size_t{1} << 30, trace::Overflow::DropOldest);
}

// Frame by frame, drawing in between as a screen does.
std::uint64_t live_picture(const trace::SyntheticSource& source, const char* id,
                           trace::FrameSink* also = nullptr) {
  NullScreen screen;
  Timeline timeline;
  Selection selection;
  auto view = test::make_view(id);
  auto box = mailbox();
  timeline.add_run({box});
  const auto send = [&](auto&& deed) {
    deed(static_cast<trace::FrameSink&>(*box));
    if (also != nullptr) deed(*also);
  };
  send([&](trace::FrameSink& sink) { sink.on_schema(source.schema()); });
  for (std::uint64_t row = 0; row < source.frames(); ++row) {
    const trace::FramePtr frame = source.frame(row);
    send([&](trace::FrameSink& sink) { sink.on_frame(frame); });
    if (row % 9 != 0) continue;
    timeline.update(1.0 / 60);
    test::draw_view(screen, *view, timeline, selection, 1);
  }
  send([&](trace::FrameSink& sink) { sink.on_end(test::finished()); });
  timeline.drain_all();
  return test::draw_view(screen, *view, timeline, selection).value;
}

std::uint64_t replayed_picture(std::shared_ptr<trace::Mailbox> box, std::shared_ptr<trace::RowSource> rows,
                               const char* id) {
  NullScreen screen;
  Timeline timeline;
  Selection selection;
  auto view = test::make_view(id);
  timeline.add_run({std::move(box), std::move(rows)});
  timeline.drain_all();
  return test::draw_view(screen, *view, timeline, selection).value;
}

class Replay : public testing::TestWithParam<const char*> {};

TEST_P(Replay, DrawsWhatTheLiveRunDrew) {
  const trace::SyntheticSource source(options());
  auto box = mailbox();
  source.run(*box);
  EXPECT_EQ(live_picture(source, GetParam()), replayed_picture(box, nullptr, GetParam()));
}

TEST_P(Replay, AnotherRunDrawsAnotherPicture) {
  const trace::SyntheticSource source(options(1)), other(options(2));
  auto box = mailbox();
  other.run(*box);
  EXPECT_NE(live_picture(source, GetParam()), replayed_picture(box, nullptr, GetParam()));
}

TEST_P(Replay, ARecordingOnDiskDrawsWhatTheLiveRunDrew) {
  const fs::path folder = fs::path(testing::TempDir()) /
                          ("replay_" + std::string(GetParam()) +
                           std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  fs::create_directories(folder);
  const trace::SyntheticSource source(options());
  record::WriterOptions writing;
  writing.path = (folder / "run.h5").string();
  writing.free_bytes_at_start = writing.free_bytes_while_running = 1 << 20;
  std::uint64_t live = 0;
  {
    record::RecordingWriter writer(writing);
    live = live_picture(source, GetParam(), &writer);
    const record::WriterStats stats = writer.wait_closed();
    ASSERT_TRUE(stats.failure.empty()) << stats.failure;
  }
  auto box = mailbox();
  std::shared_ptr<record::ReaderClient> reader = record::open_recording(writing.path, *box);
  NullScreen screen;
  Timeline timeline;
  Selection selection;
  auto view = test::make_view(GetParam());
  viz::Run& run = timeline.add_run({box, reader});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (run.end() == nullptr && std::chrono::steady_clock::now() < deadline) {
    timeline.drain_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ASSERT_NE(run.end(), nullptr);
  EXPECT_EQ(run.rows(), source.frames());
  EXPECT_TRUE(run.problem().empty()) << run.problem();
  EXPECT_EQ(test::draw_view(screen, *view, timeline, selection).value, live);

  // A heavy row of the middle of the run comes back from the file as it was.
  viz::Run::Heavy heavy;
  while (heavy.state != RowCache::State::Ready && heavy.state != RowCache::State::Failed &&
         std::chrono::steady_clock::now() < deadline) {
    heavy = run.heavy("declared", 155);
    timeline.update(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_EQ(heavy.state, RowCache::State::Ready) << heavy.message;
  for (std::uint64_t row = 0; row < source.frames(); ++row) {
    const trace::FramePtr frame = source.frame(row);
    const trace::ChannelData* expected =
        frame->step == heavy.step ? frame->find(heavy.data->channel) : nullptr;
    if (expected == nullptr) continue;
    EXPECT_EQ(heavy.data->bytes, expected->bytes);
  }
  fs::remove_all(folder);
}

TEST_P(Replay, ScrubbedToAStepItShowsThatStepWhereverItCameFrom) {
  const trace::SyntheticSource source(options());
  const auto scrubbed = [&](std::uint64_t detour) {
    NullScreen screen;
    Timeline timeline;
    Selection selection;
    auto view = test::make_view(GetParam());
    auto box = mailbox();
    source.run(*box);
    timeline.add_run({box});
    timeline.drain_all();
    timeline.cursor().seek(detour);
    test::draw_view(screen, *view, timeline, selection);
    timeline.cursor().seek(150);
    return test::draw_view(screen, *view, timeline, selection).value;
  };
  EXPECT_EQ(scrubbed(10), scrubbed(300));
}

INSTANTIATE_TEST_SUITE_P(Views, Replay, testing::ValuesIn(kViews),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace sparsescope::viz

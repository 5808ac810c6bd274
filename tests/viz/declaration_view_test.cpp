// The declaration map on screen in every state of its data, live and replayed.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/record/reader_client.h"
#include "engine/record/recording_writer.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

namespace fs = std::filesystem;
using test::NullScreen;
using test::SparkOptions;
using test::SparkRun;
using test::SparkWords;
using Json = nlohmann::json;

constexpr const char* kView = "declarations";

struct Stage {
  Timeline timeline;
  Selection selection;
  Json settings = Json::object();
};
using Setter = std::function<void(Stage&)>;

std::shared_ptr<trace::Mailbox> add(Stage& stage, trace::SchemaPtr schema,
                                    const std::vector<trace::FramePtr>& frames, Feed feed = {}) {
  feed.mailbox = test::mailbox_with(std::move(schema), frames);
  auto mailbox = feed.mailbox;
  stage.timeline.add_run(std::move(feed));
  return mailbox;
}

std::shared_ptr<trace::Mailbox> add_whole(Stage& stage, SparkOptions options = {}, std::uint64_t steps = 60) {
  SparkRun source(options);
  return add(stage, source.schema, source.frames(steps));
}

// What a recording keeps on disk only: the heavy row of `declared`.
std::vector<trace::FramePtr> without_declared(const SparkRun& source,
                                              const std::vector<trace::FramePtr>& frames) {
  const std::uint32_t channel = source.schema->find("declared")->id;
  std::vector<trace::FramePtr> bare;
  for (const trace::FramePtr& frame : frames) {
    auto copy = std::make_shared<trace::Frame>(*frame);
    std::erase_if(copy->data, [&](const trace::ChannelData& part) { return part.channel == channel; });
    bare.push_back(copy);
  }
  return bare;
}

Feed reading(std::shared_ptr<test::ManualSource> rows) {
  Feed feed;
  feed.rows = std::move(rows);
  feed.progress = [] { return LoadProgress{60, 1000, 1 << 20}; };
  feed.cancel_loading = [] {};
  return feed;
}

const std::map<std::string, Setter>& states() {
  static const std::map<std::string, Setter> table = {
      {"no run", [](Stage&) {}},
      {"opening",
       [](Stage& stage) {
         stage.timeline.add_run({std::make_shared<trace::Mailbox>(1 << 20, trace::Overflow::DropOldest)});
       }},
      {"no declarations",
       [](Stage& stage) {
         test::SmallRun source;
         add(stage, source.schema, {source.frame(0)});
       }},
      {"waiting", [](Stage& stage) { add(stage, SparkRun().schema, {}); }},
      {"empty",
       [](Stage& stage) {
         add(stage, SparkRun().schema, {})->on_end({trace::RunStatus::Stopped, ""});
       }},
      {"failed",
       [](Stage& stage) {
         add(stage, SparkRun().schema, {})->on_end({trace::RunStatus::Failed, "the disk is full"});
       }},
      {"before the first probe",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(30);
         frames[0] = without_declared(source, {frames[0]})[0];
         auto first = std::make_shared<trace::Frame>(*frames[0]);
         first->present = {};
         for (const trace::ChannelData& part : first->data) first->present.add(part.channel);
         frames[0] = first;
         add(stage, source.schema, frames);
         stage.timeline.cursor().seek(4);
       }},
      {"reading the first map",
       [](Stage& stage) {
         SparkRun source;
         add(stage, source.schema, without_declared(source, source.frames(60)),
             reading(std::make_shared<test::ManualSource>()));
       }},
      {"a row that cannot be read",
       [](Stage& stage) {
         SparkRun source;
         auto rows = std::make_shared<test::ManualSource>();
         add(stage, source.schema, without_declared(source, source.frames(60)), {nullptr, rows});
         stage.timeline.drain_all();
         stage.timeline.runs()[0]->heavy("declared", 59);
         rows->fail(rows->asked.back().tag, "the file was truncated");
       }},
      {"margins", [](Stage& stage) { add_whole(stage); }},
      {"declarations",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"value", 1}};
       }},
      {"hit rates",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"value", 2}, {"window", 4}};
       }},
      {"first steps",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"value", 3}};
       }},
      {"counts by id, alike beside each other",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"value", 1}, {"rows", 1}, {"order", 3}};
       }},
      {"ids outside the sequence",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"ids", 1}};
       }},
      {"no vocabulary",
       [](Stage& stage) {
         SparkOptions options;
         options.words = SparkWords::Missing;
         add_whole(stage, options);
       }},
      {"one probe", [](Stage& stage) { add_whole(stage, {}, 1); }},
      {"behind",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(21);
         for (std::uint64_t step : {40, 47}) {
           auto bare = std::make_shared<trace::Frame>();
           bare->row = frames.back()->row + 1;
           bare->step = step;
           frames.push_back(bare);
         }
         add(stage, source.schema, frames);
       }},
      {"a broken promise",
       [](Stage& stage) {
         SparkRun source;
         auto frames = source.frames(40);
         std::swap(frames[10], frames[20]);
         add(stage, source.schema, frames);
       }},
      {"scrubbed, locked, searched",
       [](Stage& stage) {
         add_whole(stage);
         stage.timeline.cursor().seek(20);
         stage.selection.locked.layer = 0;
         stage.selection.locked.token = 5;
         stage.selection.locked.second_token = 9;
         stage.selection.locked.vocabulary_id = SparkRun().ids()[5];
         stage.settings = {{"search", "be"}};
       }},
      {"nothing found",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"search", "quite another word"}};
       }},
      {"difference to a step",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"value", 1}, {"against", 1}, {"against_step", 10}};
       }},
      {"only what changed",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"value", 1}, {"against", 1}, {"against_step", 10}, {"change", 1}};
       }},
      {"a baseline of other words",
       [](Stage& stage) {
         add_whole(stage);
         SparkOptions options;
         options.vocabulary = 50;
         add_whole(stage, options);
         stage.selection.run = 0;
         stage.selection.comparison.baseline = 1;
         stage.settings = {{"against", 2}};
       }},
      {"first steps that are still being read",
       [](Stage& stage) {
         SparkRun source;
         const auto frames = source.frames(60);
         auto bare = without_declared(source, frames);
         bare.back() = frames.back();
         for (std::size_t step : {0, 50})
           bare[step] = frames[step];  // the first and the last probe are at hand
         add(stage, source.schema, bare, {nullptr, std::make_shared<test::ManualSource>()});
         stage.settings = {{"value", 3}};
       }},
      {"zoomed",
       [](Stage& stage) {
         add_whole(stage);
         stage.settings = {{"camera_rows", {3, 9}}, {"camera_ids", {1, 7}}};
       }},
  };
  return table;
}

std::map<std::string, DrawHash> draw_all(Theme theme, float scale, ImVec2 size) {
  std::map<std::string, DrawHash> hashes;
  for (const auto& [name, set] : states()) {
    SCOPED_TRACE(name);
    NullScreen screen(size, theme, scale);
    Stage stage;
    set(stage);
    stage.timeline.drain_all();
    auto view = test::make_view(kView);
    view->set_settings(stage.settings);
    EXPECT_NO_THROW(hashes[name] = test::draw_view(screen, *view, stage.timeline, stage.selection, 4));
    ViewContext context{stage.timeline, stage.selection};
    EXPECT_FALSE(view->text_twin(context).empty());
    EXPECT_TRUE(stage.timeline.runs().empty() || !view->values_text(context).empty());
  }
  return hashes;
}

TEST(DeclarationView, DrawsEveryStateOfItsDataInItsOwnWay) {
  std::map<std::uint64_t, std::string> seen;
  for (const auto& [name, hash] : draw_all(Theme::Dark, 1, {1100, 700})) {
    EXPECT_GT(hash.vertices, 50) << name;
    const auto [place, is_new] = seen.emplace(hash.value, name);
    EXPECT_TRUE(is_new) << name << " looks like " << place->second;
  }
}

TEST(DeclarationView, DrawsInLittleRoomAndAtThreeTimesTheScale) {
  draw_all(Theme::Light, 1, {280, 200});
  draw_all(Theme::Light, 3, {1200, 700});
}

TEST(DeclarationView, SaysWhichPresetsMakeDeclarations) {
  auto view = test::make_view(kView);
  test::SmallRun bare;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(bare.schema);
  EXPECT_FALSE(view->applies(run).does);
  EXPECT_NE(view->applies(run).reason.find("preset"), std::string::npos);
  viz::Run spark(1, nullptr, 1 << 20);
  spark.take(SparkRun().schema);
  EXPECT_TRUE(view->applies(spark).does);
}

// The hash of the last frame of a view over a whole run.
std::uint64_t replayed(std::shared_ptr<trace::Mailbox> box, std::shared_ptr<trace::RowSource> rows,
                       const Json& settings) {
  NullScreen screen;
  Timeline timeline;
  Selection selection;
  auto view = test::make_view(kView);
  view->set_settings(settings);
  viz::Run& run = timeline.add_run({std::move(box), std::move(rows)});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (run.end() == nullptr && std::chrono::steady_clock::now() < deadline) {
    timeline.drain_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::uint64_t hash = 0;
  do {
    timeline.update(0);
    hash = test::draw_view(screen, *view, timeline, selection).value;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (timeline.is_busy() && std::chrono::steady_clock::now() < deadline);
  EXPECT_FALSE(timeline.is_busy());
  return hash;
}

struct Played {
  std::uint64_t live = 0;
  std::shared_ptr<trace::Mailbox> box;
};

// Frame by frame, drawing in between as a screen does.
Played play(std::uint64_t seed, const Json& settings, trace::FrameSink* also = nullptr) {
  SparkOptions options;
  options.seed = seed;
  SparkRun source(options);
  NullScreen screen;
  Timeline timeline;
  Selection selection;
  auto view = test::make_view(kView);
  view->set_settings(settings);
  auto box = test::mailbox_with(source.schema, {});
  timeline.add_run({box});
  if (also != nullptr) also->on_schema(source.schema);
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step < 60; ++step) {
    frames.push_back(source.frame(step));
    box->on_frame(frames.back());
    if (also != nullptr) also->on_frame(frames.back());
    if (step % 7 != 0) continue;
    timeline.update(1.0 / 60);
    test::draw_view(screen, *view, timeline, selection, 1);
  }
  box->on_end(test::finished());
  if (also != nullptr) also->on_end(test::finished());
  timeline.drain_all();
  Played played;
  played.live = test::draw_view(screen, *view, timeline, selection).value;
  played.box = test::mailbox_with(source.schema, frames);
  played.box->on_end(test::finished());
  return played;
}

const std::vector<Json>& looks() {
  static const std::vector<Json> all = {Json{{"value", 0}}, Json{{"value", 1}, {"rows", 1}, {"order", 3}},
                                        Json{{"value", 3}, {"search", "be"}},
                                        Json{{"value", 1}, {"against", 1}, {"against_step", 10}}};
  return all;
}

TEST(DeclarationView, AReplayDrawsWhatTheLiveRunDrew) {
  for (const Json& settings : looks()) {
    const Played played = play(1, settings);
    EXPECT_EQ(played.live, replayed(played.box, nullptr, settings)) << settings.dump();
    EXPECT_NE(played.live, replayed(play(2, settings).box, nullptr, settings)) << settings.dump();
  }
}

TEST(DeclarationView, ARecordingOnDiskDrawsWhatTheLiveRunDrew) {
  const fs::path folder =
      fs::path(testing::TempDir()) /
      ("declarations_" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  fs::create_directories(folder);
  for (std::size_t i = 0; i < looks().size(); ++i) {
    record::WriterOptions writing;
    writing.path = (folder / ("run" + std::to_string(i) + ".h5")).string();
    writing.free_bytes_at_start = writing.free_bytes_while_running = 1 << 20;
    std::uint64_t live = 0;
    {
      record::RecordingWriter writer(writing);
      live = play(1, looks()[i], &writer).live;
      const record::WriterStats stats = writer.wait_closed();
      ASSERT_TRUE(stats.failure.empty()) << stats.failure;
    }
    auto box = std::make_shared<trace::Mailbox>(std::size_t{1} << 30, trace::Overflow::DropOldest);
    std::shared_ptr<record::ReaderClient> reader = record::open_recording(writing.path, *box);
    EXPECT_EQ(replayed(box, reader, looks()[i]), live) << looks()[i].dump();
  }
  fs::remove_all(folder);
}

TEST(DeclarationView, ScrubbedToAStepItShowsThatStepWhereverItCameFrom) {
  const auto scrubbed = [](std::uint64_t detour) {
    NullScreen screen;
    Stage stage;
    add_whole(stage);
    stage.timeline.drain_all();
    auto view = test::make_view(kView);
    stage.timeline.cursor().seek(detour);
    test::draw_view(screen, *view, stage.timeline, stage.selection);
    stage.timeline.cursor().seek(30);
    return test::draw_view(screen, *view, stage.timeline, stage.selection).value;
  };
  EXPECT_EQ(scrubbed(5), scrubbed(55));
}

TEST(DeclarationView, TheLastMapStaysWhileTheNextIsRead) {
  SparkRun source;
  const auto frames = source.frames(60);
  auto bare = without_declared(source, frames);
  bare[50] = frames[50];
  auto rows = std::make_shared<test::ManualSource>();
  NullScreen screen;
  Stage stage;
  add(stage, source.schema, bare, {nullptr, rows});
  stage.timeline.drain_all();
  auto view = test::make_view(kView);
  const DrawHash ready = test::draw_view(screen, *view, stage.timeline, stage.selection);
  stage.timeline.cursor().seek(20);
  const DrawHash reading = test::draw_view(screen, *view, stage.timeline, stage.selection);
  EXPECT_GT(reading.vertices + 200, ready.vertices) << "no blank flash";
  ASSERT_EQ(rows->asked.size(), 1u);
  rows->answer(rows->asked[0].tag, frames[20]);
  stage.timeline.update(0);
  EXPECT_NE(test::draw_view(screen, *view, stage.timeline, stage.selection).value, reading.value);
}

}  // namespace
}  // namespace sparsescope::viz

// Every view in every state of its data: nothing asserts, everything draws something of its own.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::NullScreen;
using test::SmallRun;

struct Stage {
  Timeline timeline;
  Selection selection;
};

using Setter = std::function<void(Stage&)>;

std::shared_ptr<trace::Mailbox> add(Stage& stage, trace::SchemaPtr schema,
                                    const std::vector<trace::FramePtr>& frames, Feed feed = {}) {
  feed.mailbox = test::mailbox_with(std::move(schema), frames);
  auto mailbox = feed.mailbox;
  stage.timeline.add_run(std::move(feed));
  return mailbox;
}

std::vector<trace::FramePtr> steps(SmallRun& source, std::uint64_t count,
                                   std::uint64_t invalid_from = ~0ull) {
  std::vector<trace::FramePtr> frames;
  for (std::uint64_t step = 0; step < count; ++step) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    auto frame = step < invalid_from ? source.frame(step, 8 - 0.01 * static_cast<double>(step))
                                     : source.frame(step, nan, {nan, 3.f, 3.f});
    if (step >= invalid_from)
      std::memcpy(frame->data[2].bytes.data() + 7 * sizeof(nan), &nan,
                  sizeof(nan));  // direct density of layer 1
    if (step % 50 == 49) source.add_evaluation(*frame, 4);
    frames.push_back(frame);
  }
  return frames;
}

const std::map<std::string, Setter>& states() {
  static const std::map<std::string, Setter> table = {
      {"no run", [](Stage&) {}},
      {"opening",
       [](Stage& stage) {
         stage.timeline.add_run({std::make_shared<trace::Mailbox>(1 << 20, trace::Overflow::DropOldest)});
       }},
      {"not applicable",
       [](Stage& stage) {
         trace::Schema schema;
         schema.channels = {SmallRun().schema->channels[4]};
         add(stage, std::make_shared<const trace::Schema>(trace::finish_schema(schema)), {});
       }},
      {"waiting", [](Stage& stage) { add(stage, SmallRun().schema, {}); }},
      {"empty",
       [](Stage& stage) {
         add(stage, SmallRun().schema, {})->on_end({trace::RunStatus::Stopped, ""});
       }},
      {"failed",
       [](Stage& stage) {
         add(stage, SmallRun().schema, {})->on_end({trace::RunStatus::Failed, "the disk is full"});
       }},
      {"loading",
       [](Stage& stage) {
         SmallRun source;
         Feed feed;
         feed.progress = [] { return LoadProgress{60, 1000, 1 << 20}; };
         feed.cancel_loading = [] {};
         add(stage, source.schema, steps(source, 60), feed);
       }},
      {"ready",
       [](Stage& stage) {
         SmallRun source;
         add(stage, source.schema, steps(source, 200));
       }},
      {"one sample",
       [](Stage& stage) {
         SmallRun source;
         add(stage, source.schema, steps(source, 1));
       }},
      {"behind",
       [](Stage& stage) {
         SmallRun source;
         auto frames = steps(source, 100);
         auto bare = std::make_shared<trace::Frame>();
         bare->row = source.next_row++;
         bare->step = 180;
         source.add_event(*bare, R"({"kind":"note","text":"later"})");
         frames.push_back(bare);
         add(stage, source.schema, frames);
       }},
      {"gap",
       [](Stage& stage) {
         SmallRun source;
         auto frames = steps(source, 200);
         frames.erase(frames.begin() + 60, frames.begin() + 90);
         add(stage, source.schema, frames);
       }},
      {"invalid",
       [](Stage& stage) {
         SmallRun source;
         add(stage, source.schema, steps(source, 200, 150));
       }},
      {"problem",
       [](Stage& stage) {
         SmallRun source;
         auto frames = steps(source, 200);
         std::swap(frames[10], frames[20]);
         add(stage, source.schema, frames);
       }},
      {"held cursor, brush and locks",
       [](Stage& stage) {
         SmallRun source;
         add(stage, source.schema, steps(source, 200));
         stage.timeline.cursor().seek(80);
         stage.selection.brush = Range{20, 60};
         stage.selection.locked.layer = 1;
         stage.selection.locked.x = 50;
         stage.selection.locked.step = 50;
       }},
      {"events",
       [](Stage& stage) {
         SmallRun source;
         auto frames = steps(source, 100);
         for (std::uint64_t step : {100, 101, 102, 150}) {
           auto frame = source.frame(step);
           source.add_event(
               *frame, R"({"kind":"command","command":"set","name":"sparsity_weight","old":0,"new":0.1})");
           frames.push_back(frame);
         }
         add(stage, source.schema, frames);
       }},
  };
  return table;
}

std::map<std::string, DrawHash> draw_all_states(const std::string& id, Theme theme, float scale,
                                                ImVec2 size) {
  std::map<std::string, DrawHash> hashes;
  for (const auto& [name, set] : states()) {
    SCOPED_TRACE(id + ", " + name);
    NullScreen screen(size, theme, scale);
    Stage stage;
    set(stage);
    stage.timeline.drain_all();
    auto view = test::make_view(id);
    EXPECT_NO_THROW(hashes[name] = test::draw_view(screen, *view, stage.timeline, stage.selection));
    ViewContext context{stage.timeline, stage.selection};
    EXPECT_FALSE(view->text_twin(context).empty());
  }
  return hashes;
}

class EveryView : public testing::TestWithParam<std::string> {};

TEST_P(EveryView, DrawsEveryStateOfItsDataInItsOwnWay) {
  const std::map<std::string, DrawHash> hashes = draw_all_states(GetParam(), Theme::Dark, 1, {1000, 640});
  std::map<std::uint64_t, std::string> seen;
  for (const auto& [name, hash] : hashes) {
    EXPECT_GT(hash.vertices, 50) << name;
    const auto [place, is_new] = seen.emplace(hash.value, name);
    EXPECT_TRUE(is_new) << name << " looks like " << place->second;
  }
}

TEST_P(EveryView, DrawsInLittleRoomAndAtThreeTimesTheScale) {
  draw_all_states(GetParam(), Theme::Light, 1, {280, 200});
  draw_all_states(GetParam(), Theme::Light, 3, {1200, 700});
}

TEST_P(EveryView, SaysWhetherItAppliesAndWhyNot) {
  auto view = test::make_view(GetParam());
  SmallRun source;
  viz::Run run(0, nullptr, 1 << 20);
  run.take(source.schema);
  EXPECT_TRUE(view->applies(run).does);
  trace::Schema bare;
  bare.channels = {source.schema->channels[4]};
  viz::Run other(1, nullptr, 1 << 20);
  other.take(std::make_shared<const trace::Schema>(trace::finish_schema(bare)));
  EXPECT_FALSE(view->applies(other).does);
  EXPECT_NE(view->applies(other).reason.find("preset"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Views, EveryView, testing::Values("loss", "drift", "density"),
                         [](const auto& info) { return info.param; });

TEST(Views, TheTableHoldsEachOnce) {
  std::map<std::string, int> ids;
  for (const auto& view : make_views()) {
    ++ids[std::string(view->id())];
    EXPECT_FALSE(view->title().empty());
  }
  for (const auto& [id, count] : ids) EXPECT_EQ(count, 1) << id;
  for (const char* id : {"drift", "density", "loss"}) EXPECT_EQ(ids.count(id), 1u) << id;
}

}  // namespace
}  // namespace sparsescope::viz

#include "viz/model/query.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/viz/viz_support.h"

namespace sparsescope::viz {
namespace {

using test::SmallRun;

const double kNaN = std::numeric_limits<double>::quiet_NaN();

// A timeline with one run that a test feeds step by step.
struct Scene {
  explicit Scene(std::int64_t layers = 3)
      : source(layers), mailbox(test::mailbox_with(source.schema, {})), run(&timeline.add_run({mailbox})) {}
  void send(trace::FramePtr frame) {
    mailbox->on_frame(std::move(frame));
    timeline.drain_all();
  }
  QueryFrame frame(int columns = 1200) { return {timeline, *run, columns, {}}; }

  SmallRun source;
  Timeline timeline;
  std::shared_ptr<trace::Mailbox> mailbox;
  Run* run;
};

const TrackPicture& track_of(const Picture& picture, const std::string& id) {
  for (const TrackPicture& track : picture.tracks) {
    if (track.id == id) return track;
  }
  throw std::logic_error("no track " + id);
}

TEST(Query, SaysWhenTheFirstSampleIsDue) {
  Scene scene;
  scene.timeline.drain_all();
  const Picture waiting = loss_query(scene.frame(), {});
  EXPECT_EQ(waiting.state, PictureState::Waiting);
  EXPECT_EQ(waiting.words, "First sample expected at step 0");
  scene.send(scene.source.frame(0));
  const Picture ready = loss_query(scene.frame(), {});
  EXPECT_EQ(ready.state, PictureState::Ready);
  EXPECT_EQ(track_of(ready, "perplexity").missing, "First sample expected at step 50");
}

TEST(Query, TellsEmptyFromFailedFromOpening) {
  Timeline timeline;
  auto mailbox = std::make_shared<trace::Mailbox>(1 << 20, trace::Overflow::DropOldest);
  viz::Run& run = timeline.add_run({mailbox});
  EXPECT_EQ(drift_query({timeline, run, 800, {}}, {}).state, PictureState::Loading);

  SmallRun source;
  mailbox->on_schema(source.schema);
  mailbox->on_end({trace::RunStatus::Stopped, ""});
  timeline.drain_all();
  const Picture empty = drift_query({timeline, run, 800, {}}, {});
  EXPECT_EQ(empty.state, PictureState::Empty);
  ASSERT_TRUE(empty.action.has_value());
  EXPECT_EQ(empty.action->command, "train.toggle");

  Timeline other;
  auto broken = std::make_shared<trace::Mailbox>(1 << 20, trace::Overflow::DropOldest);
  broken->on_end({trace::RunStatus::Failed, "the corpus has no text"});
  viz::Run& failed = other.add_run({broken});
  other.drain_all();
  const Picture picture = drift_query({other, failed, 800, {}}, {});
  EXPECT_EQ(picture.state, PictureState::Failed);
  EXPECT_EQ(picture.words, "the corpus has no text");
}

TEST(Query, ARunWithoutThresholdsNamesTheChannelAndThePreset) {
  trace::Schema schema;
  schema.run_uuid = "dense";
  schema.channels = {SmallRun().schema->channels[0]};
  Timeline timeline;
  viz::Run& run = timeline.add_run(
      {test::mailbox_with(std::make_shared<const trace::Schema>(trace::finish_schema(schema)), {})});
  timeline.drain_all();
  const Picture drift = drift_query({timeline, run, 800, {}}, {});
  EXPECT_EQ(drift.state, PictureState::NotApplicable);
  EXPECT_NE(drift.words.find("'threshold'"), std::string::npos);
  EXPECT_NE(drift.words.find("preset"), std::string::npos);
  EXPECT_EQ(density_query({timeline, run, 800, {}}, {}).state, PictureState::NotApplicable);
  EXPECT_EQ(loss_query({timeline, run, 800, {}}, {}).state, PictureState::Waiting);
}

TEST(Query, ThetaFallingInAllLayersButTheFirst) {
  Scene scene(6);
  for (std::uint64_t step = 0; step <= 1000; step += 5) {
    std::vector<float> theta(6, 10.0f);
    for (std::size_t layer = 1; layer < 6; ++layer)
      theta[layer] = 10.0f - 0.00021f * static_cast<float>(step);
    scene.send(scene.source.frame(step, 5, theta));
  }
  const Picture picture = drift_query(scene.frame(), {});
  EXPECT_EQ(picture.takeaway,
            "Falling 0.21 per 1,000 steps in layers 1–5; layer 0 holds; density as at the start");
  const TrackPicture& theta = track_of(picture, "theta_sigmas");
  ASSERT_EQ(theta.lines.size(), 6u);
  EXPECT_EQ(theta.lines[5].label, "layer 5");
  EXPECT_EQ(theta.lines[5].place, 1);
  EXPECT_EQ(theta.lines[0].place, 0);
  EXPECT_NEAR(theta.lines[3].at_cursor, 10 - 0.21, 1e-5);
  EXPECT_LE(theta.y.minimum, 9.79);
  EXPECT_GE(theta.y.maximum, 10);
}

TEST(Query, WordsAndValuesAreThoseAtTheCursor) {
  Scene scene;
  for (std::uint64_t step = 0; step < 400; ++step) {
    scene.send(scene.source.frame(
        step, step < 200 ? 8 - static_cast<double>(step) * 0.02 : 4 + static_cast<double>(step) * 0.01));
  }
  LossSettings settings;
  settings.smoothing.is_on = false;
  EXPECT_NE(loss_query(scene.frame(), settings).takeaway.find("rising 10 per 1,000"), std::string::npos);
  scene.timeline.cursor().seek(150);
  const Picture picture = loss_query(scene.frame(), settings);
  EXPECT_EQ(picture.takeaway, "5.000 nats per token at step 150, falling 20 per 1,000 steps");
  EXPECT_EQ(picture.detail, "in nats per token, step 150");
  EXPECT_FALSE(picture.is_following);
  EXPECT_EQ(picture.cursor_x, 150);
}

TEST(Query, ABrushedSpanIsWhatTheSlopeIsAbout) {
  Scene scene;
  for (std::uint64_t step = 0; step < 400; ++step)
    scene.send(scene.source.frame(step, step < 200 ? 4.0 : 4.0 + static_cast<double>(step - 200) * 0.01));
  LossSettings settings;
  settings.smoothing.is_on = false;
  QueryFrame frame = scene.frame();
  frame.brush = Range{20, 180};
  EXPECT_NE(loss_query(frame, settings).takeaway.find("level"), std::string::npos);
}

TEST(Query, NotANumberLeavesAGapATickAndItsFirstStep) {
  Scene scene;
  for (std::uint64_t step = 0; step < 100; ++step)
    scene.send(scene.source.frame(step, step >= 40 && step < 43 ? kNaN : 3.0));
  const Picture picture = loss_query(scene.frame(), {});
  const TrackPicture& loss = track_of(picture, "loss");
  EXPECT_EQ(loss.invalid_samples, 3u);
  EXPECT_EQ(loss.first_invalid_step, 40u);
  ASSERT_EQ(loss.invalid.size(), 3u);
  EXPECT_EQ(loss.invalid[0].x, 40);
  const LinePicture& raw = loss.lines.front();
  ASSERT_EQ(raw.columns.size(), 100u);
  EXPECT_FALSE(raw.columns[41].bucket.has_value());
  EXPECT_TRUE(raw.columns[43].bucket.has_value());
  EXPECT_NE(picture.takeaway.find("not a number in 3 samples since step 40"), std::string::npos);
  EXPECT_TRUE(std::isfinite(loss.y.minimum) && std::isfinite(loss.y.maximum));
}

TEST(Query, ANonFiniteThetaIsNamedInTheDriftView) {
  Scene scene;
  for (std::uint64_t step = 0; step < 50; ++step)
    scene.send(
        scene.source.frame(step, 3, {3.f, step >= 30 ? std::numeric_limits<float>::infinity() : 3.f, 3.f}));
  const Picture picture = drift_query(scene.frame(), {});
  EXPECT_EQ(picture.takeaway.find("θ is not a number in 20 samples since step 30"), 0u);
  EXPECT_EQ(track_of(picture, "theta_sigmas").invalid.size(), 20u);
}

TEST(Query, DensityPartsStackToTheScopeAndTheMeanIsOverTheChosenLayers) {
  Scene scene;
  for (std::uint64_t step = 0; step < 20; ++step) scene.send(scene.source.frame(step));
  const Picture picture = density_query(scene.frame(), {});
  const TrackPicture& density = track_of(picture, "density");
  ASSERT_EQ(density.areas.size(), 3u);
  EXPECT_EQ(density.areas[0].label, "fallback");
  EXPECT_NEAR(density.areas[0].at_cursor, 0.2, 1e-6);
  EXPECT_NEAR(density.areas[1].at_cursor, 0.075, 1e-6) << "layers 1 and 2 declare 0.05 and 0.10";
  for (std::size_t i = 0; i < density.areas[0].slices.size(); ++i) {
    EXPECT_EQ(density.areas[0].slices[i].lower, 0);
    EXPECT_EQ(density.areas[1].slices[i].lower, density.areas[0].slices[i].upper);
    EXPECT_EQ(density.areas[2].slices[i].lower, density.areas[1].slices[i].upper);
    EXPECT_NEAR(density.areas[2].slices[i].upper, 0.275, 1e-6);
  }
  EXPECT_EQ(density.y, (Range{0, 1}));
  EXPECT_EQ(density.lines.front().label, "expected from counts");
  EXPECT_EQ(picture.detail, "layers 1 and 2, share of strict-past pairs, step 19");

  DensitySettings first_layer;
  first_layer.layers = {0, 0};
  EXPECT_NEAR(track_of(density_query(scene.frame(), first_layer), "density").areas[1].at_cursor, 0, 1e-6);
  DensitySettings beyond;
  beyond.layers = {7, 9};
  EXPECT_NE(density_query(scene.frame(), beyond).detail.find("layer 2"), std::string::npos)
      << "a span is cut to the layers there are";
}

TEST(Query, CommandsBecomeFlagsAndNeighboursFold) {
  Scene scene;
  for (std::uint64_t step = 0; step < 100; ++step) {
    auto frame = scene.source.frame(step);
    if (step == 20 || step == 60 || step == 61)
      scene.source.add_event(*frame, R"({"kind":"command","command":"set","name":"pace","old":0,"new":5})");
    if (step == 80) scene.source.add_event(*frame, R"({"kind":"evaluation","text":"validation 3.1"})");
    if (step == 90) scene.source.add_event(*frame, R"({"kind":"warning","text":"careful"})");
    scene.send(frame);
  }
  scene.mailbox->on_end(test::finished());
  scene.timeline.drain_all();
  const Picture apart = drift_query(scene.frame(1200), {});
  ASSERT_EQ(apart.flags.size(), 4u);
  EXPECT_EQ(apart.flags[0].words, "pace 0 → 5");
  EXPECT_EQ(apart.flags[0].x, 20);
  EXPECT_TRUE(apart.flags[3].is_warning);
  const Picture folded = drift_query(scene.frame(120), {});
  ASSERT_EQ(folded.flags.size(), 3u) << "nearer than three pixels";
  EXPECT_EQ(folded.flags[1].words, "pace 0 → 5, twice");
}

TEST(Query, DroppedFramesAreHatchedAndCounted) {
  Scene scene;
  scene.send(scene.source.frame(0));
  scene.send(scene.source.frame(10));
  scene.source.next_row = 5;
  scene.send(scene.source.frame(50));
  const Picture picture = loss_query(scene.frame(), {});
  ASSERT_EQ(picture.gaps.size(), 1u);
  EXPECT_EQ(picture.gaps[0].from, 10);
  EXPECT_EQ(picture.gaps[0].to, 50);
  EXPECT_EQ(picture.gaps[0].words, "3 samples dropped by budget");
}

TEST(Query, ACursorPastTheSamplesSaysWhatIsShown) {
  Scene scene;
  scene.send(scene.source.frame(0));
  auto only_events = std::make_shared<trace::Frame>();
  only_events->row = scene.source.next_row++;
  only_events->step = 40;
  scene.source.add_event(*only_events, R"({"kind":"note","text":"x"})");
  scene.send(only_events);
  EXPECT_EQ(loss_query(scene.frame(), {}).behind, "showing step 0, cursor at 40");
}

TEST(Query, ColumnsAreBoundedWhateverTheLengthAndReachTheBorders) {
  Scene scene;
  for (std::uint64_t step = 0; step < 20'000; ++step)
    scene.mailbox->on_frame(scene.source.frame(step, static_cast<double>(step)));
  scene.mailbox->on_end(test::finished());
  scene.timeline.drain_all();
  LossSettings settings;
  settings.smoothing.is_on = false;
  const Picture whole = loss_query(scene.frame(600), settings);
  const LinePicture& line = track_of(whole, "loss").lines.front();
  EXPECT_LE(line.columns.size(), 600u);
  EXPECT_GE(line.columns.size(), 590u);
  std::uint64_t samples = 0;
  for (const Column& column : line.columns) samples += column.bucket.count;
  EXPECT_EQ(samples, 20'000u) << "every sample lies in one column";
  EXPECT_EQ(line.columns.front().bucket.minimum, 0);
  EXPECT_EQ(line.columns.back().bucket.maximum, 19'999);

  scene.timeline.window().choose({5000.5, 5100.5});
  const Picture zoomed = loss_query(scene.frame(600), settings);
  const LinePicture& part = track_of(zoomed, "loss").lines.front();
  EXPECT_EQ(part.columns.size(), 102u) << "a hundred inside and one beyond each border";
  EXPECT_EQ(part.columns.front().x, 5000);
  EXPECT_EQ(part.columns.back().x, 5101);
  EXPECT_LE(track_of(zoomed, "loss").y.maximum, 6000) << "y fits what is visible";
}

TEST(Query, ManyLayersShareTheColumns) {
  Scene scene(24);
  for (std::uint64_t step = 0; step < 3000; ++step) scene.mailbox->on_frame(scene.source.frame(step));
  scene.timeline.drain_all();
  const Picture picture = drift_query(scene.frame(1200), {});
  std::size_t columns = 0;
  for (const LinePicture& line : track_of(picture, "theta_sigmas").lines) columns += line.columns.size();
  EXPECT_LE(columns, static_cast<std::size_t>(kColumnsPerTrack));
  EXPECT_GT(columns, static_cast<std::size_t>(kColumnsPerTrack) / 2);
}

TEST(Query, EveryTimeAxisShowsTheSameSamples) {
  Scene scene;
  for (std::uint64_t step = 0; step < 300; ++step)
    scene.mailbox->on_frame(scene.source.frame(step, static_cast<double>(step)));
  scene.mailbox->on_end(test::finished());
  scene.timeline.drain_all();
  for (TimeAxis axis : {TimeAxis::Step, TimeAxis::Tokens, TimeAxis::WallTime, TimeAxis::RelativeStep}) {
    scene.timeline.window().set_axis(axis);
    const Picture picture = loss_query(scene.frame(), {});
    const LinePicture& line = track_of(picture, "loss").lines.front();
    ASSERT_EQ(line.columns.size(), 300u);
    EXPECT_EQ(line.columns[42].step, 42u);
    EXPECT_DOUBLE_EQ(line.columns[42].x, scene.run->x(42, axis));
  }
}

TEST(Table, HasOneRowAMarkWithTheValuesOfThePicture) {
  Scene scene;
  for (std::uint64_t step = 0; step < 30; ++step)
    scene.send(scene.source.frame(step, step == 7 ? kNaN : 3 + 0.5 * static_cast<double>(step)));
  LossSettings settings;
  settings.smoothing.is_on = false;
  const Picture picture = loss_query(scene.frame(), settings);
  const Table tidy = table(picture);
  std::size_t marks = 0;
  for (const TrackPicture& track : picture.tracks) {
    for (const LinePicture& line : track.lines) marks += line.columns.size();
    for (const AreaPicture& area : track.areas) marks += area.slices.size();
  }
  ASSERT_EQ(tidy.rows.size(), marks);
  for (const auto& row : tidy.rows) ASSERT_EQ(row.size(), tidy.header.size());
  const auto& fourth = tidy.rows[3];
  EXPECT_EQ(fourth[0], "loss");
  EXPECT_EQ(fourth[1], "nats");
  EXPECT_EQ(fourth[3], "3");
  EXPECT_EQ(fourth[8], "4.5");
  EXPECT_EQ(tidy.rows[7][8], "—");
  EXPECT_EQ(tidy.rows[7][10], "1");

  const std::string twin = text_of(twin_of(picture));
  EXPECT_EQ(twin.find("Loss in nats per token, step 29\n"), 0u);
  EXPECT_NE(twin.find(picture.takeaway), std::string::npos);
  EXPECT_NE(twin.find("track\tunit\tmark\tstep"), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::viz

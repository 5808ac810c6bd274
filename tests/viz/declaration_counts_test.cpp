// Counts, orders and first steps of declarations against the slow way.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "engine/trace/error.h"
#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/model/declaration_history.h"
#include "viz/model/declaration_order.h"

namespace sparsescope::viz {
namespace {

using test::SparkOptions;
using test::SparkRun;

std::shared_ptr<const trace::ChannelData> row_of(const SparkRun& source, const trace::Frame& frame) {
  const trace::ChannelData* part = frame.find(source.schema->find("declared")->id);
  return part != nullptr ? std::make_shared<const trace::ChannelData>(*part) : nullptr;
}

DeclaredLayer layer_of(const SparkRun& source, const trace::Frame& frame, std::int64_t layer) {
  return {*source.schema->find("declared"), row_of(source, frame), layer};
}

// A layer of random bits: `positions` x `ids`, with its text. Sizes are odd on purpose.
struct RandomLayer {
  trace::Channel channel;
  std::shared_ptr<const trace::ChannelData> data;
  std::vector<std::int32_t> text;

  RandomLayer(std::int64_t positions, std::int64_t ids, double share, unsigned seed) {
    std::mt19937 random(seed);
    const auto below = [&](double limit) { return static_cast<double>(random()) / 4294967296.0 < limit; };
    std::vector<std::string> labels;
    for (std::int64_t i = 0; i < ids; ++i) labels.push_back(std::to_string(3 * i + 1));
    channel.name = "declared";
    channel.dtype = trace::DType::Bits;
    channel.axes = {{"layer", 1, {}}, {"id", ids, labels}, {"position", positions, {}}};
    auto made = std::make_shared<trace::ChannelData>();
    made->bytes.assign(channel.unit_bytes(), std::byte{0});
    const std::int64_t row_bytes = (positions + 7) / 8;
    for (std::int64_t i = 0; i < ids; ++i) {
      for (std::int64_t p = 0; p < positions; ++p) {
        if (below(share))
          made->bytes[static_cast<std::size_t>(i * row_bytes + p / 8)] |= std::byte{1} << (p % 8);
      }
    }
    for (std::int64_t p = 0; p < positions; ++p)
      text.push_back(static_cast<std::int32_t>(
          3 * static_cast<std::int64_t>(random() % static_cast<unsigned>(ids)) + 1));
    data = std::move(made);
  }
  DeclaredLayer layer() const { return {channel, data, 0}; }
};

TEST(DeclarationCounts, EqualWhatBruteForceCounts) {
  for (const auto& [positions, ids] : {std::pair{1, 1}, {2, 3}, {7, 5}, {8, 8}, {9, 4}, {63, 31}, {65, 40}}) {
    const RandomLayer random(positions, ids, 0.3, static_cast<unsigned>(positions * 100 + ids));
    const DeclaredLayer layer = random.layer();
    for (std::int64_t window : {std::int64_t{1}, std::int64_t{3}, kAllThatFollows - 1}) {
      const DeclarationCounts counts = count_declarations(layer, random.text, window);
      std::int64_t declared = 0, came_true = 0, direct = 0, empty = 0;
      for (std::int64_t p = 0; p < positions; ++p) {
        DeclarationCounts::Tally tally;
        for (std::int64_t row = 0; row < ids; ++row) {
          if (!layer.declares(p, row)) continue;
          ++tally.declared;
          bool is_true = false;
          for (std::int64_t t = p + 1; t < positions && t - p <= window; ++t)
            is_true |= random.text[static_cast<std::size_t>(t)] == layer.ids()[static_cast<std::size_t>(row)];
          tally.came_true += is_true;
        }
        EXPECT_EQ(counts.by_position[static_cast<std::size_t>(p)], tally);
        declared += tally.declared;
        came_true += tally.came_true;
        std::int64_t read = 0;
        for (std::int64_t q = 0; q < p; ++q)
          read += layer.declares(q, layer.row_of(random.text[static_cast<std::size_t>(p)]));
        EXPECT_EQ(counts.read_by_query[static_cast<std::size_t>(p)], read);
        direct += read;
        empty += read == 0;
      }
      EXPECT_EQ(counts.total, (DeclarationCounts::Tally{declared, came_true}));
      EXPECT_EQ(counts.direct_pairs, direct);
      EXPECT_EQ(counts.empty_queries, empty);
    }
  }
}

TEST(DeclarationCounts, RollUpFromEitherSideToTheSameTotal) {
  const RandomLayer random(37, 23, 0.4, 5);
  const DeclarationCounts counts = count_declarations(random.layer(), random.text, 8);
  DeclarationCounts::Tally by_position, by_row;
  for (const auto& tally : counts.by_position) {
    by_position.declared += tally.declared;
    by_position.came_true += tally.came_true;
  }
  for (const auto& tally : counts.by_row) {
    by_row.declared += tally.declared;
    by_row.came_true += tally.came_true;
  }
  EXPECT_EQ(by_position, counts.total);
  EXPECT_EQ(by_row, counts.total);
}

TEST(DeclarationCounts, GiveTheDensityThatTheRunRecorded) {
  SparkRun source;
  const trace::Channel& channel = *source.schema->find("density");
  const std::int64_t reasons = channel.axis("reason")->size;
  for (std::uint64_t step = 0; step < 60; ++step) {
    const auto frame = source.frame(step);
    if (step % source.options().probe_every != 0) continue;
    const auto density = trace::values_as<float>(*frame->find(channel.id));
    for (std::int64_t layer = 0; layer < source.options().layers; ++layer) {
      const DeclarationCounts counts = count_declarations(layer_of(source, *frame, layer), source.ids(), 8);
      const auto at = [&](const char* reason) {
        return density[static_cast<std::size_t>(layer * reasons + channel.label_index("reason", reason))];
      };
      EXPECT_FLOAT_EQ(static_cast<float>(counts.direct_density()), at("direct")) << "step " << step;
      EXPECT_FLOAT_EQ(static_cast<float>(1 - counts.coverage()), at("empty_rows")) << "step " << step;
    }
  }
}

TEST(DeclarationCounts, PositionsWithoutARecordedIdAreNoQueries) {
  const RandomLayer random(16, 5, 0.5, 3);
  std::vector<std::int32_t> text = random.text;
  text[3] = 2;  // labels are 1, 4, 7, ...
  text.resize(14);
  const DeclarationCounts counts = count_declarations(random.layer(), text, 8);
  EXPECT_EQ(counts.unknown_positions, 3);
  EXPECT_EQ(counts.read_by_query[3], 0);
}

TEST(DeclarationCounts, ARowOfAnotherSizeIsRefusedInOneSentence) {
  SparkRun source;
  const auto frame = source.frame(0);
  auto cut = std::make_shared<trace::ChannelData>(*row_of(source, *frame));
  cut->bytes.pop_back();
  EXPECT_THROW(DeclaredLayer(*source.schema->find("declared"), cut, 0), Error);
  EXPECT_THROW(DeclaredLayer(*source.schema->find("declared"), row_of(source, *frame), 2), Error);
  EXPECT_THROW(DeclaredLayer(*source.schema->find("density"), cut, 0), Error);
}

TEST(DeclarationOrder, EveryOrderHoldsEveryIdOnce) {
  const RandomLayer random(41, 29, 0.3, 9);
  const DeclaredLayer layer = random.layer();
  const DeclarationCounts counts = count_declarations(layer, random.text, 8);
  const RowPlaces places = places_of(layer, random.text);
  for (int i = 0; i < kDeclarationOrders; ++i) {
    std::vector<std::int64_t> rows = ordered_rows(layer, counts, places, static_cast<DeclarationOrder>(i));
    EXPECT_EQ(rows, ordered_rows(layer, counts, places, static_cast<DeclarationOrder>(i)));
    std::sort(rows.begin(), rows.end());
    for (std::int64_t row = 0; row < layer.rows(); ++row) EXPECT_EQ(rows[static_cast<std::size_t>(row)], row);
  }
}

TEST(DeclarationOrder, FrequencyAppearanceAndDeclaredFallAsTheirNamesSay) {
  const RandomLayer random(60, 20, 0.3, 2);
  const DeclaredLayer layer = random.layer();
  const DeclarationCounts counts = count_declarations(layer, random.text, 8);
  const RowPlaces places = places_of(layer, random.text);
  const auto at = [](const auto& values, std::int64_t row) { return values[static_cast<std::size_t>(row)]; };
  const auto frequency = ordered_rows(layer, counts, places, DeclarationOrder::Frequency),
             appearance = ordered_rows(layer, counts, places, DeclarationOrder::Appearance),
             declared = ordered_rows(layer, counts, places, DeclarationOrder::Declared);
  for (std::size_t i = 1; i < frequency.size(); ++i) {
    const std::int64_t id = layer.ids()[static_cast<std::size_t>(frequency[i])];
    EXPECT_EQ(at(places.occurrences, frequency[i]),
              std::count(random.text.begin(), random.text.end(), static_cast<std::int32_t>(id)));
    EXPECT_GE(at(places.occurrences, frequency[i - 1]), at(places.occurrences, frequency[i]));
    EXPECT_LE(at(places.first, appearance[i - 1]), at(places.first, appearance[i]));
    EXPECT_GE(at(counts.by_row, declared[i - 1]).declared, at(counts.by_row, declared[i]).declared);
  }
}

TEST(DeclarationOrder, LikenessPutsIdsOfTheSameDeclarersBesideEachOther) {
  // Even positions declare even rows, odd positions odd rows: two groups that no other order keeps apart.
  RandomLayer made(40, 16, 0, 1);
  auto data = std::make_shared<trace::ChannelData>(*made.data);
  for (std::int64_t row = 0; row < 16; ++row) {
    for (std::int64_t p = row % 2; p < 40; p += 2)
      data->bytes[static_cast<std::size_t>(row * 5 + p / 8)] |= std::byte{1} << (p % 8);
  }
  const DeclaredLayer layer(made.channel, data, 0);
  const std::vector<std::int64_t> rows =
      ordered_rows(layer, count_declarations(layer, made.text, 8), places_of(layer, made.text),
                   DeclarationOrder::Likeness);
  for (std::size_t i = 1; i < 8; ++i) EXPECT_EQ(rows[i] % 2, rows[0] % 2);
  for (std::size_t i = 9; i < 16; ++i) EXPECT_EQ(rows[i] % 2, rows[8] % 2);
  EXPECT_NE(rows[0] % 2, rows[8] % 2);
}

struct Walk {
  SparkRun source;
  std::vector<trace::FramePtr> frames = source.frames(100);
  std::uint64_t expected(std::int64_t layer, std::int64_t position, std::int64_t row) const {
    for (std::uint64_t step = 0; step < 100; step += source.options().probe_every) {
      if (source.declares(step, layer, position, source.distinct_ids()[static_cast<std::size_t>(row)]))
        return step;
    }
    return ~0ull;
  }
  void expect_equal(const DeclarationHistory& history, std::int64_t layer) const {
    for (std::int64_t p = 0; p < source.options().positions; ++p) {
      for (std::int64_t row = 0; row < std::ssize(source.distinct_ids()); ++row)
        ASSERT_EQ(history.first(p, row).value_or(~0ull), expected(layer, p, row)) << p << ", " << row;
    }
  }
};

TEST(DeclarationHistory, FindsTheFirstProbeOfEveryDeclaration) {
  const Walk walk;
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(walk.source.schema, walk.frames)});
  timeline.drain_all();
  DeclarationHistory history;
  for (std::int64_t layer : {0, 1, 0}) {
    history.advance(run, layer);
    EXPECT_TRUE(history.is_done());
    EXPECT_EQ(history.read(), 10u);
    walk.expect_equal(history, layer);
  }
  EXPECT_EQ(history.first_step(), 0u);
  EXPECT_EQ(history.last_step(), 90u);
}

TEST(DeclarationHistory, GoesOnWhenTheRunDoes) {
  const Walk walk;
  Timeline timeline;
  auto mailbox = test::mailbox_with(walk.source.schema, {});
  viz::Run& run = timeline.add_run({mailbox});
  DeclarationHistory history;
  for (const trace::FramePtr& frame : walk.frames) {
    mailbox->on_frame(frame);
    timeline.drain_all();
    history.advance(run, 1);
    EXPECT_TRUE(history.is_done());
  }
  walk.expect_equal(history, 1);
}

// Rows that are on disk only, read back one after the other.
TEST(DeclarationHistory, ReadsOneRowAfterTheOtherAndStopsWhenCancelled) {
  const Walk walk;
  const std::uint32_t channel = walk.source.schema->find("declared")->id;
  std::vector<trace::FramePtr> bare;
  for (const trace::FramePtr& frame : walk.frames) {
    auto copy = std::make_shared<trace::Frame>(*frame);
    std::erase_if(copy->data, [&](const trace::ChannelData& part) { return part.channel == channel; });
    bare.push_back(copy);
  }
  auto rows = std::make_shared<test::ManualSource>();
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(walk.source.schema, bare), rows});
  timeline.drain_all();
  DeclarationHistory history;
  for (std::size_t probe = 0; probe < 4; ++probe) {
    history.advance(run, 0);
    history.advance(run, 0);
    ASSERT_EQ(rows->asked.size(), probe + 1) << "one wish at a time, and none twice";
    EXPECT_TRUE(timeline.is_busy());
    rows->answer(rows->asked.back().tag, walk.frames[rows->asked.back().request.first_row]);
    timeline.update(0);
  }
  history.cancel();
  history.advance(run, 0);
  EXPECT_EQ(history.read(), 3u);
  EXPECT_EQ(rows->asked.size(), 4u);
  EXPECT_FALSE(history.is_done());
  history.resume();
  for (int i = 0; i < 20 && !history.is_done(); ++i) {
    history.advance(run, 0);
    if (rows->asked.size() == 7)
      rows->fail(rows->asked.back().tag, "the disk is gone");
    else
      rows->answer(rows->asked.back().tag, walk.frames[rows->asked.back().request.first_row]);
    timeline.update(0);
  }
  EXPECT_TRUE(history.is_done());
  EXPECT_EQ(history.missing(), 1u);
  EXPECT_EQ(history.read(), 9u);
  EXPECT_EQ(history.message(), "the disk is gone");
}

}  // namespace
}  // namespace sparsescope::viz

// The declaration map as plain data, held to the formulas of the run that was recorded.
#include "viz/model/declaration_query.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <map>

#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/model/declaration_content.h"
#include "viz/model/describe.h"

namespace sparsescope::viz {
namespace {

using test::SparkOptions;
using test::SparkRun;
using test::SparkWords;

// A whole run on a timeline, and one picture of it after the other.
struct Stage {
  explicit Stage(SparkOptions options = {}, std::uint64_t steps = 100) : source(options) {
    run = &timeline.add_run({test::mailbox_with(source.schema, source.frames(steps))});
    timeline.drain_all();
  }
  DeclarationPicture picture(const DeclarationSettings& settings = {}) {
    return declaration_query({timeline, *run, 1200, {}, locked, comparison}, settings, memory);
  }
  SparkRun source;
  Timeline timeline;
  Run* run = nullptr;
  Marks locked;
  Comparison comparison;
  DeclarationMemory memory;
};

DeclarationSettings with(DeclarationValue value, DeclarationRows rows = DeclarationRows::Positions) {
  DeclarationSettings settings;
  settings.value = value;
  settings.rows = rows;
  return settings;
}

// The eight best ids of a position by brute force.
std::map<std::int64_t, float> best(const SparkRun& source, std::uint64_t step, std::int64_t layer,
                                   std::int64_t position) {
  std::vector<std::pair<float, std::int64_t>> scores;
  for (std::int64_t id = 0; id < source.options().vocabulary; ++id)
    scores.emplace_back(-source.score(step, layer, position, id), id);
  std::sort(scores.begin(), scores.end());
  std::map<std::int64_t, float> found;
  for (std::size_t rank = 0; rank < 8; ++rank) found[scores[rank].second] = -scores[rank].first;
  return found;
}

TEST(DeclarationMap, ShowsTheMarginOfEveryScoredIdAndZeroForOtherDeclarations) {
  Stage stage;
  stage.locked.layer = 0;
  for (const DeclarationIds ids : {DeclarationIds::OfSequence, DeclarationIds::WithOthers}) {
    DeclarationSettings settings;
    settings.ids = ids;
    const DeclarationPicture picture = stage.picture(settings);
    ASSERT_EQ(picture.state, PictureState::Ready) << picture.words;
    ASSERT_EQ(std::ssize(picture.rows), stage.source.options().positions);
    for (int row = 0; row < picture.cells->rows(); ++row) {
      const auto scores = best(stage.source, 90, 0, row);
      std::size_t shown = 0;
      for (int column = 0; column < picture.cells->columns(); ++column) {
        const std::int64_t id = picture.columns[static_cast<std::size_t>(column)].id;
        const Cell cell = picture.cells->at(row, column);
        if (const auto score = scores.find(id); score != scores.end()) {
          ++shown;
          ASSERT_EQ(cell.state, CellState::Value);
          EXPECT_EQ(cell.value, static_cast<float>(score->second - static_cast<double>(picture.theta)));
        } else if (picture.columns[static_cast<std::size_t>(column)].is_of_sequence &&
                   stage.source.declares(90, 0, row, id)) {
          ASSERT_EQ(cell.state, CellState::Value);
          EXPECT_EQ(cell.value, 0);
        } else {
          EXPECT_EQ(cell.state, CellState::Absent);
        }
      }
      if (ids == DeclarationIds::WithOthers) {
        EXPECT_EQ(shown, 8u);
      }
    }
  }
}

// As in a run: the threshold is recorded after each step, the first probe comes before all of them.
DeclarationPicture without_threshold(std::uint64_t step, std::uint64_t shown) {
  SparkOptions options;
  options.displacement = true;
  SparkRun source(options);
  auto frames = source.frames(30);
  auto bare = std::make_shared<trace::Frame>(*frames[step]);
  const std::uint32_t channel = source.schema->find("threshold")->id;
  std::erase_if(bare->data, [&](const trace::ChannelData& part) { return part.channel == channel; });
  bare->present = {};
  for (const trace::ChannelData& part : bare->data) bare->present.add(part.channel);
  frames[step] = bare;
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, frames)});
  timeline.drain_all();
  timeline.cursor().seek(shown);
  return declaration_picture({timeline, run}, {});
}

TEST(DeclarationMap, BeforeTheFirstStepThetaIsWhereTheFirstOneCameFrom) {
  const DeclarationPicture picture = without_threshold(0, 0);
  EXPECT_FLOAT_EQ(static_cast<float>(picture.theta), SparkRun().theta(0, picture.layer));
  EXPECT_EQ(picture.value_name, "score − θ");
}

TEST(DeclarationMap, WithoutThetaScoresAreShownAndSaidToBeScores) {
  const DeclarationPicture picture = without_threshold(20, 20);
  EXPECT_TRUE(std::isnan(picture.theta));
  EXPECT_EQ(picture.value_name, "score");
  EXPECT_NE(picture.hidden.find("θ is not recorded"), std::string::npos);
  for (int p = 0; p < picture.cells->rows(); ++p) {
    const auto scores = best(SparkRun(), 20, picture.layer, p);
    for (int c = 0; c < picture.cells->columns(); ++c) {
      const auto score = scores.find(picture.columns[static_cast<std::size_t>(c)].id);
      const Cell cell = picture.cells->at(p, c);
      ASSERT_EQ(cell.state == CellState::Value, score != scores.end());
      if (score != scores.end()) {
        EXPECT_EQ(cell.value, score->second);
      }
    }
  }
}

TEST(DeclarationMap, CountsOfIdsAreSumsOfCountsOfPositions) {
  Stage stage;
  for (const DeclarationOrder order : {DeclarationOrder::Frequency, DeclarationOrder::Likeness}) {
    DeclarationSettings settings = with(DeclarationValue::Count);
    settings.order = order;
    const DeclarationPicture positions = stage.picture(settings);
    settings.rows = DeclarationRows::Ids;
    const DeclarationPicture ids = stage.picture(settings);
    ASSERT_EQ(positions.columns.size(), ids.columns.size());
    for (std::size_t c = 0; c < ids.columns.size(); ++c) {
      std::int64_t of_column = 0;
      for (std::size_t r = 0; r < ids.rows.size(); ++r) {
        std::int64_t sum = 0;
        for (std::size_t p = 0; p < positions.rows.size(); ++p) {
          if (positions.rows[p].id == ids.rows[r].id)
            sum += positions.cells->at(static_cast<int>(p), static_cast<int>(c)).state == CellState::Value;
        }
        const Cell cell = ids.cells->at(static_cast<int>(r), static_cast<int>(c));
        EXPECT_EQ(cell.state == CellState::Value ? static_cast<std::int64_t>(cell.value) : 0, sum);
        of_column += sum;
      }
      EXPECT_EQ(of_column, ids.columns[c].declared);
    }
  }
}

TEST(DeclarationMap, HitRatesAreSharesOfDeclarationsThatCameTrue) {
  Stage stage;
  DeclarationSettings settings = with(DeclarationValue::HitRate, DeclarationRows::Ids);
  settings.window = 5;
  const DeclarationPicture picture = stage.picture(settings);
  const auto& text = stage.source.ids();
  for (std::size_t r = 0; r < picture.rows.size(); ++r) {
    for (std::size_t c = 0; c < picture.columns.size(); ++c) {
      double declared = 0, came_true = 0;
      for (std::int64_t p = 0; p < std::ssize(text); ++p) {
        if (text[static_cast<std::size_t>(p)] != picture.rows[r].id ||
            !stage.source.declares(90, picture.layer, p, picture.columns[c].id))
          continue;
        ++declared;
        bool is_true = false;
        for (std::int64_t t = p + 1; t <= p + 5 && t < std::ssize(text); ++t)
          is_true |= text[static_cast<std::size_t>(t)] == picture.columns[c].id;
        came_true += is_true;
      }
      const Cell cell = picture.cells->at(static_cast<int>(r), static_cast<int>(c));
      ASSERT_EQ(cell.state == CellState::Value, declared > 0);
      if (declared > 0) {
        EXPECT_FLOAT_EQ(cell.value, static_cast<float>(came_true / declared));
      }
    }
  }
}

TEST(DeclarationMap, FirstStepsAreTheFirstProbesOfTheWholeRunWhereverTheCursorIs) {
  Stage stage;
  stage.timeline.cursor().seek(30);
  const DeclarationPicture picture = stage.picture(with(DeclarationValue::FirstStep));
  EXPECT_EQ(picture.step, 30u);
  EXPECT_TRUE(picture.history.is_done());
  for (std::size_t c = 0; c < picture.columns.size(); ++c) {
    for (std::int64_t p = 0; p < std::ssize(picture.rows); ++p) {
      std::optional<std::uint64_t> first;
      for (std::uint64_t step = 0; step < 100 && !first; step += 10) {
        if (stage.source.declares(step, picture.layer, p, picture.columns[c].id)) first = step;
      }
      const Cell cell = picture.cells->at(static_cast<int>(p), static_cast<int>(c));
      ASSERT_EQ(cell.state == CellState::Value, first.has_value());
      if (first) {
        EXPECT_EQ(cell.value, static_cast<float>(*first));
      }
    }
  }
}

TEST(DeclarationMap, TheDifferenceToAnotherStepIsExactAndItsLimitsAreSymmetric) {
  Stage stage;
  for (const DeclarationRows rows : {DeclarationRows::Positions, DeclarationRows::Ids}) {
    DeclarationSettings settings = with(DeclarationValue::Count, rows);
    const DeclarationPicture now = stage.picture(settings);
    settings.against = DeclarationAgainst::Step;
    settings.against_step = 14;
    const DeclarationPicture difference = stage.picture(settings);
    ASSERT_EQ(difference.other_step, 10u);
    EXPECT_EQ(difference.scale.low, -difference.scale.high);
    stage.timeline.cursor().seek(10);
    settings.against = DeclarationAgainst::Nothing;
    const DeclarationPicture then = stage.picture(settings);
    stage.timeline.cursor().follow();
    const auto count = [](const Cell& cell) { return cell.state == CellState::Value ? cell.value : 0; };
    float gained = 0;
    for (int r = 0; r < now.cells->rows(); ++r) {
      for (int c = 0; c < now.cells->columns(); ++c) {
        const float expected = count(now.cells->at(r, c)) - count(then.cells->at(r, c));
        EXPECT_EQ(count(difference.cells->at(r, c)), expected);
        EXPECT_EQ(difference.cells->at(r, c).state == CellState::Absent, expected == 0);
        gained += expected;
      }
    }
    EXPECT_EQ(static_cast<std::int64_t>(gained), now.counts.total.declared - then.counts.total.declared);
    EXPECT_NE(difference.detail.find("difference to step 10"), std::string::npos);
    EXPECT_NE(difference.detail.find(fmt::format(", step {},", difference.step)), std::string::npos);
  }
}

TEST(DeclarationMap, OnlyWhatChangedKeepsGainedAndLostDeclarations) {
  Stage stage;
  for (const DeclarationValue value :
       {DeclarationValue::Margin, DeclarationValue::Count, DeclarationValue::HitRate}) {
    DeclarationSettings settings = with(value);
    settings.against = DeclarationAgainst::Step;
    settings.change = DeclarationChange::OnlyChanged;
    settings.against_step = 20;
    const DeclarationPicture picture = stage.picture(settings);
    std::size_t changed = 0;
    for (int p = 0; p < picture.cells->rows(); ++p) {
      for (int c = 0; c < picture.cells->columns(); ++c) {
        const std::int64_t id = picture.columns[static_cast<std::size_t>(c)].id;
        const bool here = stage.source.declares(90, picture.layer, p, id),
                   there = stage.source.declares(20, picture.layer, p, id);
        const Cell cell = picture.cells->at(p, c);
        ASSERT_EQ(cell.state == CellState::Value, here != there);
        if (here != there) {
          EXPECT_EQ(static_cast<double>(cell.value) < picture.scale.low, there)
              << "lost declarations lie below the scale";
        }
        changed += here != there;
      }
    }
    EXPECT_GT(changed, 0u);
  }
}

TEST(DeclarationMap, ComparesWithAPinnedRunOfTheSameWordsAndSaysWhyNotOtherwise) {
  Stage stage;
  const auto add = [&](SparkOptions options) -> viz::Run& {
    SparkRun other(options);
    viz::Run& run = stage.timeline.add_run({test::mailbox_with(other.schema, other.frames(100))});
    stage.timeline.drain_all();
    return run;
  };
  SparkOptions other_words, other_text;
  other_words.vocabulary = 41;
  other_text.seed = 2;
  DeclarationSettings settings = with(DeclarationValue::Count);
  settings.against = DeclarationAgainst::Baseline;
  EXPECT_NE(stage.picture(settings).no_baseline.find("Pick a second run"), std::string::npos);
  stage.comparison.baseline = add(SparkOptions{}).id();
  const DeclarationPicture equal = stage.picture(settings);
  EXPECT_EQ(equal.no_baseline, "");
  EXPECT_EQ(equal.other_step, 90u);
  EXPECT_EQ(equal.cells->value_count(), 0) << "the same run again: nothing differs";
  stage.comparison.baseline = add(other_words).id();
  const DeclarationPicture words = stage.picture(settings);
  EXPECT_NE(words.no_baseline.find("another vocabulary"), std::string::npos);
  EXPECT_FALSE(words.other_step.has_value());
  EXPECT_EQ(words.behind, words.no_baseline);
  stage.comparison.baseline = add(other_text).id();
  EXPECT_NE(stage.picture(settings).no_baseline.find("another text"), std::string::npos);
}

TEST(DeclarationMap, ATypedTokenTellsWhoDeclaresItSinceWhenAndHowOftenItCameTrue) {
  Stage stage;
  const std::int64_t id = stage.source.ids()[10];
  DeclarationSettings settings;
  settings.search = stage.source.piece(id);
  settings.window = 6;
  const DeclarationPicture picture = stage.picture(settings);
  ASSERT_FALSE(picture.found.empty());
  const DeclaredToken& token = picture.found.front();
  EXPECT_EQ(token.id, id);
  EXPECT_EQ(token.column, column_of_id(picture, id));
  std::vector<std::int64_t> declarers;
  std::int64_t came_true = 0;
  std::optional<std::uint64_t> first;
  const auto& text = stage.source.ids();
  for (std::int64_t p = 0; p < std::ssize(text); ++p) {
    for (std::uint64_t step = 0; step < 100; step += 10) {
      if (stage.source.declares(step, picture.layer, p, id) && (!first || step < *first)) first = step;
    }
    if (!stage.source.declares(90, picture.layer, p, id)) continue;
    declarers.push_back(p);
    bool is_true = false;
    for (std::int64_t t = p + 1; t <= p + 6 && t < std::ssize(text); ++t)
      is_true |= text[static_cast<std::size_t>(t)] == id;
    came_true += is_true;
  }
  EXPECT_EQ(token.declarers, declarers);
  EXPECT_EQ(token.came_true, came_true);
  EXPECT_EQ(token.first_step, first);
  EXPECT_NE(token.sentence.find(fmt::format("since step {}", first.value())), std::string::npos);
  settings.search = "no such piece";
  EXPECT_NE(stage.picture(settings).search_words.find("no such piece"), std::string::npos);
}

TEST(DeclarationMap, ALockedIdIsDescribedWithoutTyping) {
  Stage stage;
  stage.locked.vocabulary_id = stage.source.ids()[0];
  const DeclarationPicture picture = stage.picture();
  ASSERT_EQ(picture.found.size(), 1u);
  EXPECT_EQ(picture.found[0].id, stage.source.ids()[0]);
}

TEST(DeclarationMap, WithoutAVocabularyIdsAreNumbersAndTheTitleSaysSo) {
  SparkOptions options;
  options.words = SparkWords::Missing;
  Stage stage(options);
  DeclarationSettings settings;
  settings.search = fmt::format("#{}", stage.source.ids()[3]);
  const DeclarationPicture picture = stage.picture(settings);
  EXPECT_NE(picture.title.find("ids as numbers"), std::string::npos);
  EXPECT_EQ(picture.rows[3].word, settings.search);
  ASSERT_EQ(picture.found.size(), 1u);
  EXPECT_EQ(picture.found[0].id, stage.source.ids()[3]);
  settings.search = "the";
  EXPECT_NE(stage.picture(settings).search_words.find("no vocabulary"), std::string::npos);
}

TEST(DeclarationMap, SaysWhoDeclaresTheMost) {
  Stage stage;
  const DeclarationPicture picture = stage.picture(with(DeclarationValue::Count));
  std::int64_t most = 0, at = -1;
  for (std::int64_t p = 0; p < stage.source.options().positions; ++p) {
    std::int64_t declared = 0;
    for (std::int64_t id : stage.source.distinct_ids())
      declared += stage.source.declares(90, picture.layer, p, id);
    if (declared > most) {
      most = declared;
      at = p;
    }
  }
  EXPECT_NE(picture.takeaway.find(fmt::format("position {} declares the most: {}", at, most)),
            std::string::npos)
      << picture.takeaway;
}

TEST(DeclarationMap, AScoreThatIsNoNumberIsInvalidAndNeverColoured) {
  SparkRun source;
  auto frames = source.frames(11);
  auto broken = std::make_shared<trace::Frame>(*frames[10]);
  const trace::Channel& channel = *source.schema->find("declared_top");
  for (trace::ChannelData& part : broken->data) {
    if (part.channel != channel.id) continue;
    const float nan = std::nanf("");
    // Layer 1, position 2, rank 0, the score; its id becomes one of the sequence.
    const std::size_t at = (((1 * 24 + 2) * 8 + 0) * 2) * sizeof(float);
    const auto id = static_cast<float>(source.ids()[0]);
    std::memcpy(part.bytes.data() + at, &id, sizeof(id));
    std::memcpy(part.bytes.data() + at + sizeof(float), &nan, sizeof(nan));
  }
  frames[10] = broken;
  Timeline timeline;
  viz::Run& run = timeline.add_run({test::mailbox_with(source.schema, frames)});
  timeline.drain_all();
  const DeclarationPicture picture = declaration_picture({timeline, run}, {});
  EXPECT_EQ(picture.cells->invalid_count(), 1);
  EXPECT_EQ(picture.cells->at(2, static_cast<int>(column_of_id(picture, source.ids()[0]))).state,
            CellState::Invalid);
}

TEST(DeclarationMap, TheTableHoldsEveryMarkThatIsDrawn) {
  Stage stage;
  for (const DeclarationValue value : {DeclarationValue::Margin, DeclarationValue::Count,
                                       DeclarationValue::HitRate, DeclarationValue::FirstStep}) {
    const DeclarationPicture picture = stage.picture(with(value));
    const Table made = table(picture);
    std::size_t cells = 0, strips = 0;
    for (const std::vector<std::string>& line : made.rows) {
      ASSERT_EQ(line.size(), made.header.size());
      if (line[5] != picture.value_name) {
        ++strips;
        continue;
      }
      ++cells;
      std::int64_t position = -1, id = -1;
      std::from_chars(line[0].data(), line[0].data() + line[0].size(), position);
      std::from_chars(line[3].data(), line[3].data() + line[3].size(), id);
      const Cell cell =
          picture.cells->at(static_cast<int>(position), static_cast<int>(column_of_id(picture, id)));
      if (value == DeclarationValue::Margin && cell.value == 0) continue;
      EXPECT_NEAR(std::stod(line[6]), static_cast<double>(cell.value), 1e-6);
    }
    EXPECT_EQ(cells, static_cast<std::size_t>(picture.cells->value_count()));
    EXPECT_EQ(strips, 3 * picture.rows.size() + picture.columns.size());
  }
}

TEST(DeclarationMap, AZoomedTableTellsWhatIsVisibleAndSaysSo) {
  Stage stage;
  const DeclarationPicture picture = declaration_query(
      {stage.timeline, *stage.run}, with(DeclarationValue::Count), stage.memory, {4, 2, 5, 6});
  const Twin twin = twin_of(picture);
  for (const std::vector<std::string>& line : twin.table.rows) {
    if (line[0] == kAbsent) continue;
    EXPECT_GE(std::stoi(line[0]), 4);
    EXPECT_LT(std::stoi(line[0]), 9);
  }
  bool is_said = false;
  for (const std::string& line : twin.lines) is_said |= line.starts_with("Zoomed to 5 of 24 rows and 6 of");
  EXPECT_TRUE(is_said);
}

TEST(DeclarationMap, FactsOfACellSayWhatTheRunSays) {
  Stage stage;
  const DeclarationPicture picture = stage.picture(with(DeclarationValue::FirstStep));
  const auto& text = stage.source.ids();
  for (int p = 0; p < picture.cells->rows(); p += 5) {
    for (int c = 0; c < picture.cells->columns(); c += 3) {
      const std::int64_t id = picture.columns[static_cast<std::size_t>(c)].id;
      const CellFacts facts = cell_facts(picture, stage.memory.history, {p, c});
      EXPECT_EQ(facts.declared, stage.source.declares(90, picture.layer, p, id) ? 1 : 0);
      std::optional<std::int64_t> next;
      for (std::int64_t t = p + 1; t < std::ssize(text) && !next; ++t) {
        if (text[static_cast<std::size_t>(t)] == id) next = t;
      }
      EXPECT_EQ(facts.next, next);
      const auto scores = best(stage.source, 90, picture.layer, p);
      ASSERT_EQ(facts.margin.has_value(), scores.contains(id));
      if (facts.margin) {
        EXPECT_DOUBLE_EQ(*facts.margin, static_cast<double>(scores.at(id)) - picture.theta);
      }
    }
  }
}

TEST(DeclarationMap, TheSameProbeIsNotBuiltTwice) {
  Stage stage;
  const CellsPtr first = stage.picture().cells;
  EXPECT_EQ(stage.picture().cells, first);
  stage.locked.vocabulary_id = 3;
  EXPECT_EQ(stage.picture().cells, first) << "locks change no cell";
  DeclarationSettings settings;
  settings.order = DeclarationOrder::Appearance;
  EXPECT_NE(stage.picture(settings).cells, first);
}

TEST(DeclarationMap, IsDescribedOnTheCommandLine) {
  Stage stage;
  const Description description = describe("declarations", {stage.timeline, *stage.run});
  EXPECT_EQ(description.state, PictureState::Ready);
  EXPECT_EQ(description.twin.table.rows.size(), table(stage.picture()).rows.size());
}

}  // namespace
}  // namespace sparsescope::viz

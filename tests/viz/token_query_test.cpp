// What the inspector says of a token, held to the formulas behind a small run.
#include "viz/model/token_query.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "tests/viz/spark_run.h"
#include "tests/viz/viz_support.h"
#include "viz/model/token_lock.h"

namespace sparsescope::viz {
namespace {

using test::SparkOptions;
using test::SparkRun;

struct Inspector {
  explicit Inspector(SparkOptions options = {}) : source(options) {}
  // Feeds steps `first` to `last`.
  void feed(std::uint64_t first, std::uint64_t last, const std::vector<std::string>& events_at_first = {}) {
    std::vector<trace::FramePtr> frames;
    for (std::uint64_t step = first; step <= last; ++step)
      frames.push_back(step == first ? source.frame(step, events_at_first) : source.frame(step));
    timeline.add_run({test::mailbox_with(source.schema, frames)});
    timeline.drain_all();
  }
  TokenPicture ask(std::uint64_t step, std::optional<std::int64_t> token,
                   std::optional<std::int64_t> second = {}, TokenSettings settings = {}) {
    timeline.cursor().seek(step);
    QueryFrame frame{timeline, *timeline.runs().front()};
    frame.locked.token = token;
    frame.locked.second_token = second;
    frame.locked.layer = layer;
    return token_query(frame, settings);
  }
  SparkRun source;
  Timeline timeline;
  std::optional<std::int64_t> layer;
};

TokenSettings all_rows() {
  TokenSettings settings;
  settings.rows = 1000;
  return settings;
}

std::map<std::int64_t, TokenRead> by_position(const ReadList& list) {
  std::map<std::int64_t, TokenRead> reads;
  for (const TokenRead& read : list.rows) EXPECT_TRUE(reads.emplace(read.other.position, read).second);
  return reads;
}

// Reasons of every pair of `token`, as the formulas say, from either end.
std::map<std::int64_t, std::uint8_t> true_reads(const SparkRun& run, std::uint64_t step, std::int64_t layer,
                                                std::int64_t token, bool as_query) {
  const std::int64_t T = run.options().positions;
  const auto reasons = run.reasons(step, layer);
  std::map<std::int64_t, std::uint8_t> found;
  for (std::int64_t other = 0; other < T; ++other) {
    if (!as_query && other == token) continue;
    const std::int64_t at = as_query ? token * T + other : other * T + token;
    if (const std::uint8_t reason = reasons[static_cast<std::size_t>(at)]; reason != 0) found[other] = reason;
  }
  return found;
}

std::map<std::int64_t, std::uint8_t> reasons_of(const std::map<std::int64_t, TokenRead>& reads) {
  std::map<std::int64_t, std::uint8_t> reasons;
  for (const auto& [position, read] : reads) reasons[position] = read.reasons;
  return reasons;
}

TEST(TokenQuery, AtARecordedStepReadsAndReadersAreTheEdges) {
  Inspector inspector;
  inspector.feed(0, 60);
  for (std::int64_t layer : {0, 1}) {
    inspector.layer = layer;
    const auto weights = inspector.source.weights(40, layer);
    for (std::int64_t token = 0; token < inspector.source.options().positions; ++token) {
      const TokenPicture picture = inspector.ask(40, token, {}, all_rows());
      ASSERT_EQ(picture.cards.size(), 1u);
      const auto reads = by_position(picture.cards[0].reads), readers = by_position(picture.cards[0].readers);
      EXPECT_EQ(reasons_of(reads), true_reads(inspector.source, 40, layer, token, true)) << "token " << token;
      EXPECT_EQ(reasons_of(readers), true_reads(inspector.source, 40, layer, token, false))
          << "token " << token;
      double sum = 0;
      for (const auto& [position, read] : reads) {
        EXPECT_EQ(read.weight,
                  weights[static_cast<std::size_t>(token * inspector.source.options().positions + position)]);
        EXPECT_EQ(read.via.has_value(), (read.reasons & kReadInherited) != 0);
        sum += read.weight;
      }
      EXPECT_NEAR(sum, 1, 1e-5);
      EXPECT_TRUE(picture.cards[0].reads.has_weights);
      EXPECT_EQ(picture.cards[0].reads.step, 40u);
    }
  }
}

TEST(TokenQuery, BetweenRecordedStepsScopesAreRebuiltFromDeclarationsAndSaySo) {
  for (bool inheritance : {false, true}) {
    SparkOptions options;
    options.inheritance = inheritance;
    Inspector inspector(options);
    inspector.feed(0, 60);
    inspector.layer = 1;
    for (std::int64_t token = 0; token < options.positions; ++token) {
      const TokenPicture picture = inspector.ask(35, token, {}, all_rows());
      const TokenCard& card = picture.cards.at(0);
      EXPECT_EQ(reasons_of(by_position(card.reads)), true_reads(inspector.source, 30, 1, token, true))
          << token;
      EXPECT_EQ(reasons_of(by_position(card.readers)), true_reads(inspector.source, 30, 1, token, false))
          << token;
      EXPECT_FALSE(card.reads.has_weights);
      EXPECT_EQ(card.reads.step, 30u);
      EXPECT_EQ(card.reads.go_to, 20u) << "where weights are";
      EXPECT_NE(card.reads.words.find("rebuilt from declarations"), std::string::npos);
      for (const TokenRead& read : card.reads.rows) EXPECT_TRUE(std::isnan(read.weight));
    }
  }
}

TEST(TokenQuery, WhatIsNotListedIsCountedWithItsWeight) {
  Inspector inspector;
  inspector.feed(0, 200);
  TokenSettings settings;
  settings.rows = 4;
  const TokenPicture picture = inspector.ask(200, 23, {}, settings);
  const ReadList& reads = picture.cards.at(0).reads;
  ASSERT_EQ(reads.rows.size(), 4u);
  EXPECT_GT(reads.total, 4u);
  double shown = 0;
  for (std::size_t i = 0; i < reads.rows.size(); ++i) {
    shown += reads.rows[i].weight;
    if (i > 0) {
      EXPECT_LE(reads.rows[i].weight, reads.rows[i - 1].weight) << "heaviest first";
    }
  }
  EXPECT_NEAR(shown + reads.hidden_weight, 1, 1e-5);
  EXPECT_NEAR(std::accumulate(std::begin(reads.weight_of), std::end(reads.weight_of), 0.0), 1, 1e-5);
  EXPECT_NE(text_of(twin_of(picture)).find("4 of " + std::to_string(reads.total) + " shown"),
            std::string::npos);
}

TEST(TokenQuery, MarginsAreTheScoreAboveTheThresholdOfTheSameStep) {
  Inspector inspector;
  inspector.feed(0, 60);
  inspector.layer = 0;
  for (std::int64_t token : {0, 5, 23}) {
    const TokenPicture picture = inspector.ask(60, token);
    const DeclaredList& list = picture.cards.at(0).declares;
    ASSERT_EQ(list.rows.size(), 8u);
    for (const DeclaredId& declared : list.rows) {
      const float score = inspector.source.score(60, 0, token, declared.name.id);
      EXPECT_EQ(declared.score, score);
      EXPECT_DOUBLE_EQ(declared.margin, static_cast<double>(score) - inspector.source.theta(60, 0));
      EXPECT_EQ(declared.is_declared(), inspector.source.declares(60, 0, token, declared.name.id));
      if (declared.name.position >= 0) {
        EXPECT_GT(declared.name.position, token) << "where the id comes next";
        EXPECT_EQ(inspector.source.ids()[static_cast<std::size_t>(declared.name.position)], declared.name.id);
      }
    }
    std::int64_t declared_ids = 0;
    for (std::int64_t id : inspector.source.distinct_ids())
      declared_ids += inspector.source.declares(60, 0, token, id) ? 1 : 0;
    EXPECT_EQ(list.of_sequence, declared_ids);
  }
}

TEST(TokenQuery, ATokenSaysHowOftenAndWhereItOccurs) {
  Inspector inspector;
  inspector.feed(0, 20);
  const TokenPicture picture = inspector.ask(20, 7);
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < inspector.source.options().positions; ++i) {
    if (inspector.source.ids()[static_cast<std::size_t>(i)] == inspector.source.ids()[7]) places.push_back(i);
  }
  EXPECT_EQ(picture.cards.at(0).places, places);
  EXPECT_EQ(picture.strip.size(), inspector.source.ids().size());
}

TEST(TokenQuery, TwoLockedTokensStandSideBySideAndALockPastTheEndStays) {
  Inspector inspector;
  inspector.feed(0, 20);
  const TokenPicture picture = inspector.ask(20, 3, 400);
  ASSERT_EQ(picture.cards.size(), 2u);
  EXPECT_TRUE(picture.cards[0].missing.empty());
  EXPECT_EQ(picture.cards[1].missing,
            "Position 400 is past the end of the sequence, which has 24 tokens; the lock stays");
  EXPECT_NE(text_of(twin_of(picture)).find("past the end"), std::string::npos);
}

TEST(TokenQuery, EachFieldSaysForItselfThatItIsNotRecorded) {
  Inspector inspector;
  inspector.feed(5, 40);  // the first probe is at step 10, the first edges are at 20
  TokenPicture picture = inspector.ask(7, 3);
  const TokenCard& early = picture.cards.at(0);
  EXPECT_EQ(early.surprisal.words, "not recorded by this run");
  EXPECT_EQ(early.guesses.words, "not recorded by this run");
  EXPECT_EQ(early.reads.state, FieldState::Missing);
  EXPECT_EQ(early.reads.words, "not recorded at this step");
  EXPECT_EQ(early.reads.go_to, 10u);
  EXPECT_EQ(early.declares.words, "not recorded at this step");
  EXPECT_EQ(early.declares.go_to, 10u);
  picture = inspector.ask(12, 3);
  EXPECT_TRUE(picture.cards.at(0).declares.is_ready());
  EXPECT_TRUE(picture.cards.at(0).reads.is_ready());
}

TEST(TokenQuery, FieldsAppearOneByOneAndAFailureStaysInItsField) {
  Inspector inspector;
  auto rows = std::make_shared<test::ManualSource>();
  std::vector<trace::FramePtr> whole, bare;
  const std::uint32_t edges = inspector.source.schema->find("edges")->id;
  for (std::uint64_t step = 0; step <= 20; ++step) {
    auto frame = inspector.source.frame(step);
    whole.push_back(frame);
    auto without = std::make_shared<trace::Frame>(*frame);
    std::erase_if(without->data, [&](const trace::ChannelData& part) { return part.channel == edges; });
    bare.push_back(without);
  }
  Feed feed;
  feed.mailbox = test::mailbox_with(inspector.source.schema, bare);
  feed.rows = rows;
  inspector.timeline.add_run(std::move(feed));
  inspector.timeline.drain_all();
  TokenPicture picture = inspector.ask(20, 9);
  EXPECT_EQ(picture.cards.at(0).reads.state, FieldState::Loading);
  EXPECT_EQ(picture.cards.at(0).reads.words, "reading step 20");
  EXPECT_TRUE(picture.cards.at(0).declares.is_ready()) << "what is at hand is shown";
  ASSERT_EQ(rows->asked.size(), 1u);
  rows->fail(rows->asked.back().tag, "the disk is gone");
  inspector.timeline.drain_all();
  picture = inspector.ask(20, 9);
  EXPECT_EQ(picture.cards.at(0).reads.state, FieldState::Failed);
  EXPECT_EQ(picture.cards.at(0).reads.words, "the disk is gone");
  EXPECT_TRUE(picture.cards.at(0).declares.is_ready());
  inspector.timeline.runs().front()->cache().retry();
  inspector.ask(20, 9);
  rows->answer(rows->asked.back().tag, whole[20]);
  inspector.timeline.drain_all();
  picture = inspector.ask(20, 9);
  EXPECT_TRUE(picture.cards.at(0).reads.has_weights);
}

TEST(TokenQuery, AnInjectedNeedleIsOutlinedAndItsTokensAreTheOnesShown) {
  Inspector inspector;
  inspector.feed(0, 30);
  EXPECT_TRUE(inspector.ask(30, {}).needle.empty());
  Inspector with_needle;
  with_needle.feed(0, 30, {R"({"step":0,"kind":"needle_injected","ids":[31,32],"positions":[4,15]})"});
  const TokenPicture picture = with_needle.ask(30, 5);
  EXPECT_EQ(picture.needle, "needle injected at step 0");
  for (std::size_t i = 0; i < picture.strip.size(); ++i)
    EXPECT_EQ(picture.strip[i].is_needle, i == 4 || i == 5 || i == 15 || i == 16) << i;
  EXPECT_EQ(picture.strip[5].name.id, 32);
  EXPECT_TRUE(picture.cards.at(0).is_needle);
  for (std::int64_t copy : {5, 16})
    EXPECT_EQ(std::ranges::count(picture.cards.at(0).places, copy), 1) << copy;
}

TEST(TokenQuery, TheTextThatAnInjectionRecordedIsTheOneShown) {
  Inspector inspector;
  std::string sequence;
  for (std::int64_t i = 0; i < inspector.source.options().positions; ++i)
    sequence += fmt::format("{}{}", i > 0 ? "," : "", 39 - i % 7);
  inspector.feed(0, 10,
                 {R"({"step":0,"kind":"needle_injected","ids":[31,32],"positions":[4,23],"sequence":[)" +
                  sequence + "]}"});
  const TokenPicture picture = inspector.ask(10, {});
  for (std::size_t i = 0; i < picture.strip.size(); ++i) {
    EXPECT_EQ(picture.strip[i].name.id, 39 - static_cast<std::int64_t>(i) % 7);
    EXPECT_EQ(picture.strip[i].is_needle, i == 4 || i == 5 || i == 23) << i;
  }
}

TEST(TokenQuery, WithoutAVocabularyTokensAreNumbersAndThePictureSaysSo) {
  SparkOptions options;
  options.words = test::SparkWords::Missing;
  Inspector inspector(options);
  inspector.feed(0, 20);
  const TokenPicture picture = inspector.ask(20, 2);
  EXPECT_EQ(picture.cards.at(0).token.word, fmt::format("#{}", inspector.source.ids()[2]));
  EXPECT_EQ(picture.hidden, "Without a vocabulary tokens are shown by their ids");
}

TEST(TokenQuery, TheTwinHasOneRowForEachValueShown) {
  Inspector inspector;
  inspector.feed(0, 60);
  const TokenPicture nothing = inspector.ask(60, {});
  EXPECT_EQ(table(nothing).rows.size(), nothing.strip.size());
  const TokenPicture picture = inspector.ask(60, 20, 21);
  std::size_t values = 0;
  for (const TokenCard& card : picture.cards) {
    values += 3 + card.reads.rows.size() + card.readers.rows.size() + card.declares.rows.size();
  }
  const Table rows = table(picture);
  EXPECT_EQ(rows.rows.size(), values) << "occurrences, surprisal and guesses have a row each";
  for (const auto& row : rows.rows) EXPECT_EQ(row.size(), rows.header.size());
}

TEST(TokenQuery, ATakeawaySaysWhereAttentionGoes) {
  Inspector inspector;
  inspector.feed(0, 200);
  const std::string words = inspector.ask(200, 23).takeaway;
  EXPECT_NE(words.find("% by declaration"), std::string::npos) << words;
  EXPECT_NE(words.find("read by 0"), std::string::npos) << words;
  EXPECT_NE(inspector.ask(200, {}).takeaway.find("Esc releases"), std::string::npos);
}

TEST(TokenLock, AClickLocksAndShiftTogglesTheSecond) {
  Marks locked;
  lock_token(locked, 4, LockClick::Shift);
  EXPECT_EQ(locked.token, 4);
  lock_token(locked, 9, LockClick::Shift);
  EXPECT_EQ(locked.second_token, 9);
  lock_token(locked, 9, LockClick::Shift);
  EXPECT_EQ(locked.second_token, std::nullopt);
  lock_token(locked, 9, LockClick::Shift);
  lock_token(locked, 4, LockClick::Shift);
  EXPECT_EQ(locked.token, 9) << "the other one stays";
  EXPECT_EQ(locked.second_token, std::nullopt);
  lock_token(locked, 1, LockClick::Shift);
  lock_token(locked, 2, LockClick::Plain);
  EXPECT_EQ(locked.token, 2);
  EXPECT_EQ(locked.second_token, std::nullopt);
}

}  // namespace
}  // namespace sparsescope::viz

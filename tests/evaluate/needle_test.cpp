// Needle trials and their signal: construction, the oracles whose signal is known, errors and cancelling.
#include "engine/evaluate/needle.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/data/random.h"
#include "engine/model/language_model.h"
#include "engine/trace/error.h"

namespace sparsescope::evaluate {
namespace {

constexpr std::int64_t kVocabulary = 50;

std::vector<std::int32_t> random_stream(std::size_t tokens, std::uint64_t seed = 3) {
  data::Random random(seed);
  std::vector<std::int32_t> stream(tokens);
  for (std::int32_t& id : stream) id = static_cast<std::int32_t>(random.below(1 + random.below(kVocabulary)));
  return stream;
}

NeedleSettings settings_of(std::int64_t trials = 4) {
  NeedleSettings settings;
  settings.trials = trials;
  return settings;
}

bool occurs(const std::vector<std::int32_t>& text, std::int64_t end, const std::vector<std::int32_t>& needle,
            std::int64_t cue) {
  return std::search(text.begin(), text.begin() + end, needle.begin(), needle.begin() + cue) !=
         text.begin() + end;
}

TEST(NeedleTrials, AreBuiltAsDefined) {
  const std::vector<std::int32_t> stream = random_stream(5000);
  const NeedleSettings settings = settings_of();
  const std::int64_t n = settings.length, c = settings.cue;
  for (std::int64_t context : {32, 33, 128, 512}) {
    for (std::int64_t d = 0; d < 5; ++d) {
      for (std::int64_t k = 0; k < 4; ++k) {
        const NeedleTrial trial = make_needle_trial(stream, context, d, k, settings);
        ASSERT_EQ(static_cast<std::int64_t>(trial.base.size()), context);
        ASSERT_EQ(static_cast<std::int64_t>(trial.with.size()), context);
        // depth is d * 0.2 + 0.1: the position is a whole-number floor, free of binary rounding.
        EXPECT_EQ(trial.position, (2 * d + 1) * (context - 3 * n) / 10);
        EXPECT_LE(trial.position + n, context - 2 * n);
        EXPECT_TRUE(std::equal(trial.needle.begin(), trial.needle.end(), trial.base.end() - n));
        EXPECT_TRUE(std::equal(trial.needle.begin(), trial.needle.end(), trial.with.end() - n));
        EXPECT_TRUE(
            std::equal(trial.needle.begin(), trial.needle.end(), trial.with.begin() + trial.position));
        for (std::int64_t i = 0; i < context; ++i) {
          const bool overwritten = i >= trial.position && i < trial.position + n;
          if (!overwritten) {
            EXPECT_EQ(trial.base[static_cast<std::size_t>(i)], trial.with[static_cast<std::size_t>(i)]);
          }
        }
        EXPECT_FALSE(occurs(trial.base, context - n, trial.needle, c));
        // The body of the base is a stretch of the stream.
        EXPECT_NE(std::search(stream.begin(), stream.end(), trial.base.begin(), trial.base.end() - n),
                  stream.end());
      }
    }
  }
}

TEST(NeedleTrials, ATrialIsAFunctionOfItsNumberAlone) {
  const std::vector<std::int32_t> stream = random_stream(3000);
  const NeedleTrial alone = make_needle_trial(stream, 64, 2, 3, settings_of(64)),
                    again = make_needle_trial(stream, 64, 2, 3, settings_of(4));
  EXPECT_EQ(alone.base, again.base);
  EXPECT_EQ(alone.needle, again.needle);
  std::set<std::vector<std::int32_t>> different;
  for (std::int64_t d = 0; d < 5; ++d) {
    for (std::int64_t k = 0; k < 8; ++k)
      different.insert(make_needle_trial(stream, 64, d, k, settings_of(8)).base);
  }
  EXPECT_EQ(different.size(), 40u);
}

TEST(NeedleTrials, RejectionRedrawsNeedlesWhoseCueIsAlreadyThere) {
  const std::vector<std::int32_t> stream = random_stream(3000);
  NeedleSettings settings = settings_of(64);
  settings.cue = 1;  // common tokens: almost every first draw is already there
  settings.depths = {0.5};
  std::int64_t redrawn = 0, would_occur = 0;
  for (std::int64_t k = 0; k < 64; ++k) {
    settings.rejection = NeedleSettings::Rejection::On;
    const NeedleTrial kept = make_needle_trial(stream, 64, 0, k, settings);
    redrawn += kept.redraws;
    EXPECT_FALSE(occurs(kept.base, 64 - 8, kept.needle, 1));
    settings.rejection = NeedleSettings::Rejection::Off;
    const NeedleTrial first = make_needle_trial(stream, 64, 0, k, settings);
    EXPECT_EQ(first.redraws, 0);
    would_occur += occurs(first.base, 64 - 8, first.needle, 1) ? 1 : 0;
    if (kept.redraws == 0) {
      EXPECT_EQ(kept.needle, first.needle);
    }
  }
  EXPECT_GT(would_occur, 30);
  EXPECT_GT(redrawn, 30);
}

TEST(NeedleTrials, ATextWithoutNewCuesIsSaidInWords) {
  const std::vector<std::int32_t> stream(1000, 7);
  EXPECT_THROW(make_needle_trial(stream, 64, 0, 0, settings_of()), Error);
}

TEST(NeedleTrials, ContextsThatDoNotFitAreKnownBeforehand) {
  EXPECT_TRUE(needle_fits(32, 100, settings_of()));
  EXPECT_FALSE(needle_fits(31, 100, settings_of()));
  EXPECT_FALSE(needle_fits(128, 100, settings_of()));
}

// Unigram model: the same logits everywhere.
TEST(NeedleSignal, OfAModelThatIgnoresItsContextIsZero) {
  const std::vector<std::int32_t> stream = random_stream(3000);
  const LogitsSource unigram{[](const at::Tensor& ids) {
    const at::Tensor weights = at::full({kVocabulary}, 0.0).to(at::kFloat);
    for (std::int64_t v = 0; v < kVocabulary; ++v) weights[v].fill_(-std::log(1.0 + static_cast<double>(v)));
    return weights.expand({ids.size(0), ids.size(1), kVocabulary}).contiguous();
  }};
  for (const NeedleCell& cell : run_needle(unigram, stream, 64, settings_of(), 1 << 20)) {
    EXPECT_NEAR(cell.signal_nats, 0, 1e-6);
    EXPECT_NEAR(cell.standard_error, 0, 1e-6);
    EXPECT_GT(cell.nll_without_nats, 1);
    EXPECT_EQ(cell.trials, 4);
  }
}

// A copier: certain of the token that followed the last earlier occurrence of the last cue-long stretch, else
// uniform.
at::Tensor copier_logits(const at::Tensor& ids, std::int64_t cue) {
  at::Tensor logits = at::zeros({ids.size(0), ids.size(1), kVocabulary});
  for (std::int64_t b = 0; b < ids.size(0); ++b) {
    std::vector<std::int64_t> row(ids[b].data_ptr<std::int64_t>(),
                                  ids[b].data_ptr<std::int64_t>() + ids.size(1));
    for (std::int64_t t = cue - 1; t < ids.size(1); ++t) {
      for (std::int64_t end = t - 1; end >= cue - 1; --end) {
        if (!std::equal(row.begin() + t - cue + 1, row.begin() + t + 1, row.begin() + end - cue + 1))
          continue;
        logits[b][t][row[static_cast<std::size_t>(end + 1)]].fill_(100);
        break;
      }
    }
  }
  return logits;
}

TEST(NeedleSignal, OfAPerfectCopierIsTheWholeLossWithoutTheNeedle) {
  const std::vector<std::int32_t> stream = random_stream(3000);
  const NeedleSettings settings = settings_of(3);
  const LogitsSource copier{
      [&](const at::Tensor& ids) { return copier_logits(ids.contiguous(), settings.cue); }};
  for (const NeedleCell& cell : run_needle(copier, stream, 48, settings, 1 << 20)) {
    // Without the needle no stretch of four repeats the cue: uniform.
    EXPECT_NEAR(cell.nll_without_nats, std::log(static_cast<double>(kVocabulary)), 1e-5);
    EXPECT_NEAR(cell.signal_nats, cell.nll_without_nats, 1e-5);
    EXPECT_EQ(cell.token_accuracy, 1);
    EXPECT_EQ(cell.exact_accuracy, 1);
  }
}

TEST(NeedleSignal, WithTheNeedleInBothTextsIsExactlyZero) {
  // A stream of one period: the base at the needle's place already is the needle when the stream is constant.
  const std::vector<std::int32_t> stream(500, 9);
  NeedleSettings settings = settings_of(2);
  settings.rejection = NeedleSettings::Rejection::Off;
  const LogitsSource copier{
      [&](const at::Tensor& ids) { return copier_logits(ids.contiguous(), settings.cue); }};
  for (const NeedleCell& cell : run_needle(copier, stream, 48, settings, 1 << 20)) {
    EXPECT_EQ(cell.signal_nats, 0);
    EXPECT_EQ(cell.standard_error, 0);
  }
}

TEST(NeedleSignal, CountsTheAnswerAndNotTheCue) {
  // Knows the token at row C-n+j-1 for the answer j = c .. n-1 only; scoring the cue would lower its
  // accuracy.
  const std::vector<std::int32_t> stream = random_stream(2000);
  const NeedleSettings settings = settings_of(2);
  const std::int64_t C = 48, n = settings.length, c = settings.cue;
  const LogitsSource knows_answers{[&](const at::Tensor& ids) {
    at::Tensor logits = at::zeros({ids.size(0), C, kVocabulary});
    for (std::int64_t b = 0; b < ids.size(0); ++b) {
      for (std::int64_t j = c; j < n; ++j)
        logits[b][C - n + j - 1][ids[b][C - n + j].item<std::int64_t>()].fill_(50);
    }
    return logits;
  }};
  for (const NeedleCell& cell : run_needle(knows_answers, stream, C, settings, 1 << 20)) {
    EXPECT_NEAR(cell.nll_without_nats, 0, 1e-9);
    EXPECT_EQ(cell.token_accuracy, 1);
  }
}

TEST(NeedleSignal, OfAWindowThatCannotReachTheNeedleIsExactlyZero) {
  experiments::ModelConfig config;
  config.layers = 1;
  config.width = 16;
  config.heads = 2;
  config.mixer = experiments::MixerKind::Window;
  config.window = 8;
  const model::LanguageModel model(config, kVocabulary, at::kCPU, at::kFloat, 11);
  const LogitsSource source{[&](const at::Tensor& ids) { return model.forward(ids).logits; }};
  const std::vector<std::int32_t> stream = random_stream(2000);
  const NeedleSettings settings = settings_of(5);
  for (std::int64_t pairs : {std::int64_t{1}, std::int64_t{1} << 15}) {  // one row a call, and several
    const std::vector<NeedleCell> cells = run_needle(source, stream, 64, settings, pairs);
    for (std::size_t d = 0; d < cells.size(); ++d) {
      const std::int64_t p = static_cast<std::int64_t>(2 * d + 1) * (64 - 24) / 10;
      if (p + settings.length <= 64 - settings.length + settings.cue - config.window) {
        EXPECT_EQ(cells[d].signal_nats, 0) << d;
        EXPECT_EQ(cells[d].standard_error, 0) << d;
      }
    }
  }
  // A reach of the whole text sees it.
  config.mixer = experiments::MixerKind::Dense;
  const model::LanguageModel dense(config, kVocabulary, at::kCPU, at::kFloat, 11);
  const LogitsSource sees{[&](const at::Tensor& ids) { return dense.forward(ids).logits; }};
  EXPECT_NE(run_needle(sees, stream, 64, settings, 1 << 15)[0].signal_nats, 0);
}

TEST(NeedleSignal, StandardErrorsAreThoseOfPairedDifferences) {
  const std::vector<std::int32_t> stream = random_stream(3000);
  const NeedleSettings settings = settings_of(6);
  // A model whose loss depends on the text: token t is predicted as the parity of the id at the needle's
  // first place.
  const LogitsSource model{[](const at::Tensor& ids) {
    const at::Tensor first = ids.to(at::kFloat).mean(1).reshape({-1, 1, 1});
    at::Tensor logits = at::zeros({ids.size(0), ids.size(1), kVocabulary});
    logits.slice(2, 0, 5).add_(first);
    return logits;
  }};
  const std::vector<NeedleCell> cells = run_needle(model, stream, 40, settings, 1 << 20);
  std::vector<double> differences;
  for (std::int64_t k = 0; k < settings.trials; ++k) {
    NeedleSettings one = settings;
    one.trials = settings.trials;
    const NeedleTrial trial = make_needle_trial(stream, 40, 2, k, one);
    double nll[2];
    for (int i = 0; i < 2; ++i) {
      const at::Tensor ids = ids_tensor(i == 0 ? trial.base : trial.with, 1, 40, at::kCPU);
      const at::Tensor rows = model.logits(ids)[0].slice(0, 40 - 8 + 4 - 1, 39);
      nll[i] = token_nll(rows, ids[0].slice(0, 36, 40)).mean().item<double>();
    }
    differences.push_back(nll[0] - nll[1]);
  }
  double mean = 0, squares = 0;
  for (double d : differences) mean += d / 6;
  for (double d : differences) squares += (d - mean) * (d - mean);
  EXPECT_NEAR(cells[2].signal_nats, mean, 1e-6);
  EXPECT_NEAR(cells[2].standard_error, std::sqrt(squares / 5 / 6), 1e-6);
  const NeedleMean over_depths = mean_over_depths(cells);
  double sum = 0, se = 0;
  for (const NeedleCell& cell : cells) {
    sum += cell.signal_nats / 5;
    se += cell.standard_error * cell.standard_error;
  }
  EXPECT_DOUBLE_EQ(over_depths.signal_nats, sum);
  EXPECT_DOUBLE_EQ(over_depths.standard_error, std::sqrt(se) / 5);
}

TEST(NeedleSignal, IsCancelledBetweenCallsAndReportsProgress) {
  const std::vector<std::int32_t> stream = random_stream(2000);
  int calls = 0;
  const LogitsSource model{[&](const at::Tensor& ids) {
    ++calls;
    return at::zeros({ids.size(0), ids.size(1), kVocabulary});
  }};
  std::vector<double> fractions;
  data::Task task;
  task.progress = [&](const std::string&, double fraction) { fractions.push_back(fraction); };
  task.cancelled = [&] { return fractions.size() > 3; };
  EXPECT_THROW(run_needle(model, stream, 64, settings_of(), 1, task), data::Cancelled);
  EXPECT_EQ(calls, 6);  // three trials, each without and with
  EXPECT_EQ(fractions.size(), 4u);
  EXPECT_LT(fractions[0], fractions[3]);
}

TEST(NeedleTrials, AnInjectedNeedleIsMadeOfTheTextsOwnIdsAndLeavesTheRestAlone) {
  std::vector<std::int32_t> text(64);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::int32_t>(100 + (i * 7) % 40);
  NeedleSettings settings;
  settings.rejection = NeedleSettings::Rejection::On;
  for (const auto& [depth, position] : {std::pair{0.0, 0}, {0.5, 20}, {1.0, 40}}) {
    const NeedleTrial trial = inject_needle(text, depth, settings, 5);
    EXPECT_EQ(trial.position, position);
    ASSERT_EQ(trial.with.size(), text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto p = static_cast<std::size_t>(position);
      const std::int32_t wanted = i >= p && i < p + 8 ? trial.needle[i - p]
                                  : i >= 56           ? trial.needle[i - 56]
                                                      : text[i];
      EXPECT_EQ(trial.with[i], wanted) << i;
    }
    for (std::int32_t id : trial.needle) EXPECT_NE(std::find(text.begin(), text.end(), id), text.end());
    // The cue is new to what stands before the query.
    EXPECT_EQ(std::search(text.begin(), text.end() - 8, trial.needle.begin(), trial.needle.begin() + 4),
              text.end() - 8);
  }
  EXPECT_EQ(inject_needle(text, 0.3, settings, 5).needle, inject_needle(text, 0.9, settings, 5).needle);
  EXPECT_NE(inject_needle(text, 0.3, settings, 5).needle, inject_needle(text, 0.3, settings, 6).needle);
  EXPECT_THROW(inject_needle(std::vector<std::int32_t>(64, 3), 0.5, settings, 5), Error);
}

}  // namespace
}  // namespace sparsescope::evaluate

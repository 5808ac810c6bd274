// Reductions of probes against maps whose statistics are known, and against slow references.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/data/random.h"
#include "engine/probes/attention_stats.h"
#include "engine/probes/edges.h"
#include "engine/probes/prober.h"
#include "engine/probes/scope_pooled.h"
#include "engine/probes/sizes.h"
#include "kernels/spark_scope/spark_scope.h"

namespace sparsescope::probes {
namespace {

TEST(Probes, TheListOfTheirChannelsIsTheTables) {
  std::vector<std::string_view> channels;
  for (const Probe& probe : probes()) channels.push_back(probe.channel);
  EXPECT_TRUE(std::equal(channels.begin(), channels.end(), kProbeChannels.begin(), kProbeChannels.end()));
}

double stat(const at::Tensor& table, const std::string& name, std::int64_t head = 0) {
  for (std::size_t i = 0; i < kAttentionStats.size(); ++i) {
    if (kAttentionStats[i] == name) return table[head][static_cast<std::int64_t>(i)].item<double>();
  }
  ADD_FAILURE() << name;
  return 0;
}

at::Tensor uniform_causal(std::int64_t T) {
  const at::Tensor ones = at::ones({1, 1, T, T}).tril();
  return ones / ones.sum(-1, true);
}

double harmonic(std::int64_t T) {
  double sum = 0;
  for (std::int64_t t = 1; t <= T; ++t) sum += 1.0 / static_cast<double>(t);
  return sum;
}

TEST(AttentionStats, OfTheUniformCausalMap) {
  const std::int64_t T = 16;
  const at::Tensor ids = at::arange(T, at::kLong).unsqueeze(0);
  const at::Tensor table = attention_statistics(uniform_causal(T), at::zeros({1, 1, T, T}), ids, 4);
  double entropy = 0, distance = 0, far = 0;
  for (std::int64_t t = 0; t < T; ++t) {
    entropy += std::log(static_cast<double>(t + 1)) / T;
    distance += static_cast<double>(t) / 2 / T;
    far += static_cast<double>(std::max<std::int64_t>(0, t - 3)) / static_cast<double>(t + 1) / T;
  }
  EXPECT_NEAR(stat(table, "entropy"), entropy, 1e-5);
  EXPECT_NEAR(stat(table, "entropy_of_past"), 1, 1e-5);
  EXPECT_NEAR(stat(table, "entropy_of_scope"), 1, 1e-5);
  EXPECT_NEAR(stat(table, "effective_support"), (T + 1) / 2.0, 1e-4);
  EXPECT_NEAR(stat(table, "participation"), (T + 1) / 2.0, 1e-4);
  EXPECT_NEAR(stat(table, "dropped_mass"), 0, 1e-6);
  EXPECT_NEAR(stat(table, "mean_distance"), distance, 1e-4);
  EXPECT_NEAR(stat(table, "long_range_mass"), far, 1e-5);
  EXPECT_NEAR(stat(table, "previous_mass"), (harmonic(T) - 1) / T, 1e-5);
  EXPECT_EQ(stat(table, "duplicate_mass"), 0);
  EXPECT_NEAR(stat(table, "first_key_mass"), harmonic(T) / T, 1e-5);
  EXPECT_EQ(stat(table, "sink_rate"), 0);  // H_16 / 16 = 0.21
  const at::Tensor small = attention_statistics(uniform_causal(9), at::zeros({1, 1, 9, 9}),
                                                at::arange(9, at::kLong).unsqueeze(0), 4);
  EXPECT_EQ(stat(small, "sink_rate"), 1);  // H_9 / 9 = 0.314
}

TEST(AttentionStats, AllMassOnTheFirstKeyIsASinkWithoutEntropy) {
  const std::int64_t T = 12;
  at::Tensor w = at::zeros({2, 1, T, T});
  w.select(3, 0).fill_(1);
  const at::Tensor table = attention_statistics(w, at::zeros({2, 1, T, T}), at::zeros({2, T}, at::kLong), 4);
  EXPECT_EQ(stat(table, "sink_rate"), 1);
  EXPECT_EQ(stat(table, "first_key_mass"), 1);
  EXPECT_EQ(stat(table, "entropy"), 0);
  EXPECT_EQ(stat(table, "entropy_of_past"), 0);
  EXPECT_EQ(stat(table, "entropy_of_scope"), 0);
  EXPECT_EQ(stat(table, "effective_support"), 1);
  // Of t+1 equal logits one is kept.
  EXPECT_NEAR(stat(table, "dropped_mass"), 1 - harmonic(T) / T, 1e-5);
  // All earlier tokens are equal ids; row 0 has none.
  EXPECT_NEAR(stat(table, "duplicate_mass"), (T - 1.0) / T, 1e-6);
}

TEST(AttentionStats, AnEmptyScopeGivesNoNaN) {
  const at::Tensor table =
      attention_statistics(at::zeros({1, 2, 5, 5}), at::zeros({1, 2, 5, 5}), at::zeros({1, 5}, at::kLong), 2);
  EXPECT_TRUE(table.isfinite().all().item<bool>());
  EXPECT_TRUE(
      attention_statistics(at::ones({1, 1, 1, 1}), at::zeros({1, 1, 1, 1}), at::zeros({1, 1}, at::kLong), 2)
          .isfinite()
          .all()
          .item<bool>());
}

TEST(AttentionStats, APerfectStripeIsInductionOne) {
  const std::int64_t m = 6;
  at::Tensor w = at::zeros({1, 2, 2 * m, 2 * m});
  for (std::int64_t t = m; t <= 2 * m - 2; ++t) w[0][0][t][t - m + 1].fill_(1);
  const at::Tensor score = induction_score(w);
  EXPECT_EQ(score[0].item<double>(), 1);
  EXPECT_EQ(score[1].item<double>(), 0);
}

TEST(AttentionStats, MassByReasonIsDisjointAndWhole) {
  const std::int64_t T = 3;
  const at::Tensor w = uniform_causal(T);
  at::Tensor reasons = at::zeros({1, T, T}, at::kByte);
  reasons[0][0][0].fill_(8);
  reasons[0][1][0].fill_(4);
  reasons[0][1][1].fill_(8);
  reasons[0][2][0].fill_(3);  // direct and inherited: direct
  reasons[0][2][1].fill_(2);
  reasons[0][2][2].fill_(8);
  const at::Tensor mass = scope_mass(w, reasons);
  EXPECT_NEAR(mass[0][0].item<double>(), 1.0 / 9, 1e-6);
  EXPECT_NEAR(mass[0][1].item<double>(), 1.0 / 9, 1e-6);
  EXPECT_NEAR(mass[0][2].item<double>(), 0.5 / 3, 1e-6);
  EXPECT_NEAR(mass.sum().item<double>(), 1, 1e-6);
}

at::Tensor random_scope(std::int64_t T, std::uint64_t seed) {
  data::Random random(seed);
  std::vector<float> scores(static_cast<std::size_t>(T * T));
  for (float& s : scores) s = static_cast<float>(random.uniform());
  at::Tensor reasons = at::zeros({T, T}, at::kByte);
  std::vector<std::int32_t> counts(static_cast<std::size_t>(T * kernels::kScopeCounts));
  std::vector<double> moments(static_cast<std::size_t>(T * 2));
  const float theta = 0.8f;
  kernels::spark_scope_reference(scores.data(), &theta, {1, T}, {true, true, 4},
                                 {reasons.data_ptr<std::uint8_t>(), counts.data(), moments.data()}, 0, 1);
  return reasons;
}

TEST(ScopePooled, BlocksHoldTheShareOfTheirCausalPairs) {
  for (std::int64_t T : {20, 128, 200, 300}) {
    const at::Tensor reasons = random_scope(T, 9);
    const at::Tensor pooled = pool_scope(reasons);
    const std::int64_t block = pooled_block(T), blocks = pooled_blocks(T);
    ASSERT_EQ(pooled.sizes().vec(), (std::vector<std::int64_t>{4, blocks, blocks}));
    EXPECT_LE(blocks, 128);
    const auto code = reasons.accessor<std::uint8_t, 2>();
    data::Random random(2);
    for (int sample = 0; sample < 200; ++sample) {
      const auto q = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(blocks))),
                 k = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(q + 1)));
      double share[4] = {}, pairs = 0;
      for (std::int64_t t = q * block; t < std::min(T, (q + 1) * block); ++t) {
        for (std::int64_t p = k * block; p < std::min(t + 1, (k + 1) * block); ++p) {
          ++pairs;
          const int c = code[t][p];
          share[0] += (c & 1) != 0;
          share[1] += (c & 2) != 0 && (c & 1) == 0;
          share[2] += (c & 4) != 0;
          share[3] += (c & 8) != 0;
        }
      }
      for (int r = 0; r < 4; ++r)
        EXPECT_NEAR(pooled[r][q][k].item<double>(), share[r] / std::max(pairs, 1.0), 1e-6);
    }
    EXPECT_EQ(pooled.triu(1).abs().sum().item<double>(), 0);
  }
}

TEST(Edges, ListEveryPairInScopeWithItsSmallestHeir) {
  const std::int64_t T = 30;
  const at::Tensor reasons = random_scope(T, 4);
  const auto code = reasons.accessor<std::uint8_t, 2>();
  std::vector<float> scores(static_cast<std::size_t>(T * T)), weights(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = static_cast<float>(i);
    weights[i] = -static_cast<float>(i);
  }
  std::vector<Edge> edges;
  append_edges(edges, 3, T, {reasons.data_ptr<std::uint8_t>(), scores.size()}, scores, weights);
  std::size_t at = 0, inherited = 0;
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t p = 0; p <= t; ++p) {
      if (code[t][p] == 0) continue;
      ASSERT_LT(at, edges.size());
      const Edge& edge = edges[at++];
      EXPECT_EQ(edge.t, t);
      EXPECT_EQ(edge.p, p);
      EXPECT_EQ(edge.kind, code[t][p]);
      EXPECT_EQ(edge.layer, 3);
      EXPECT_EQ(edge.head, kAllHeads);
      EXPECT_EQ(edge.score, static_cast<float>(t * T + p));
      EXPECT_EQ(edge.weight, -static_cast<float>(t * T + p));
      std::uint16_t via = kNoHeir;
      for (std::int64_t q = t - 1; q > p; --q) {
        if ((code[t][q] & 1) != 0 && (code[q][p] & 1) != 0) via = static_cast<std::uint16_t>(q);
      }
      EXPECT_EQ(edge.via, (code[t][p] & 2) != 0 ? via : kNoHeir);
      inherited += (code[t][p] & 2) != 0 ? 1 : 0;
    }
  }
  EXPECT_EQ(at, edges.size());
  EXPECT_GT(inherited, 20u);
}

Probed take(const model::LanguageModel& model, const ProbeBatch& batch,
            std::span<const std::string_view> channels) {
  Prober prober(model, batch, std::nullopt);
  prober.begin(channels);
  return prober.finish();
}

TEST(Probes, TheTableNamesEachChannelOnceAndAModelWithoutThresholdsMeasuresOnlyAttention) {
  experiments::ModelConfig config;
  config.layers = 2;
  config.width = 16;
  config.heads = 2;
  config.context = 12;
  config.mixer = experiments::MixerKind::Window;
  config.window = 4;
  const model::LanguageModel model(config, 50, at::kCPU, at::kFloat, 1);
  std::vector<std::int32_t> ids(24);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7 % 50);
  const ProbeBatch batch = make_probe_batch(ids, 2, model, 3);
  EXPECT_EQ(batch.repeated.sizes().vec(), (std::vector<std::int64_t>{2, 12}));
  std::vector<std::string_view> all;
  for (const Probe& probe : probes()) all.push_back(probe.channel);
  const Probed probed = take(model, batch, all);
  EXPECT_GT(probed.times.device_ms, probed.times.copy_ms);
  const std::vector<Measured>& measured = probed.measured;
  ASSERT_EQ(measured.size(), 3u);
  EXPECT_EQ(measured[0].channel, "attention_stats");
  EXPECT_EQ(measured[0].bytes.size(), 2 * 2 * attention_stat_names(config).size() * sizeof(float));
  // A window drops what lies outside it.
  const auto* values = reinterpret_cast<const float*>(measured[0].bytes.data());
  EXPECT_GT(values[5], 0.05f);
}

experiments::ModelConfig routed() {
  experiments::ModelConfig config;
  config.layers = 2;
  config.width = 16;
  config.heads = 2;
  config.context = 12;
  config.init_std = 0.3;
  config.spark.rank = 8;
  config.spark.initial_theta_sigmas = 0.5;
  return config;
}

std::span<const float> floats(const Measured& measured) {
  return {reinterpret_cast<const float*>(measured.bytes.data()), measured.bytes.size() / sizeof(float)};
}

TEST(Probes, SurprisalAndPredictionsAreTheSoftmaxOfThePositionBefore) {
  const model::LanguageModel model(routed(), 50, at::kCPU, at::kFloat, 1);
  std::vector<std::int32_t> ids(24);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7 % 50);
  const ProbeBatch batch = make_probe_batch(ids, 2, model, 3);
  constexpr std::string_view kBoth[] = {"probe_surprisal", "probe_predictions"};
  const std::vector<Measured> measured = take(model, batch, kBoth).measured;
  ASSERT_EQ(measured.size(), 2u);
  const auto surprisal = floats(measured[0]), predictions = floats(measured[1]);
  ASSERT_EQ(surprisal.size(), 12u);
  ASSERT_EQ(predictions.size(), 12u * 5 * 2);
  EXPECT_TRUE(std::isnan(surprisal[0]));
  for (std::size_t i = 0; i < 10; ++i) EXPECT_TRUE(std::isnan(predictions[i]));
  const at::Tensor logits = model.forward(batch.ids).logits[0];
  for (std::int64_t t = 1; t < 12; ++t) {
    const auto* row = logits.data_ptr<float>() + (t - 1) * 50;
    double sum = 0;
    for (int v = 0; v < 50; ++v) sum += std::exp(static_cast<double>(row[v]));
    const auto at = static_cast<std::size_t>(t);
    EXPECT_NEAR(surprisal[at], std::log(sum) - row[ids[at]], 1e-5);
    float last = INFINITY;
    for (std::size_t rank = 0; rank < 5; ++rank) {
      const auto id = static_cast<std::size_t>(predictions[at * 10 + rank * 2]);
      const float logp = predictions[at * 10 + rank * 2 + 1];
      EXPECT_NEAR(logp, row[id] - std::log(sum), 1e-5);
      EXPECT_LE(logp, last);
      last = logp;
    }
    EXPECT_NEAR(predictions[at * 10 + 1], *std::max_element(row, row + 50) - std::log(sum), 1e-5);
  }
}

// An id that no longer occurs keeps its row, and it holds what its address scores.
TEST(Probes, AnIdThatANeedlePushedOutOfTheSequenceIsStillDeclared) {
  const model::LanguageModel model(routed(), 50, at::kCPU, at::kFloat, 1);
  std::vector<std::int32_t> ids(12);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7 % 50);
  ProbeBatch batch = make_probe_batch(ids, 1, model, 3);
  batch.ids = batch.ids.clone();
  batch.ids[0][5] = ids[2];  // ids[5] occurs no more
  constexpr std::string_view kDeclared[] = {"declared"};
  const Measured measured = take(model, batch, kDeclared).measured.at(0);
  ASSERT_EQ(measured.bytes.size(), 2 * batch.distinct_ids.size() * 2);

  model::ObservationStore seen({model::Observation::Declaration, model::Observation::Theta});
  const at::NoGradGuard no_grad;
  model.forward(batch.ids, {.observer = &seen});
  std::size_t declared = 0;
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    const at::Tensor scores =
        at::matmul(model.addresses(), seen.get(model::Observation::Declaration, layer)[0].t()) /
        std::sqrt(8.0);
    const double theta = seen.get(model::Observation::Theta, layer).item<double>();
    for (std::size_t n = 0; n < batch.distinct_ids.size(); ++n) {
      for (std::size_t t = 0; t < 12; ++t) {
        const auto byte = static_cast<unsigned>(
            measured.bytes[(static_cast<std::size_t>(layer) * batch.distinct_ids.size() + n) * 2 + t / 8]);
        const double score = scores[batch.distinct_ids[n]][static_cast<std::int64_t>(t)].item<double>();
        if (std::abs(score - theta) < 1e-5) continue;  // rounding may decide
        EXPECT_EQ((byte >> (t % 8) & 1) != 0, score > theta) << "id " << batch.distinct_ids[n];
        declared += batch.distinct_ids[n] == ids[5] && score > theta ? 1 : 0;
      }
    }
  }
  EXPECT_GT(declared, 0u);
}

}  // namespace
}  // namespace sparsescope::probes

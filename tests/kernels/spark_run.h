// SPaRK's kernels on a case: device arrays, launches, results. For GPU tests and timing.
#pragma once

#include "kernels/spark_scores/pair_plane.h"
#include "tests/kernels/device.h"
#include "tests/kernels/spark_case.h"

namespace sparsescope::kernels {

enum class ScoresWanted { No, Yes };

// Owns everything the kernels read and write; outputs start as NaN.
class SparkRun {
 public:
  explicit SparkRun(const SparkCase& made, ScoresWanted wanted = ScoresWanted::No)
      : case_(made),
        tokens_(made.setting.batch * made.setting.tokens),
        width_(made.setting.heads * made.setting.head_width),
        qkv(made.qkv),
        d_output(made.d_output),
        slopes(made.slopes),
        addresses(made.addresses),
        declarations(made.declarations),
        declarations_bf16(made.declarations_bf16),
        ids(made.ids),
        theta(std::vector<float>{made.theta}),
        weight(std::vector<float>{made.weight}),
        direct(tokens_ * scope_words(made.setting.tokens)),
        scope(direct.size()),
        row_counts(tokens_ * kScopeCounts),
        row_moments(tokens_ * 2),
        row_gates(tokens_),
        log_gates(pair_plane_values(made.setting.batch, made.setting.tokens)),
        scores(wanted == ScoresWanted::Yes ? tokens_ * made.setting.tokens : 0),
        scores_scratch(spark_scores_scratch(made.scores_shape())),
        output(tokens_ * width_),
        soft_output(tokens_ * width_),
        lse_hard(tokens_ * made.setting.heads),
        lse_soft(tokens_ * made.setting.heads),
        d_qkv(tokens_ * 3 * width_),
        d_address_rows(tokens_ * made.setting.rank),
        d_declarations(tokens_ * made.setting.rank),
        d_declarations_bf16(tokens_ * made.setting.rank),
        d_theta(std::vector<float>{0}),
        mass(2),
        backward_scratch(spark_attention_backward_scratch(made.shape(), made.setting.rank)),
        wanted_(wanted) {}

  SparkScoresInput scores_input() {
    SparkScoresInput input;
    if (case_.setting.type == DeclarationType::Float) {
      input.declarations = declarations.get();
    } else {
      input.declarations_bf16 = declarations_bf16.get();
    }
    input.addresses = addresses.get();
    input.ids = case_.token_ids(ids.get());
    input.theta = theta.get();
    return input;
  }
  SparkAttentionInput input() {
    return {qkv.get(), case_.slopes.empty() ? nullptr : slopes.get(), direct.get(), scope.get(),
            log_gates.get()};
  }
  SparkAttentionSaved saved() { return {output.get(), lse_hard.get(), soft_output.get(), lse_soft.get()}; }
  void decide(Stream stream) {
    const SparkScoresOutput made{direct.get(),
                                 scope.get(),
                                 row_counts.get(),
                                 row_moments.get(),
                                 row_gates.get(),
                                 log_gates.get(),
                                 wanted_ == ScoresWanted::Yes ? scores.get() : nullptr};
    spark_scores(scores_input(), case_.scores_shape(), case_.scores_rule(), made, scores_scratch.get(),
                 stream);
  }
  void forward(Stream stream) { spark_attention(input(), case_.shape(), case_.rule(), saved(), stream); }
  void backward(Stream stream) {
    SparkScoreGradientInput score_input;
    score_input.scores = scores_input();
    score_input.rank = case_.setting.rank;
    score_input.kappa = case_.kappa, score_input.tau = case_.tau;
    score_input.weight = weight.get();
    score_input.layers = case_.layers;
    spark_attention_backward(input(), case_.shape(), case_.rule(), saved(), d_output.get(), score_input,
                             {d_qkv.get(), d_address_rows.get(), d_declarations.get(),
                              d_declarations_bf16.get(), d_theta.get(), mass.get()},
                             backward_scratch.get(), stream);
  }
  void run(Stream stream) {
    decide(stream);
    forward(stream);
    backward(stream);
  }
  // One of the three parts of d_qkv, [B,T,H,D].
  std::vector<float> gradient(int slot) const {
    const std::vector<float> all = widened(d_qkv.fetch());
    std::vector<float> part;
    for (std::int64_t token = 0; token < tokens_; ++token) {
      const auto first = all.begin() + (token * 3 + slot) * width_;
      part.insert(part.end(), first, first + width_);
    }
    return part;
  }

 private:
  const SparkCase& case_;
  std::int64_t tokens_, width_;

 public:
  DeviceArray<Bfloat16> qkv, d_output;
  DeviceArray<float> slopes, addresses, declarations;
  DeviceArray<Bfloat16> declarations_bf16;
  DeviceArray<std::int64_t> ids;
  DeviceArray<float> theta, weight;
  DeviceArray<std::uint32_t> direct, scope;
  DeviceArray<std::int32_t> row_counts;
  DeviceArray<double> row_moments, row_gates;
  DeviceArray<Bfloat16> log_gates;
  DeviceArray<float> scores;
  DeviceArray<std::uint8_t> scores_scratch;
  DeviceArray<Bfloat16> output, soft_output;
  DeviceArray<float> lse_hard, lse_soft;
  DeviceArray<Bfloat16> d_qkv;
  DeviceArray<float> d_address_rows, d_declarations;
  DeviceArray<Bfloat16> d_declarations_bf16;
  DeviceArray<float> d_theta;
  DeviceArray<double> mass;
  DeviceArray<std::uint8_t> backward_scratch;

 private:
  ScoresWanted wanted_;
};

}  // namespace sparsescope::kernels

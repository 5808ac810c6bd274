// The synthetic run shaped like SPaRK: thresholds fall, direct density rises, deeper layers later.
#include <algorithm>
#include <cmath>

#include "engine/trace/half.h"
#include "engine/trace/synthetic_runs.h"
#include "engine/trace/text.h"

namespace sparsescope::trace::synthetic {
namespace {

enum SparkChannel : std::uint32_t {
  kScalars,
  kThreshold,
  kDensity,
  kEvaluation,
  kNeedle,
  kEvents,
  kDeclared,
  kScopePooled
};

// Progress of the collapse at `step` in one layer: 0 at the start, rising to 1, deeper layers later.
double collapse(double step, double layer) { return 1.0 - std::exp(-step / (400.0 + 120.0 * layer)); }

class SparkRow {
 public:
  SparkRow(const SyntheticOptions& options, Frame& frame)
      : options_(options), frame_(frame), step_(static_cast<double>(frame.step)) {}

  void add_every_step() {
    std::vector<double> scalars(14);
    const double loss = 2.0 + 6.3 * std::exp(-step_ / 300.0) + 0.05 * jitter(0);
    const double penalty = 0.01 * std::exp(-step_ / 900.0);
    scalars = {loss,
               penalty,
               loss + penalty,
               2e-3 * std::min(1.0, (step_ + 1) / 100.0),
               0.4 + 2.0 * std::exp(-step_ / 150.0) + 0.03 * jitter(1),
               (step_ + 1) * 16384.0,
               95000.0 + 3000.0 * jitter(2),
               170.0 + 5.0 * jitter(3),
               55.0,
               80.0,
               8.0,
               3.0,
               2.1e9,
               0.0};
    add_values<double>(frame_, kScalars, scalars);
    std::vector<float> threshold, density;
    for (std::int64_t l = 0; l < options_.layers; ++l) {
      const double done = collapse(step_, static_cast<double>(l));
      const double spread = 1.0 + 0.2 * static_cast<double>(l),
                   theta = 3.6 * spread * (1.0 - 0.55 * done) + 0.002 * jitter(10 + l);
      const double reach = 2e-3 * step_;
      for (double value :
           {theta, 0.0, spread, theta / spread, 3.6 * spread - theta, reach, 0.05 * jitter(30 + l)}) {
        threshold.push_back(static_cast<float>(value));
      }
      const double direct = 0.03 + 0.55 * done + 0.003 * jitter(50 + l), fallback = 0.2 * (1.0 - done),
                   empty = 0.6 * (1.0 - done);
      for (double value : {direct, 0.0, fallback, 1.0 / 128.0, direct + fallback, empty, 0.9 * direct}) {
        density.push_back(static_cast<float>(value));
      }
    }
    add_values<float>(frame_, kThreshold, threshold);
    add_values<float>(frame_, kDensity, density);
  }

  void add_evaluation() {
    const double nll = 2.1 + 6.2 * std::exp(-step_ / 300.0);
    const std::vector<double> evaluation = {nll, std::exp(nll), nll / std::log(2.0) / 3.7};
    add_values<double>(frame_, kEvaluation, evaluation);
    std::vector<float> needle;
    for (int context = 0; context < 2; ++context) {
      for (int depth = 0; depth < 5; ++depth) {
        const double signal = (context == 0 ? 3.0 : 1.2) * collapse(step_, depth);
        for (double value : {signal, 0.2, 7.0, signal / 8.0, signal / 12.0, 8.0})
          needle.push_back(static_cast<float>(value));
      }
    }
    add_values<float>(frame_, kNeedle, needle);
    const std::vector<std::string> events = {"{\"step\":" + std::to_string(frame_.step) +
                                             ",\"kind\":\"evaluation\",\"text\":\"validation " +
                                             std::to_string(nll) + " nats\"}"};
    add_texts(frame_, kEvents, events);
  }

  void add_probe() {
    const std::size_t row_bytes = static_cast<std::size_t>(options_.positions + 7) / 8;
    std::vector<std::uint8_t> declared(
        static_cast<std::size_t>(options_.layers * options_.declared_ids) * row_bytes, 0);
    std::vector<std::uint16_t> pooled;
    const std::int64_t side = options_.pooled;
    pooled.reserve(static_cast<std::size_t>(options_.layers * 4 * side * side));
    for (std::int64_t l = 0; l < options_.layers; ++l) {
      const double direct = 0.03 + 0.55 * collapse(step_, static_cast<double>(l));
      for (std::int64_t id = 0; id < options_.declared_ids; ++id) {
        std::uint8_t* bits =
            declared.data() + static_cast<std::size_t>(l * options_.declared_ids + id) * row_bytes;
        for (std::int64_t p = 0; p < options_.positions; ++p) {
          if (uniform(mixed(options_.seed, l, id, p)) < direct)
            bits[p / 8] |= static_cast<std::uint8_t>(1u << (p % 8));
        }
      }
      for (int reason = 0; reason < 4; ++reason) {
        for (std::int64_t q = 0; q < side; ++q) {
          for (std::int64_t k = 0; k < side; ++k)
            pooled.push_back(half_from_float(static_cast<float>(share(l, reason, q, k, direct))));
        }
      }
    }
    add_values<std::uint8_t>(frame_, kDeclared, declared);
    add_values<std::uint16_t>(frame_, kScopePooled, pooled);
  }

 private:
  double jitter(std::int64_t which) const {
    return noise(mixed(options_.seed, frame_.row, static_cast<std::uint64_t>(which), 77));
  }

  // Share of pairs in scope in one block. Counts of 64 pairs: the values of a real pooled map are few.
  double share(std::int64_t layer, int reason, std::int64_t query, std::int64_t key, double direct) const {
    if (key > query) return 0.0;
    const double distance = static_cast<double>(query - key) / static_cast<double>(options_.pooled);
    if (reason == 1) return 0.0;
    if (reason == 2) return distance < 0.1 ? 0.5 * (0.6 - direct) : 0.0;
    if (reason == 3) return query == key ? 1.0 / 8.0 : 0.0;
    const double hub = uniform(mixed(options_.seed, 91, layer, key)) < 0.1 ? 0.3 : 0.0;
    const double grain = 0.1 * uniform(mixed(mixed(options_.seed, frame_.row), layer, query, key));
    return std::round(64.0 * std::min(1.0, direct * (1.2 - distance) + hub + grain)) / 64.0;
  }

  const SyntheticOptions& options_;
  Frame& frame_;
  double step_;
};

}  // namespace

Schema spark_schema(const SyntheticOptions& options) {
  Schema schema = head(options, "synthetic SPaRK run");
  const Axis layer = labelled("layer", numbered(options.layers));
  schema.channels = {
      channel("scalars", DType::F64,
              {labelled("name", {"cross_entropy", "sparsity_penalty", "total_loss", "learning_rate",
                                 "gradient_norm", "tokens_seen", "tokens_per_second", "step_ms", "forward_ms",
                                 "backward_ms", "optimizer_ms", "probe_ms", "memory_bytes", "blocked_ms"})},
              1, "1", "losses in nats per token, rates and times of one step"),
      channel("threshold", DType::F32,
              {layer, labelled("stat", {"theta", "score_mean", "score_std", "theta_sigmas", "displacement",
                                        "reach", "gradient"})},
              1, "1", "declaration threshold and the scores it cuts"),
      channel("density", DType::F32,
              {layer, labelled("reason", {"direct", "inherited", "fallback", "self", "scope", "empty_rows",
                                          "expected"})},
              1, "1", "share of past pairs in scope, by reason"),
      channel("evaluation", DType::F64, {labelled("name", {"val_nll", "perplexity", "bits_per_byte"})},
              options.evaluation_every, "1", "held-out text"),
      channel(
          "needle", DType::F32,
          {labelled("context", {"1x", "4x"}), labelled("depth", {"0.1", "0.3", "0.5", "0.7", "0.9"}),
           labelled("field", {"signal", "se", "nll_without", "token_accuracy", "exact_accuracy", "trials"})},
          options.evaluation_every, "nats", "needle retrieval by context and depth"),
      channel("events", DType::Text, {}, 0, "1", "what happened, one JSON object each"),
      channel("declared", DType::Bits,
              {layer, axis("id", options.declared_ids), axis("position", options.positions)},
              options.probe_every, "1", "which ids each position of the probe sequence declares"),
      channel("scope_pooled", DType::F16,
              {layer, labelled("reason", {"direct", "inherited", "fallback", "self"}),
               axis("query", options.pooled), axis("key", options.pooled)},
              options.probe_every, "1", "share of pairs in scope in blocks of the causal square"),
  };
  schema.channels[kEvents].kind = ChannelKind::Ragged;
  return finish_schema(std::move(schema));
}

void fill_spark(const SyntheticOptions& options, Frame& frame) {
  // A block of rows: one per step, then a second row on the block's last step for the evaluation.
  const auto every = static_cast<std::uint64_t>(options.evaluation_every);
  const std::uint64_t block = frame.row / (every + 1), place = frame.row % (every + 1);
  const bool is_evaluation = place == every;
  frame.step = block * every + (is_evaluation ? every - 1 : place);
  frame.mono_nanos = static_cast<std::int64_t>(frame.row) * kStepNanos;
  frame.unix_nanos = kEpochNanos + frame.mono_nanos;
  SparkRow row(options, frame);
  if (is_evaluation) return row.add_evaluation();
  row.add_every_step();
  if (frame.step % static_cast<std::uint64_t>(options.probe_every) == 0) row.add_probe();
}

}  // namespace sparsescope::trace::synthetic

// The two synthetic runs: one shaped like SPaRK, one that visits every corner of the format.
#include "engine/trace/synthetic_source.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "engine/trace/half.h"
#include "engine/trace/text.h"

namespace sparsescope::trace {
namespace {

// splitmix64: one well-mixed number per key, so that no row depends on another.
std::uint64_t mixed(std::uint64_t key) {
  key += 0x9e3779b97f4a7c15u;
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
  key = (key ^ key >> 27) * 0x94d049bb133111ebu;
  return key ^ key >> 31;
}
std::uint64_t mixed(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0, std::uint64_t d = 0) {
  return mixed(mixed(mixed(mixed(a) ^ b) ^ c) ^ d);
}
double uniform(std::uint64_t key) { return static_cast<double>(key >> 11) * 0x1p-53; }
// Zero mean, about unit variance: the sum of three uniforms, which is bell-shaped enough for pictures.
double noise(std::uint64_t key) { return 2.0 * (uniform(mixed(key)) + uniform(mixed(key + 1)) + uniform(mixed(key + 2)) - 1.5); }

Axis axis(std::string name, std::int64_t size) { return {std::move(name), size, {}}; }
Axis labelled(std::string name, std::vector<std::string> labels) {
  const auto size = static_cast<std::int64_t>(labels.size());
  return {std::move(name), size, std::move(labels)};
}
std::vector<std::string> numbered(std::int64_t size) {
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < size; ++i) labels.push_back(std::to_string(i));
  return labels;
}

Schema head(const SyntheticOptions& options, const std::string& title) {
  Schema schema;
  schema.run_uuid = "00000000-0000-4000-8000-" + std::to_string(100000000000u + options.seed % 100000000000u);
  schema.title = title;
  schema.created_utc = "2026-01-01T00:00:00Z";
  schema.seed = options.seed;
  schema.experiment_json = "{\"name\":\"synthetic\"}";
  schema.build_json = "{\"version\":\"0.1.0\"}";
  schema.device_json = "{\"threads\":1}";
  return schema;
}

constexpr std::int64_t kEpochNanos = 1'767'225'600'000'000'000;  // 2026-01-01 as unix time
constexpr std::int64_t kStepNanos = 16'000'000;

// --- the run shaped like SPaRK -------------------------------------------------------------------------------------

enum SparkChannel : std::uint32_t { kScalars, kThreshold, kDensity, kEvaluation, kNeedle, kEvents, kDeclared, kScopePooled };

Channel channel(std::string name, DType dtype, std::vector<Axis> axes, std::int64_t cadence, std::string unit, std::string text) {
  Channel made;
  made.name = std::move(name);
  made.dtype = dtype;
  made.axes = std::move(axes);
  made.cadence = cadence;
  made.unit = std::move(unit);
  made.text = std::move(text);
  return made;
}

Schema spark_schema(const SyntheticOptions& options) {
  Schema schema = head(options, "synthetic SPaRK run");
  const Axis layer = labelled("layer", numbered(options.layers));
  schema.channels = {
      channel("scalars", DType::F64,
              {labelled("name", {"cross_entropy", "sparsity_penalty", "total_loss", "learning_rate", "gradient_norm", "tokens_seen",
                                 "tokens_per_second", "step_ms", "forward_ms", "backward_ms", "optimizer_ms", "probe_ms",
                                 "memory_bytes", "blocked_ms"})},
              1, "1", "losses in nats per token, rates and times of one step"),
      channel("threshold", DType::F32,
              {layer, labelled("stat", {"theta", "score_mean", "score_std", "theta_sigmas", "displacement", "reach", "gradient"})}, 1, "1",
              "declaration threshold and the scores it cuts"),
      channel("density", DType::F32,
              {layer, labelled("reason", {"direct", "inherited", "fallback", "self", "scope", "empty_rows", "expected"})}, 1, "1",
              "share of past pairs in scope, by reason"),
      channel("evaluation", DType::F64, {labelled("name", {"val_nll", "perplexity", "bits_per_byte"})}, options.evaluation_every, "1",
              "held-out text"),
      channel("needle", DType::F32,
              {labelled("context", {"1x", "4x"}), labelled("depth", {"0.1", "0.3", "0.5", "0.7", "0.9"}),
               labelled("field", {"signal", "se", "nll_without", "token_accuracy", "exact_accuracy", "trials"})},
              options.evaluation_every, "nats", "needle retrieval by context and depth"),
      channel("events", DType::Text, {}, 0, "1", "what happened, one JSON object each"),
      channel("declared", DType::Bits, {layer, axis("id", options.declared_ids), axis("position", options.positions)},
              options.probe_every, "1", "which ids each position of the probe sequence declares"),
      channel("scope_pooled", DType::F16,
              {layer, labelled("reason", {"direct", "inherited", "fallback", "self"}), axis("query", options.pooled),
               axis("key", options.pooled)},
              options.probe_every, "1", "share of pairs in scope in blocks of the causal square"),
  };
  schema.channels[kEvents].kind = ChannelKind::Ragged;
  return finish_schema(std::move(schema));
}

// Progress of the collapse at `step` in one layer: 0 at the start, rising to 1, deeper layers later.
double collapse(double step, double layer) { return 1.0 - std::exp(-step / (400.0 + 120.0 * layer)); }

class SparkRow {
 public:
  SparkRow(const SyntheticOptions& options, Frame& frame) : options_(options), frame_(frame), step_(static_cast<double>(frame.step)) {}

  void add_every_step() {
    std::vector<double> scalars(14);
    const double loss = 2.0 + 6.3 * std::exp(-step_ / 300.0) + 0.05 * jitter(0);
    const double penalty = 0.01 * std::exp(-step_ / 900.0);
    scalars = {loss, penalty, loss + penalty, 2e-3 * std::min(1.0, (step_ + 1) / 100.0), 0.4 + 2.0 * std::exp(-step_ / 150.0) + 0.03 * jitter(1),
               (step_ + 1) * 16384.0, 95000.0 + 3000.0 * jitter(2), 170.0 + 5.0 * jitter(3), 55.0, 80.0, 8.0, 3.0, 2.1e9, 0.0};
    add_values<double>(frame_, kScalars, scalars);
    std::vector<float> threshold, density;
    for (std::int64_t l = 0; l < options_.layers; ++l) {
      const double done = collapse(step_, static_cast<double>(l));
      const double spread = 1.0 + 0.2 * static_cast<double>(l), theta = 3.6 * spread * (1.0 - 0.55 * done) + 0.002 * jitter(10 + l);
      const double reach = 2e-3 * step_;
      for (double value : {theta, 0.0, spread, theta / spread, 3.6 * spread - theta, reach, 0.05 * jitter(30 + l)}) {
        threshold.push_back(static_cast<float>(value));
      }
      const double direct = 0.03 + 0.55 * done + 0.003 * jitter(50 + l), fallback = 0.2 * (1.0 - done), empty = 0.6 * (1.0 - done);
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
        for (double value : {signal, 0.2, 7.0, signal / 8.0, signal / 12.0, 8.0}) needle.push_back(static_cast<float>(value));
      }
    }
    add_values<float>(frame_, kNeedle, needle);
    const std::vector<std::string> events = {"{\"step\":" + std::to_string(frame_.step) + ",\"kind\":\"evaluation\",\"text\":\"validation " +
                                             std::to_string(nll) + " nats\"}"};
    add_texts(frame_, kEvents, events);
  }

  void add_probe() {
    const std::size_t row_bytes = static_cast<std::size_t>(options_.positions + 7) / 8;
    std::vector<std::uint8_t> declared(static_cast<std::size_t>(options_.layers * options_.declared_ids) * row_bytes, 0);
    std::vector<std::uint16_t> pooled;
    const std::int64_t side = options_.pooled;
    pooled.reserve(static_cast<std::size_t>(options_.layers * 4 * side * side));
    for (std::int64_t l = 0; l < options_.layers; ++l) {
      const double direct = 0.03 + 0.55 * collapse(step_, static_cast<double>(l));
      for (std::int64_t id = 0; id < options_.declared_ids; ++id) {
        std::uint8_t* bits = declared.data() + static_cast<std::size_t>(l * options_.declared_ids + id) * row_bytes;
        for (std::int64_t p = 0; p < options_.positions; ++p) {
          if (uniform(mixed(options_.seed, l, id, p)) < direct) bits[p / 8] |= static_cast<std::uint8_t>(1u << (p % 8));
        }
      }
      for (int reason = 0; reason < 4; ++reason) {
        for (std::int64_t q = 0; q < side; ++q) {
          for (std::int64_t k = 0; k < side; ++k) pooled.push_back(half_from_float(static_cast<float>(share(l, reason, q, k, direct))));
        }
      }
    }
    add_values<std::uint8_t>(frame_, kDeclared, declared);
    add_values<std::uint16_t>(frame_, kScopePooled, pooled);
  }

 private:
  double jitter(std::int64_t which) const { return noise(mixed(options_.seed, frame_.row, static_cast<std::uint64_t>(which), 77)); }

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

// --- the run that visits every corner of the format ----------------------------------------------------------------

constexpr DType kEveryDType[] = {DType::F16, DType::F32, DType::F64,  DType::U8,     DType::U16, DType::I32,
                                 DType::U32, DType::U64, DType::Bits, DType::Record, DType::Text};

void give_fields(Channel& made) {
  if (made.dtype != DType::Record) return;
  made.record_bytes = 20;  // three bytes of padding at the end, as in the edges of a routing graph
  made.fields = {{"score", DType::F32, 0}, {"weight", DType::F32, 4}, {"t", DType::U16, 8},      {"p", DType::U16, 10},
                 {"via", DType::U16, 12},  {"layer", DType::U8, 14},  {"head", DType::U8, 15}, {"kind", DType::U8, 16}};
}

Channel every_channel(DType dtype, ChannelKind kind, StorageClass storage) {
  const bool dense = kind == ChannelKind::Dense, once = storage == StorageClass::Once;
  std::vector<Axis> axes;
  if (dense && once) {
    axes = {axis("layer", 3), axis("query", 50), axis("key", 120)};
    if (dtype == DType::F32) axes = {axis("layer", 3), axis("query", 300), axis("key", 256)};  // a row of several chunks
    if (dtype == DType::Bits) axes.back().size = 997;
    if (dtype == DType::Text) axes = {axis("slot", 18)};
  } else if (dense) {
    axes = dtype == DType::Text ? std::vector{axis("slot", 2)} : std::vector{labelled("side", {"left", "right", "both"}), axis("place", 5)};
    if (dtype == DType::Bits) axes.back().size = 37;
  } else if (dtype == DType::Bits) {
    axes = {axis("place", 37)};
  } else if (dtype == DType::U16) {
    axes = {axis("pair", 2)};
  }
  Channel made = channel(std::string(dense ? "dense_" : "ragged_") + (once ? "once_" : "packed_") + std::string(dtype_name(dtype)), dtype,
                         std::move(axes), 0, "1", "synthetic values");
  made.kind = kind;
  made.storage = storage;
  give_fields(made);
  return made;
}

Schema every_dtype_schema(const SyntheticOptions& options) {
  Schema schema = head(options, "every dtype \xE2\x9C\x93");
  for (ChannelKind kind : {ChannelKind::Dense, ChannelKind::Ragged}) {
    for (StorageClass storage : {StorageClass::Packed, StorageClass::Once}) {
      for (DType dtype : kEveryDType) schema.channels.push_back(every_channel(dtype, kind, storage));
    }
  }
  schema.channels.push_back(channel("noise", DType::U8, {axis("place", 20000)}, 0, "1", "bytes that no method compresses"));
  return finish_schema(std::move(schema));
}

template <typename T>
void put(std::byte* at, T value) { std::memcpy(at, &value, sizeof(T)); }

// One element: mostly a slow ramp, now and then a special value.
void put_element(const Channel& made, std::byte* at, std::uint64_t key, std::uint64_t index) {
  const std::uint64_t random = mixed(key, index);
  const double ramp = static_cast<double>(index % 512) / 64.0 - 2.0;
  const double specials[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), -0.0, 1e-7, 65504.0};
  const double real = random % 97 == 0 ? specials[random / 97 % 6] : ramp;
  switch (made.dtype) {
    case DType::F16: return put(at, half_from_float(static_cast<float>(real)));
    case DType::F32: return put(at, static_cast<float>(real));
    case DType::F64: return put(at, real);
    case DType::U8: return put(at, static_cast<std::uint8_t>(index / 7));
    case DType::U16: return put(at, static_cast<std::uint16_t>(index * 3 + key));
    case DType::I32: return put(at, static_cast<std::int32_t>(index) - 40000 * static_cast<std::int32_t>(random % 2));
    case DType::U32: return put(at, static_cast<std::uint32_t>(0xfffffff0u + index));
    case DType::U64: return put(at, std::numeric_limits<std::uint64_t>::max() - index);
    case DType::Bits: return put(at, static_cast<std::uint8_t>(random % 5 == 0 ? random >> 8 : 0));
    case DType::Record:
      put(at, static_cast<float>(real));
      put(at + 4, static_cast<float>(index));
      put(at + 8, static_cast<std::uint16_t>(index));
      put(at + 10, static_cast<std::uint16_t>(index / 2));
      put(at + 12, std::uint16_t{65535});
      put(at + 14, static_cast<std::uint8_t>(index % 6));
      put(at + 15, std::uint8_t{255});
      return put(at + 16, static_cast<std::uint8_t>(1u << (random % 4)));
    case DType::Text: {
      std::string text = "{\"step\":" + std::to_string(index) + ",\"text\":\"\xCE\xB8 = " + std::to_string(ramp) + "\"}";
      if (random % 7 == 0) text = std::string(kTextBytes, 'x');  // fills the element to its last byte
      std::memcpy(at, text.data(), text.size());
      return;
    }
  }
}

// Bits beyond the last axis' size are zero.
void clear_padding(const Channel& made, std::vector<std::byte>& bytes) {
  if (made.dtype != DType::Bits || made.axes.back().size % 8 == 0) return;
  const auto row = static_cast<std::size_t>(made.axes.back().size + 7) / 8;
  for (std::size_t at = row - 1; at < bytes.size(); at += row) bytes[at] &= static_cast<std::byte>((1u << (made.axes.back().size % 8)) - 1);
}

std::size_t ragged_count(const Channel& made, std::uint64_t key) {
  if (made.storage == StorageClass::Packed) return key % 6;
  const auto chunk = static_cast<std::size_t>(made.chunk.front());
  const std::size_t counts[] = {0, 1, chunk / 3, chunk, chunk + 3};
  return counts[key % 5];
}

void fill_every_dtype(const SyntheticOptions& options, const Schema& schema, Frame& frame) {
  frame.step = frame.row - frame.row / 7;
  frame.mono_nanos = static_cast<std::int64_t>(frame.row) * kStepNanos;
  frame.unix_nanos = kEpochNanos + frame.mono_nanos - (frame.row % 11 == 5 ? 3'600'000'000'000 : 0);
  if (frame.row % 11 == 5) frame.flags |= kFlagWallClockJumped;
  if (frame.row % 13 == 6) frame.flags |= kFlagProbeDropped;
  for (const Channel& made : schema.channels) {
    const std::uint64_t key = mixed(options.seed, frame.row, made.id);
    if (key % (made.storage == StorageClass::Once ? 5 : 3) != 0) continue;
    ChannelData part{made.id, {}};
    const std::size_t count = made.kind == ChannelKind::Dense ? 1 : ragged_count(made, key >> 8);
    part.bytes.resize(count * made.unit_bytes());
    const std::size_t element = made.dtype == DType::Record ? made.record_bytes : dtype_bytes(made.dtype);
    for (std::size_t i = 0; i * element < part.bytes.size(); ++i) {
      if (made.name == "noise") {
        part.bytes[i] = static_cast<std::byte>(mixed(key, i));
      } else {
        put_element(made, part.bytes.data() + i * element, key, i);
      }
    }
    clear_padding(made, part.bytes);
    if (made.dtype == DType::F64 && !part.bytes.empty()) frame.flags |= kFlagNonFinite;
    frame.present.add(made.id);
    frame.data.push_back(std::move(part));
  }
}

}  // namespace

SyntheticSource::SyntheticSource(SyntheticOptions options) : options_(options) {
  check(options.layers > 0 && options.probe_every > 0 && options.evaluation_every > 0 && options.pooled > 0 &&
            options.declared_ids > 0 && options.positions > 0,
        "sizes and cadences of a synthetic run are positive");
  schema_ = std::make_shared<const Schema>(options.kind == SyntheticOptions::Kind::Spark ? spark_schema(options) : every_dtype_schema(options));
}

FramePtr SyntheticSource::frame(std::uint64_t row) const {
  Frame frame;
  frame.row = row;
  if (options_.kind == SyntheticOptions::Kind::Spark) {
    fill_spark(options_, frame);
  } else {
    fill_every_dtype(options_, *schema_, frame);
  }
  return std::make_shared<const Frame>(std::move(frame));
}

void SyntheticSource::run(FrameSink& sink) const {
  sink.on_schema(schema_);
  for (std::uint64_t row = 0; row < options_.frames; ++row) sink.on_frame(frame(row));
  sink.on_end({RunStatus::Finished, ""});
}

}  // namespace sparsescope::trace

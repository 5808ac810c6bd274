#include "tests/viz/spark_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>

#include "engine/trace/half.h"
#include "engine/trace/text.h"

namespace sparsescope::test {
namespace {

using trace::Axis;
using trace::Channel;
using trace::DType;

constexpr std::int64_t kRanks = 8, kMostBlocks = 128;
constexpr std::uint16_t kNoHeir = 65535;
constexpr std::array<double, 5> kDepths = {0.1, 0.3, 0.5, 0.7, 0.9};
constexpr std::int64_t kContexts = 3, kTrials = 4, kNeedleLength = 4;

// Order of the channels in the schema.
enum Id : std::uint32_t {
  kScalars,
  kThreshold,
  kDensity,
  kEvaluation,
  kNeedle,
  kDeclared,
  kDeclaredTop,
  kScopePooled,
  kAttentionStats,
  kEdges,
  kEvents,
  kVocabulary,
  kVocabularyEnds,
  kProbeIds,
  kNeedleIds
};

struct Edge {
  float score = 0, weight = 0;
  std::uint16_t t = 0, p = 0, via = kNoHeir;
  std::uint8_t layer = 0, head = 255, kind = 0, padding[3] = {};
};
static_assert(sizeof(Edge) == 20);

std::uint64_t mixed(std::uint64_t key) {
  key += 0x9e3779b97f4a7c15u;
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
  key = (key ^ key >> 27) * 0x94d049bb133111ebu;
  return key ^ key >> 31;
}

template <typename... Keys>
double uniform(Keys... keys) {
  std::uint64_t state = 0;
  ((state = mixed(state ^ static_cast<std::uint64_t>(keys))), ...);
  return static_cast<double>(state >> 11) * 0x1p-53;
}

Axis sized(const char* name, std::int64_t size) { return {name, size, {}}; }
Axis labelled(const char* name, std::vector<std::string> labels) {
  const auto size = static_cast<std::int64_t>(labels.size());
  return {name, size, std::move(labels)};
}
Axis numbered(const char* name, std::int64_t size) {
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < size; ++i) labels.push_back(std::to_string(i));
  return labelled(name, std::move(labels));
}

Channel dense(const char* name, DType dtype, std::vector<Axis> axes, std::uint64_t cadence) {
  Channel made;
  made.name = name;
  made.dtype = dtype;
  made.axes = std::move(axes);
  made.cadence = static_cast<std::int64_t>(cadence);
  return made;
}

Channel ragged(const char* name, DType dtype, std::uint64_t cadence,
               trace::StorageClass storage = trace::StorageClass::Once) {
  Channel made = dense(name, dtype, {}, cadence);
  made.kind = trace::ChannelKind::Ragged;
  made.storage = storage;
  return made;
}

std::int64_t block_of(std::int64_t positions) { return (positions + kMostBlocks - 1) / kMostBlocks; }
std::int64_t blocks_of(std::int64_t positions) {
  return (positions + block_of(positions) - 1) / block_of(positions);
}

std::vector<Channel> channels_of(const SparkOptions& options, const std::vector<std::int64_t>& distinct) {
  const Axis layer = numbered("layer", options.layers);
  std::vector<std::string> ids;
  for (std::int64_t id : distinct) ids.push_back(std::to_string(id));
  const Axis contexts = labelled("context", {"1x", "4x", "16x"});
  const std::int64_t side = blocks_of(options.positions);
  std::vector<Channel> channels = {
      dense("scalars", DType::F64,
            {labelled("name", {"cross_entropy", "total_loss", "tokens_seen", "gradient_norm"})}, 1),
      dense("threshold", DType::F32,
            {layer, labelled("stat", {"theta", "score_mean", "score_std", "theta_sigmas"})}, 1),
      dense("density", DType::F32,
            {layer, labelled("reason",
                             {"direct", "inherited", "fallback", "self", "scope", "empty_rows", "expected"})},
            1),
      dense("evaluation", DType::F64, {labelled("name", {"val_nll", "perplexity", "bits_per_byte"})},
            options.evaluate_every),
      dense(
          "needle", DType::F32,
          {contexts, labelled("depth", {"0.1", "0.3", "0.5", "0.7", "0.9"}),
           labelled("field", {"signal", "se", "nll_without", "token_accuracy", "exact_accuracy", "trials"})},
          options.evaluate_every),
      dense("declared", DType::Bits,
            {layer, labelled("id", std::move(ids)), sized("position", options.positions)},
            options.probe_every),
      dense("declared_top", DType::F32,
            {layer, sized("position", options.positions), sized("rank", std::min(kRanks, options.vocabulary)),
             labelled("field", {"id", "score"})},
            options.probe_every),
      dense("scope_pooled", DType::F16,
            {layer, labelled("reason", {"direct", "inherited", "fallback", "self"}), sized("query", side),
             sized("key", side)},
            options.probe_every),
      dense("attention_stats", DType::F32,
            {layer, numbered("head", options.heads), labelled("stat", {"entropy", "distance", "sink"})},
            options.probe_every),
      ragged("edges", DType::Record, options.edges_every),
      ragged("events", DType::Text, 0, trace::StorageClass::Packed),
      ragged("vocabulary", DType::U8, 0),
      ragged("vocabulary_ends", DType::U32, 0),
      dense("probe_ids", DType::I32, {sized("sequence", 2), sized("position", options.positions)}, 0),
      dense("needle_ids", DType::I32,
            {contexts, sized("depth", std::ssize(kDepths)), sized("trial", kTrials),
             sized("token", kNeedleLength)},
            0),
  };
  if (options.displacement) {
    trace::Axis& stats = channels[kThreshold].axes.back();
    stats.labels.emplace_back("displacement");
    ++stats.size;
  }
  channels[kEdges].record_bytes = sizeof(Edge);
  channels[kEdges].fields = {{"score", DType::F32, 0}, {"weight", DType::F32, 4}, {"t", DType::U16, 8},
                             {"p", DType::U16, 10},    {"via", DType::U16, 12},   {"layer", DType::U8, 14},
                             {"head", DType::U8, 15},  {"kind", DType::U8, 16}};
  return channels;
}

std::string experiment_json(const SparkOptions& options) {
  const auto text = [](bool value) { return std::string(value ? "true" : "false"); };
  return R"({"name":"small-spark","train":{"steps":)" + std::to_string(options.planned) +
         R"(,"batch":8},"model":{"mixer":"spark","context":)" + std::to_string(options.positions) +
         R"(,"layers":)" + std::to_string(options.layers) + R"(,"heads":)" + std::to_string(options.heads) +
         R"(},"spark":{"inheritance":)" + text(options.inheritance) + R"(,"fallback":)" +
         text(options.fallback) + R"(,"fallback_window":)" + std::to_string(options.window) + "}}";
}

}  // namespace

SparkRun::SparkRun(SparkOptions options) : options_(options) {
  std::set<std::int64_t> distinct;
  for (std::int64_t p = 0; p < options_.positions; ++p) {
    const double u = uniform(options_.seed, 3, p);
    const auto id = static_cast<std::int64_t>(u * u * static_cast<double>(options_.vocabulary));
    ids_.push_back(static_cast<std::int32_t>(id));
    distinct.insert(id);
  }
  distinct_.assign(distinct.begin(), distinct.end());
  trace::Schema made;
  made.run_uuid = "22222222-3333-4444-5555-" + std::to_string(100000000000u + options_.seed);
  made.title = "small spark run";
  made.seed = options_.seed;
  made.experiment_json = experiment_json(options_);
  made.channels = channels_of(options_, distinct_);
  schema = std::make_shared<const trace::Schema>(trace::finish_schema(std::move(made)));
}

std::string SparkRun::piece(std::int64_t id) const {
  if (id == 0) return "\n";
  constexpr const char* kSyllables[] = {"ma", "be", "to", "ki", "ru", "so", "na", "le"};
  std::string text = id % 3 == 0 ? "" : " ";
  for (std::int64_t rest = id; rest > 0; rest /= 8) text += kSyllables[rest % 8];
  return text;
}

float SparkRun::theta(std::uint64_t step, std::int64_t layer) const {
  const double fallen = 1 - std::exp(-static_cast<double>(step) / 80);
  return static_cast<float>(1.2 + 0.1 * static_cast<double>(layer) - 0.8 * fallen);
}

float SparkRun::score(std::uint64_t step, std::int64_t layer, std::int64_t position, std::int64_t id) const {
  const auto declarer = ids_[static_cast<std::size_t>(position)];
  const double habit = uniform(options_.seed, 11, layer, declarer, id) - 0.5;
  const double place = uniform(options_.seed, 12, layer, position, id) - 0.5;
  const double moment = uniform(options_.seed, 13, step / options_.probe_every, position, id, layer) - 0.5;
  return static_cast<float>(2 * habit + 0.6 * place + 0.2 * moment);
}

std::vector<std::uint8_t> SparkRun::reasons(std::uint64_t step, std::int64_t layer) const {
  const std::int64_t T = options_.positions;
  std::vector<std::uint8_t> reasons(static_cast<std::size_t>(T * T), 0);
  const auto at = [&](std::int64_t t, std::int64_t p) -> std::uint8_t& {
    return reasons[static_cast<std::size_t>(t * T + p)];
  };
  for (std::int64_t t = 0; t < T; ++t) {
    bool is_empty = true;
    for (std::int64_t p = 0; p < t; ++p) {
      if (!declares(step, layer, p, ids_[static_cast<std::size_t>(t)])) continue;
      at(t, p) |= kSparkDirect;
      is_empty = false;
    }
    for (std::int64_t p = 0; options_.inheritance && p < t; ++p) {
      for (std::int64_t q = p + 1; q < t; ++q) {
        if ((at(t, q) & kSparkDirect) != 0 && (at(q, p) & kSparkDirect) != 0) at(t, p) |= kSparkInherited;
      }
    }
    for (std::int64_t p = std::max<std::int64_t>(0, t - options_.window + 1);
         is_empty && options_.fallback && p < t; ++p)
      at(t, p) |= kSparkFallback;
    at(t, t) = kSparkSelf;
  }
  return reasons;
}

std::vector<float> SparkRun::weights(std::uint64_t step, std::int64_t layer) const {
  const std::int64_t T = options_.positions;
  const std::vector<std::uint8_t> reasons = this->reasons(step, layer);
  std::vector<float> weights(reasons.size(), 0);
  for (std::int64_t t = 0; t < T; ++t) {
    std::vector<double> raw;
    double sum = 0;
    for (std::int64_t p = 0; p <= t; ++p) {
      const bool is_in = reasons[static_cast<std::size_t>(t * T + p)] != 0;
      raw.push_back(is_in ? std::exp(2 * uniform(options_.seed, 14, layer, t, p)) : 0);
      sum += raw.back();
    }
    for (std::int64_t p = 0; p <= t; ++p)
      weights[static_cast<std::size_t>(t * T + p)] =
          static_cast<float>(raw[static_cast<std::size_t>(p)] / sum);
  }
  return weights;
}

std::shared_ptr<trace::Frame> SparkRun::frame(std::uint64_t step, const std::vector<std::string>& events) {
  auto made = std::make_shared<trace::Frame>();
  made->row = next_row_++;
  made->step = step;
  made->mono_nanos = static_cast<std::int64_t>(step) * 10'000'000;
  const bool is_probe = step % options_.probe_every == 0;
  add_step(*made);
  if (step % options_.evaluate_every == 0) add_evaluation(*made);
  if (is_probe) add_probe(*made);
  if (step % options_.edges_every == 0) add_edges(*made);
  if (!events.empty()) trace::add_texts(*made, kEvents, events);
  if (made->row == 0) add_once(*made);
  return made;
}

std::shared_ptr<trace::Frame> SparkRun::dense_frame(std::uint64_t step, std::uint64_t turn) {
  auto made = frame(step);
  std::vector<std::byte> bytes;
  const std::int64_t T = options_.positions;
  bytes.reserve(static_cast<std::size_t>(options_.layers * T * (T + 1) / 2) * 20);
  for (std::uint8_t layer = 0; layer < options_.layers; ++layer) {
    for (std::uint16_t t = 0; t < T; ++t) {
      for (std::uint16_t p = 0; p <= t; ++p) {
        std::byte record[20] = {};
        const float weight = 1.f / static_cast<float>(t + 1);
        const std::uint8_t head = 255, kind = p == t ? 8 : 1 << ((t + p + turn) % 3);
        std::memcpy(record + 4, &weight, 4);
        std::memcpy(record + 8, &t, 2);
        std::memcpy(record + 10, &p, 2);
        std::memcpy(record + 14, &layer, 1);
        std::memcpy(record + 15, &head, 1);
        std::memcpy(record + 16, &kind, 1);
        bytes.insert(bytes.end(), record, record + 20);
      }
    }
  }
  for (trace::ChannelData& part : made->data) {
    if (part.channel == schema->find("edges")->id) part.bytes = bytes;
  }
  return made;
}

std::vector<trace::FramePtr> SparkRun::frames(std::uint64_t count) {
  std::vector<trace::FramePtr> made;
  for (std::uint64_t step = 0; step < count; ++step) made.push_back(frame(step));
  return made;
}

void SparkRun::add_step(trace::Frame& frame) const {
  const auto step = static_cast<double>(frame.step);
  const double loss = 2 + 4 * std::exp(-step / 60);
  const std::vector<double> scalars = {loss, loss, (step + 1) * 8 * static_cast<double>(options_.positions),
                                       0.5 + 2 * std::exp(-step / 30)};
  const auto share = [&](double place) { return static_cast<float>(place); };
  std::vector<float> threshold, density;
  // Densities are those of the probe sequence at the last probe, so that pictures of it can be held to them.
  const std::uint64_t probe = frame.step / options_.probe_every * options_.probe_every;
  const std::int64_t T = options_.positions;
  const double pairs = static_cast<double>(T * (T - 1)) / 2;
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    const float theta = this->theta(frame.step, layer);
    threshold.insert(threshold.end(), {theta, 0.f, 0.5f, theta / 0.5f});
    if (options_.displacement) threshold.push_back(theta - this->theta(0, layer));
    double direct = 0, inherited = 0, fallback = 0, empty = 0;
    const auto count = [&](const std::vector<std::uint8_t>& reasons) {
      for (std::int64_t t = 0; t < T; ++t) {
        bool has_direct = false;
        for (std::int64_t p = 0; p < t; ++p) {
          const std::uint8_t reason = reasons[static_cast<std::size_t>(t * T + p)];
          direct += (reason & kSparkDirect) != 0;
          inherited += reason == kSparkInherited;
          fallback += reason == kSparkFallback;
          has_direct |= (reason & kSparkDirect) != 0;
        }
        empty += has_direct ? 0 : 1;
      }
    };
    if (T <= 64) count(reasons(probe, layer));  // cubic in T: long sequences do without
    density.insert(density.end(),
                   {share(direct / pairs), share(inherited / pairs), share(fallback / pairs),
                    share(static_cast<double>(T) / pairs), share((direct + inherited + fallback) / pairs),
                    share(empty / static_cast<double>(T)), share(0.9 * direct / pairs)});
  }
  trace::add_values<double>(frame, kScalars, scalars);
  trace::add_values<float>(frame, kThreshold, threshold);
  trace::add_values<float>(frame, kDensity, density);
}

void SparkRun::add_evaluation(trace::Frame& frame) const {
  const auto step = static_cast<double>(frame.step);
  const double nll = 2.2 + 4 * std::exp(-step / 60);
  trace::add_values<double>(frame, kEvaluation, std::vector<double>{nll, std::exp(nll), nll / 2});
  std::vector<float> needle;
  for (std::int64_t context = 0; context < kContexts; ++context) {
    for (std::size_t depth = 0; depth < kDepths.size(); ++depth) {
      if (context == 2) {  // never evaluated
        needle.insert(needle.end(), 6, std::nanf(""));
        continue;
      }
      const double rise = 1 - std::exp(-step / (60 + 20 * static_cast<double>(depth)));
      const double signal = (context == 0 ? 3.0 : 1.0) * rise - 0.3 * static_cast<double>(context);
      const double found = std::round(rise * static_cast<double>(kTrials)) / static_cast<double>(kTrials);
      for (double value : {signal, 0.25, 6.0, rise, found, static_cast<double>(kTrials)})
        needle.push_back(static_cast<float>(value));
    }
  }
  trace::add_values<float>(frame, kNeedle, needle);
}

void SparkRun::add_probe(trace::Frame& frame) const {
  const std::int64_t T = options_.positions, V = options_.vocabulary;
  const std::size_t row_bytes = static_cast<std::size_t>(T + 7) / 8;
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(options_.layers) * distinct_.size() * row_bytes, 0);
  std::vector<float> top;
  std::vector<std::uint16_t> pooled;
  std::vector<float> stats;
  const std::int64_t block = block_of(T), side = blocks_of(T);
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    for (std::size_t i = 0; i < distinct_.size(); ++i) {
      std::uint8_t* row = bits.data() + (static_cast<std::size_t>(layer) * distinct_.size() + i) * row_bytes;
      for (std::int64_t p = 0; p < T; ++p) {
        if (declares(frame.step, layer, p, distinct_[i]))
          row[p / 8] |= static_cast<std::uint8_t>(1u << (p % 8));
      }
    }
    for (std::int64_t p = 0; p < T; ++p) {
      std::vector<std::pair<float, std::int64_t>> scores;
      for (std::int64_t id = 0; id < V; ++id) scores.emplace_back(-score(frame.step, layer, p, id), id);
      const std::int64_t ranks = std::min(kRanks, V);
      std::partial_sort(scores.begin(), scores.begin() + ranks, scores.end());
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const auto& [negative, id] = scores[static_cast<std::size_t>(rank)];
        top.insert(top.end(), {static_cast<float>(id), -negative});
      }
    }
    const std::vector<std::uint8_t> reasons =
        T <= 64 ? this->reasons(frame.step, layer)
                : std::vector<std::uint8_t>(static_cast<std::size_t>(T * T), 0);
    for (std::uint8_t reason : {kSparkDirect, kSparkInherited, kSparkFallback, kSparkSelf}) {
      std::vector<std::int64_t> counts(static_cast<std::size_t>(side * side), 0);
      for (std::int64_t t = 0; t < T; ++t) {
        for (std::int64_t p = 0; p <= t; ++p) {
          const std::uint8_t pair = reasons[static_cast<std::size_t>(t * T + p)];
          const bool counts_here = reason == kSparkInherited ? pair == kSparkInherited : (pair & reason) != 0;
          counts[static_cast<std::size_t>(t / block * side + p / block)] += counts_here ? 1 : 0;
        }
      }
      for (std::int64_t count : counts)
        pooled.push_back(
            trace::half_from_float(static_cast<float>(count) / static_cast<float>(block * block)));
    }
    for (std::int64_t head = 0; head < options_.heads; ++head) {
      for (int stat = 0; stat < 3; ++stat)
        stats.push_back(static_cast<float>(uniform(options_.seed, 15, layer, head, stat, frame.step)));
    }
  }
  trace::add_values<std::uint8_t>(frame, kDeclared, bits);
  trace::add_values<float>(frame, kDeclaredTop, top);
  trace::add_values<std::uint16_t>(frame, kScopePooled, pooled);
  trace::add_values<float>(frame, kAttentionStats, stats);
}

void SparkRun::add_edges(trace::Frame& frame) const {
  const std::int64_t T = options_.positions;
  std::vector<Edge> edges;
  for (std::int64_t layer = 0; layer < options_.layers && T <= 64; ++layer) {
    const std::vector<std::uint8_t> reasons = this->reasons(frame.step, layer);
    const std::vector<float> weights = this->weights(frame.step, layer);
    for (std::int64_t t = 0; t < T; ++t) {
      for (std::int64_t p = 0; p <= t; ++p) {
        const auto at = static_cast<std::size_t>(t * T + p);
        if (reasons[at] == 0) continue;
        Edge edge;
        edge.score = score(frame.step, layer, p, ids_[static_cast<std::size_t>(t)]);
        edge.weight = weights[at];
        edge.t = static_cast<std::uint16_t>(t);
        edge.p = static_cast<std::uint16_t>(p);
        edge.layer = static_cast<std::uint8_t>(layer);
        edge.kind = reasons[at];
        for (std::int64_t q = p + 1; (reasons[at] & kSparkInherited) != 0 && q < t; ++q) {
          if ((reasons[static_cast<std::size_t>(t * T + q)] & kSparkDirect) == 0 ||
              (reasons[static_cast<std::size_t>(q * T + p)] & kSparkDirect) == 0)
            continue;
          edge.via = static_cast<std::uint16_t>(q);
          break;
        }
        edges.push_back(edge);
      }
    }
  }
  trace::ChannelData part{kEdges, {}};
  part.bytes.resize(edges.size() * sizeof(Edge));
  if (!edges.empty()) std::memcpy(part.bytes.data(), edges.data(), part.bytes.size());
  frame.present.add(kEdges);
  frame.data.push_back(std::move(part));
}

void SparkRun::add_once(trace::Frame& frame) const {
  if (options_.words == SparkWords::Recorded) {
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint32_t> ends;
    for (std::int64_t id = 0; id < options_.vocabulary; ++id) {
      const std::string text = piece(id);
      bytes.insert(bytes.end(), text.begin(), text.end());
      ends.push_back(static_cast<std::uint32_t>(bytes.size()));
    }
    trace::add_values<std::uint8_t>(frame, kVocabulary, bytes);
    trace::add_values<std::uint32_t>(frame, kVocabularyEnds, ends);
  }
  std::vector<std::int32_t> both = ids_;
  both.insert(both.end(), ids_.rbegin(), ids_.rend());
  trace::add_values<std::int32_t>(frame, kProbeIds, both);
  const auto needles = static_cast<std::size_t>(kContexts * std::ssize(kDepths) * kTrials * kNeedleLength);
  trace::add_values<std::int32_t>(frame, kNeedleIds, std::vector<std::int32_t>(needles, 1));
}

}  // namespace sparsescope::test

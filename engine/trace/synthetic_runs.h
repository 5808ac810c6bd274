// What the two synthetic runs share with their source: mixing of numbers, axes, and the runs' entry points.
// Not for others.
#pragma once

#include <string>
#include <vector>

#include "engine/trace/synthetic_source.h"

namespace sparsescope::trace::synthetic {

// splitmix64: one well-mixed number per key, so that no row depends on another.
inline std::uint64_t mixed(std::uint64_t key) {
  key += 0x9e3779b97f4a7c15u;
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
  key = (key ^ key >> 27) * 0x94d049bb133111ebu;
  return key ^ key >> 31;
}
inline std::uint64_t mixed(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0, std::uint64_t d = 0) {
  return mixed(mixed(mixed(mixed(a) ^ b) ^ c) ^ d);
}
inline double uniform(std::uint64_t key) { return static_cast<double>(key >> 11) * 0x1p-53; }
// Zero mean, about unit variance: the sum of three uniforms, which is bell-shaped enough for pictures.
inline double noise(std::uint64_t key) {
  return 2.0 * (uniform(mixed(key)) + uniform(mixed(key + 1)) + uniform(mixed(key + 2)) - 1.5);
}

inline Axis axis(std::string name, std::int64_t size) { return {std::move(name), size, {}}; }
inline Axis labelled(std::string name, std::vector<std::string> labels) {
  const auto size = static_cast<std::int64_t>(labels.size());
  return {std::move(name), size, std::move(labels)};
}
inline std::vector<std::string> numbered(std::int64_t size) {
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < size; ++i) labels.push_back(std::to_string(i));
  return labels;
}

inline Schema head(const SyntheticOptions& options, const std::string& title) {
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

inline Channel channel(std::string name, DType dtype, std::vector<Axis> axes, std::int64_t cadence,
                       std::string unit, std::string text) {
  Channel made;
  made.name = std::move(name);
  made.dtype = dtype;
  made.axes = std::move(axes);
  made.cadence = cadence;
  made.unit = std::move(unit);
  made.text = std::move(text);
  return made;
}

inline constexpr std::int64_t kEpochNanos = 1'767'225'600'000'000'000;  // 2026-01-01 as unix time
inline constexpr std::int64_t kStepNanos = 16'000'000;

Schema spark_schema(const SyntheticOptions& options);
// Fills the frame whose row is set.
void fill_spark(const SyntheticOptions& options, Frame& frame);

Schema every_dtype_schema(const SyntheticOptions& options);
void fill_every_dtype(const SyntheticOptions& options, const Schema& schema, Frame& frame);

}  // namespace sparsescope::trace::synthetic

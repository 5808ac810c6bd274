// Puts a frame together from named channels: looks ids up, checks sizes, keeps the order, stamps the clocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "engine/trace/frame.h"

namespace sparsescope::train {

class FrameBuilder {
 public:
  explicit FrameBuilder(trace::SchemaPtr schema);

  // Whether the run records a channel of this name.
  bool has(std::string_view channel) const { return schema_->find(channel) != nullptr; }

  // Sets a channel of the next frame. Dense: exactly one row; ragged: any number of elements. Throws
  // std::logic_error for an unknown name, a wrong size and a channel set twice.
  template <typename T>
  void set(std::string_view channel, std::span<const T> values) {
    set_bytes(channel, std::as_bytes(values));
  }
  template <typename T>
  void set(std::string_view channel, const std::vector<T>& values) {
    set_bytes(channel, std::as_bytes(std::span<const T>(values)));
  }
  void flag(std::uint32_t flags) { flags_ |= flags; }

  bool is_empty() const { return channels_.empty(); }
  // The frame, with the next row number; the builder is empty afterwards. `step` must not fall.
  trace::FramePtr take(std::uint64_t step);

 private:
  void set_bytes(std::string_view channel, std::span<const std::byte> bytes);

  trace::SchemaPtr schema_;
  std::map<std::uint32_t, std::vector<std::byte>> channels_;  // by id
  std::uint32_t flags_ = 0;
  std::uint64_t row_ = 0;
  std::uint64_t last_step_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::int64_t start_unix_nanos_ = 0;
};

}  // namespace sparsescope::train

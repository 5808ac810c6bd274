// One column of numbers that only grows, with a pyramid of summaries so that any range of any length is drawn
// from a few hundred nodes. Knows positions 0, 1, 2, ...; what stands on the x axis is the run's business.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "viz/model/chunked.h"

namespace sparsescope::viz {

// What a stretch of samples looks like. Non-finite samples are counted and enter nothing else.
struct Bucket {
  double minimum = std::numeric_limits<double>::infinity();
  double maximum = -std::numeric_limits<double>::infinity();
  double first = 0, last = 0;  // finite samples only
  std::uint64_t count = 0;     // finite samples
  std::uint64_t invalid = 0;   // NaN and infinite samples

  bool has_value() const { return count > 0; }
  void add(double value) {
    if (!std::isfinite(value)) {
      ++invalid;
      return;
    }
    if (count == 0) first = value;
    last = value;
    minimum = std::min(minimum, value);
    maximum = std::max(maximum, value);
    ++count;
  }
  // `later` follows this one.
  void add(const Bucket& later) {
    invalid += later.invalid;
    if (later.count == 0) return;
    if (count == 0) first = later.first;
    last = later.last;
    minimum = std::min(minimum, later.minimum);
    maximum = std::max(maximum, later.maximum);
    count += later.count;
  }
  bool operator==(const Bucket&) const = default;
};

class Series {
 public:
  static constexpr std::size_t kFanOut = 16;
  enum class Precision { Single, Double };

  explicit Series(Precision precision = Precision::Double) : precision_(precision) {}

  void append(double value);
  std::size_t size() const { return size_; }
  Precision precision() const { return precision_; }
  // The sample at `i` as recorded; NaN where it has been thinned away.
  double at(std::size_t i) const;

  // Summary of [first, last). `touched`, when given, grows by the nodes read: at most 2 * (kFanOut - 1) a
  // level.
  Bucket fold(std::size_t first, std::size_t last, std::size_t* touched = nullptr) const;

  struct View {
    std::vector<Bucket> buckets;  // one per pixel, at most one per sample
    std::vector<std::size_t>
        begins;  // first sample of each bucket, and the end of the last: buckets.size() + 1
    std::size_t touched = 0;
  };
  // [first, last) in `pixels` buckets of equal sample count (one less or more), whatever its length.
  View query(std::size_t first, std::size_t last, std::size_t pixels) const;
  // One bucket per stretch [boundaries[i], boundaries[i + 1]); boundaries rise.
  View query(std::span<const std::size_t> boundaries) const;

  // First sample in [first, last) that is not finite, or `last`. Exact while the raw samples are there, else
  // the start of the node that holds it.
  std::size_t find_invalid(std::size_t first, std::size_t last) const;

  // Lets go of raw samples before `end` (whole blocks); summaries of kFanOut samples stay. Returns the bytes
  // freed.
  std::size_t thin_before(std::size_t end);
  // First sample whose value is still exact.
  std::size_t exact_from() const;
  std::size_t bytes() const;

 private:
  // Samples (level 0) or nodes of levels_[level - 1], one after the other.
  void add_nodes(std::size_t level, std::size_t first, std::size_t last, Bucket& into) const;

  Precision precision_;
  std::size_t size_ = 0;
  Chunked<float> single_;
  Chunked<double> double_;
  std::vector<Chunked<Bucket, 32>> levels_;  // levels_[k] sums kFanOut^(k+1) samples a node
};

// Exponential moving average without the pull of its start: m / (1 - decay^n). Non-finite samples are passed
// over.
class Smoother {
 public:
  // `window`: the average age of what it remembers, in samples, at least 1 (1: no smoothing).
  explicit Smoother(double window) : decay_(window > 1 ? 1 - 1 / window : 0) {}
  // The average after `value`; NaN before the first finite sample.
  double add(double value);

 private:
  double decay_;
  double sum_ = 0;
  double weight_ = 0;  // 1 - decay^n
};

}  // namespace sparsescope::viz

#include "viz/model/series.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/trace/error.h"

namespace sparsescope::viz {

void Series::append(double value) {
  if (precision_ == Precision::Single) {
    const float rounded = static_cast<float>(value);
    single_.push_back(rounded);
    value = rounded;
  } else {
    double_.push_back(value);
  }
  std::size_t place = size_;
  for (std::size_t level = 0;; ++level) {
    place /= kFanOut;
    if (level == levels_.size()) {
      // A level is born when the one below gets its second node; the first is complete by then.
      if (level > 0 && place == 0 && levels_[level - 1].size() < 2) break;
      levels_.emplace_back();
      if (level > 0) levels_[level].push_back(levels_[level - 1][0]);
    }
    Chunked<Bucket, 32>& nodes = levels_[level];
    if (nodes.size() == place) nodes.push_back({});
    nodes[place].add(value);
  }
  ++size_;
}

double Series::at(std::size_t i) const {
  check(i < size_, "a sample beyond the end of its series");
  if (i < exact_from()) return std::numeric_limits<double>::quiet_NaN();
  return precision_ == Precision::Single ? single_[i] : double_[i];
}

std::size_t Series::exact_from() const {
  return precision_ == Precision::Single ? single_.first() : double_.first();
}

Bucket Series::fold(std::size_t first, std::size_t last, std::size_t* touched) const {
  check(first <= last && last <= size_, "a range beyond the end of its series");
  const std::size_t exact = exact_from();
  if (first < exact) first -= first % kFanOut;
  if (last < exact) last -= last % kFanOut;

  // Climbs from both borders to the level where one step covers what is left; the right border's pieces wait
  // their turn.
  struct Piece {
    std::size_t level, first, last;
  };
  std::array<Piece, 16> waiting;
  std::size_t pieces = 0, count = 0;
  Bucket sum;
  for (std::size_t level = 0; first < last; ++level, first /= kFanOut, last /= kFanOut) {
    const bool is_top = level == levels_.size();
    const std::size_t left_end = is_top ? last : std::min(last, (first + kFanOut - 1) / kFanOut * kFanOut);
    add_nodes(level, first, left_end, sum);
    const std::size_t right_begin = is_top ? last : std::max(left_end, last / kFanOut * kFanOut);
    if (right_begin < last) waiting[pieces++] = {level, right_begin, last};
    count += left_end - first + last - right_begin;
    first = left_end;
    last = right_begin;
  }
  while (pieces > 0) {
    const Piece& piece = waiting[--pieces];
    add_nodes(piece.level, piece.first, piece.last, sum);
  }
  if (touched != nullptr) *touched += count;
  return sum;
}

void Series::add_nodes(std::size_t level, std::size_t first, std::size_t last, Bucket& into) const {
  if (level > 0) {
    for (std::size_t i = first; i < last; ++i) into.add(levels_[level - 1][i]);
  } else if (precision_ == Precision::Single) {
    for (std::size_t i = first; i < last; ++i) into.add(static_cast<double>(single_[i]));
  } else {
    for (std::size_t i = first; i < last; ++i) into.add(double_[i]);
  }
}

Series::View Series::query(std::size_t first, std::size_t last, std::size_t pixels) const {
  last = std::min(last, size_);
  std::vector<std::size_t> boundaries;
  if (first < last && pixels > 0) {
    const std::size_t samples = last - first;
    const std::size_t buckets = std::min(pixels, samples);
    for (std::size_t i = 0; i <= buckets; ++i) boundaries.push_back(first + samples * i / buckets);
  }
  return query(boundaries);
}

Series::View Series::query(std::span<const std::size_t> boundaries) const {
  View view;
  view.begins.assign(boundaries.begin(), boundaries.end());
  for (std::size_t i = 0; i + 1 < boundaries.size(); ++i) {
    view.buckets.push_back(fold(boundaries[i], boundaries[i + 1], &view.touched));
  }
  return view;
}

std::size_t Series::find_invalid(std::size_t first, std::size_t last) const {
  if (fold(first, last).invalid == 0) return last;
  // Halve: the first half that counts an invalid sample holds the first one.
  while (last - first > 1) {
    const std::size_t middle = first + (last - first) / 2;
    if (fold(first, middle).invalid > 0) {
      last = middle;
    } else if (fold(middle, last).invalid > 0) {
      first = middle;
    } else {
      break;  // thinned: both halves lie inside one summary
    }
  }
  return first;
}

std::size_t Series::thin_before(std::size_t end) {
  return precision_ == Precision::Single ? single_.release_before(end) : double_.release_before(end);
}

std::size_t Series::bytes() const {
  std::size_t sum = single_.bytes() + double_.bytes();
  for (const auto& level : levels_) sum += level.bytes();
  return sum;
}

double Smoother::add(double value) {
  if (std::isfinite(value)) {
    sum_ = decay_ * sum_ + (1 - decay_) * value;
    weight_ = decay_ * weight_ + (1 - decay_);
  }
  return weight_ > 0 ? sum_ / weight_ : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace sparsescope::viz

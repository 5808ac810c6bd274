#include "viz/model/declaration_counts.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "engine/trace/error.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::int64_t id_from_label(const std::string& label) {
  std::int64_t id = -1;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), id);
  return error == std::errc() && end == label.data() + label.size() ? id : -1;
}

// Calls `deed(position)` for every set bit.
template <typename Deed>
void for_each_bit(std::span<const std::uint8_t> bits, Deed deed) {
  for (std::size_t byte = 0; byte < bits.size(); ++byte) {
    for (unsigned rest = bits[byte]; rest != 0; rest &= rest - 1)
      deed(static_cast<std::int64_t>(byte) * 8 + std::countr_zero(rest));
  }
}

}  // namespace

DeclaredLayer::DeclaredLayer(const trace::Channel& channel, std::shared_ptr<const trace::ChannelData> row,
                             std::int64_t layer)
    : data_(std::move(row)) {
  const trace::Axis *ids = channel.axis("id"), *layers = channel.axis("layer"),
                    *positions = channel.axis("position");
  if (channel.dtype != trace::DType::Bits || ids == nullptr || layers == nullptr || positions == nullptr)
    throw Error("the channel 'declared' does not hold bits by layer, id and position, so it cannot be shown");
  positions_ = positions->size;
  row_bytes_ = static_cast<std::size_t>((positions->size + 7) / 8);
  const std::size_t layer_bytes = row_bytes_ * static_cast<std::size_t>(ids->size);
  if (layer < 0 || layer >= layers->size ||
      data_->bytes.size() != layer_bytes * static_cast<std::size_t>(layers->size))
    throw Error("a row of the channel 'declared' has another size than its axes say, so it cannot be shown");
  bytes_ = std::span(reinterpret_cast<const std::uint8_t*>(data_->bytes.data()), data_->bytes.size())
               .subspan(layer_bytes * static_cast<std::size_t>(layer), layer_bytes);
  has_labels_ = std::ssize(ids->labels) == ids->size && ids->size > 0;
  for (const std::string& label : ids->labels) {
    ids_.push_back(id_from_label(label));
    has_labels_ &= ids_.back() >= 0 && (ids_.size() < 2 || ids_.back() > ids_[ids_.size() - 2]);
  }
  if (has_labels_) return;
  ids_.clear();
  for (std::int64_t i = 0; i < ids->size; ++i) ids_.push_back(i);
}

std::int64_t DeclaredLayer::row_of(std::int64_t id) const {
  const auto found = std::lower_bound(ids_.begin(), ids_.end(), id);
  return found != ids_.end() && *found == id ? found - ids_.begin() : -1;
}

std::int64_t DeclaredLayer::count(std::int64_t row, std::int64_t end) const {
  const auto all = bits(row);
  std::int64_t sum = 0;
  for (std::int64_t byte = 0; byte < end / 8; ++byte)
    sum += std::popcount(all[static_cast<std::size_t>(byte)]);
  if (end % 8 != 0)
    sum += std::popcount(
        static_cast<std::uint8_t>(all[static_cast<std::size_t>(end / 8)] & ((1u << (end % 8)) - 1u)));
  return sum;
}

double DeclarationCounts::direct_density() const {
  const auto positions = static_cast<double>(by_position.size());
  return positions > 1 ? static_cast<double>(direct_pairs) / (positions * (positions - 1) / 2) : kUnknown;
}

double DeclarationCounts::coverage() const {
  const auto queries = static_cast<double>(std::ssize(read_by_query) - unknown_positions);
  return queries > 0 ? 1 - static_cast<double>(empty_queries) / queries : kUnknown;
}

double DeclarationCounts::hit_rate() const {
  return total.declared > 0 ? static_cast<double>(total.came_true) / static_cast<double>(total.declared)
                            : kUnknown;
}

std::vector<std::int64_t> distance_to_next(std::span<const std::int32_t> text, std::int64_t positions,
                                           std::int64_t id) {
  std::vector<std::int64_t> distances(static_cast<std::size_t>(positions), kAllThatFollows);
  std::int64_t next = -1;
  for (std::int64_t p = positions - 1; p >= 0; --p) {
    if (next >= 0) distances[static_cast<std::size_t>(p)] = next - p;
    if (p < std::ssize(text) && text[static_cast<std::size_t>(p)] == id) next = p;
  }
  return distances;
}

DeclarationCounts count_declarations(const DeclaredLayer& layer, std::span<const std::int32_t> text,
                                     std::int64_t window) {
  const std::int64_t positions = layer.positions();
  DeclarationCounts counts;
  counts.by_position.resize(static_cast<std::size_t>(positions));
  counts.by_row.resize(static_cast<std::size_t>(layer.rows()));
  counts.read_by_query.assign(static_cast<std::size_t>(positions), 0);
  for (std::int64_t row = 0; row < layer.rows(); ++row) {
    const std::vector<std::int64_t> next =
        distance_to_next(text, positions, layer.ids()[static_cast<std::size_t>(row)]);
    DeclarationCounts::Tally& of_row = counts.by_row[static_cast<std::size_t>(row)];
    for_each_bit(layer.bits(row), [&](std::int64_t position) {
      if (position >= positions) return;
      const std::int64_t distance = next[static_cast<std::size_t>(position)];
      const bool came_true = distance != kAllThatFollows && distance <= window;
      DeclarationCounts::Tally& of_position = counts.by_position[static_cast<std::size_t>(position)];
      ++of_position.declared;
      ++of_row.declared;
      of_position.came_true += came_true ? 1 : 0;
      of_row.came_true += came_true ? 1 : 0;
    });
    counts.total.declared += of_row.declared;
    counts.total.came_true += of_row.came_true;
    counts.rows_declared += of_row.declared > 0 ? 1 : 0;
  }
  for (std::int64_t query = 0; query < positions; ++query) {
    const std::int64_t row =
        query < std::ssize(text) ? layer.row_of(text[static_cast<std::size_t>(query)]) : -1;
    if (row < 0) {
      ++counts.unknown_positions;
      continue;
    }
    const std::int64_t read = layer.count(row, query);
    counts.read_by_query[static_cast<std::size_t>(query)] = read;
    counts.direct_pairs += read;
    counts.empty_queries += read == 0 ? 1 : 0;
  }
  return counts;
}

}  // namespace sparsescope::viz

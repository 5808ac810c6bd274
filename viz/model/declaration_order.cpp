#include "viz/model/declaration_order.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace sparsescope::viz {
namespace {

constexpr int kRounds = 24;

struct Axes {
  std::vector<double> rows, positions;              // places
  std::vector<double> row_weight, position_weight;  // declarations
};

// Takes away the trivial axis (all places equal) and scales to variance 1; false when nothing is left.
bool normalise(std::vector<double>& places, const std::vector<double>& weight) {
  double sum = 0, mean = 0, variance = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    sum += weight[i];
    mean += weight[i] * places[i];
  }
  if (sum == 0) return false;
  mean /= sum;
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] -= mean;
    variance += weight[i] * places[i] * places[i];
  }
  if (variance <= 1e-24 * sum) return false;
  const double factor = std::sqrt(sum / variance);
  for (double& place : places) place *= factor;
  return true;
}

template <typename Deed>
void for_each_declaration(const DeclaredLayer& layer, Deed deed) {
  for (std::int64_t row = 0; row < layer.rows(); ++row) {
    const auto bits = layer.bits(row);
    for (std::size_t byte = 0; byte < bits.size(); ++byte) {
      for (unsigned rest = bits[byte]; rest != 0; rest &= rest - 1)
        deed(static_cast<std::size_t>(row), byte * 8 + static_cast<std::size_t>(std::countr_zero(rest)));
    }
  }
}

}  // namespace

const char* order_words(DeclarationOrder order) {
  switch (order) {
    case DeclarationOrder::Frequency:
      return "by frequency in the text";
    case DeclarationOrder::Appearance:
      return "by first appearance in the text";
    case DeclarationOrder::Declared:
      return "by how often declared at this step";
    case DeclarationOrder::Likeness:
      return "by likeness of who declares them at this step";
  }
  return "";
}

RowPlaces places_of(const DeclaredLayer& layer, std::span<const std::int32_t> text) {
  RowPlaces places;
  places.occurrences.assign(static_cast<std::size_t>(layer.rows()), 0);
  places.first.assign(static_cast<std::size_t>(layer.rows()), layer.positions());
  for (std::int64_t p = std::min<std::int64_t>(std::ssize(text), layer.positions()) - 1; p >= 0; --p) {
    const std::int64_t row = layer.row_of(text[static_cast<std::size_t>(p)]);
    if (row < 0) continue;
    ++places.occurrences[static_cast<std::size_t>(row)];
    places.first[static_cast<std::size_t>(row)] = p;
  }
  return places;
}

std::vector<double> likeness_of_rows(const DeclaredLayer& layer, std::span<const std::int64_t> first) {
  Axes axes;
  axes.rows.assign(static_cast<std::size_t>(layer.rows()), 0);
  axes.row_weight.assign(axes.rows.size(), 0);
  axes.positions.assign(static_cast<std::size_t>((layer.positions() + 7) / 8 * 8), 0);
  axes.position_weight.assign(axes.positions.size(), 0);
  for_each_declaration(layer, [&](std::size_t row, std::size_t position) {
    ++axes.row_weight[row];
    ++axes.position_weight[position];
  });
  for (std::size_t row = 0; row < axes.rows.size(); ++row) axes.rows[row] = static_cast<double>(first[row]);
  const auto average = [&](std::vector<double>& to, const std::vector<double>& weight, auto add) {
    std::fill(to.begin(), to.end(), 0.0);
    for_each_declaration(layer, add);
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = weight[i] > 0 ? to[i] / weight[i] : 0;
  };
  for (int round = 0; round < kRounds && normalise(axes.rows, axes.row_weight); ++round) {
    average(axes.positions, axes.position_weight,
            [&](std::size_t row, std::size_t position) { axes.positions[position] += axes.rows[row]; });
    average(axes.rows, axes.row_weight,
            [&](std::size_t row, std::size_t position) { axes.rows[row] += axes.positions[position]; });
  }
  for (std::size_t row = 0; row < axes.rows.size(); ++row) {
    if (axes.row_weight[row] == 0) axes.rows[row] = std::numeric_limits<double>::quiet_NaN();
  }
  return axes.rows;
}

std::vector<std::int64_t> ordered_rows(const DeclaredLayer& layer, const DeclarationCounts& counts,
                                       const RowPlaces& places, DeclarationOrder order) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(layer.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  const auto at = [](const auto& values, std::int64_t row) { return values[static_cast<std::size_t>(row)]; };
  // First appearance breaks every tie, then the id.
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::int64_t a, std::int64_t b) { return at(places.first, a) < at(places.first, b); });
  switch (order) {
    case DeclarationOrder::Appearance:
      break;
    case DeclarationOrder::Frequency:
      std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
        return at(places.occurrences, a) > at(places.occurrences, b);
      });
      break;
    case DeclarationOrder::Declared:
      std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
        return at(counts.by_row, a).declared > at(counts.by_row, b).declared;
      });
      break;
    case DeclarationOrder::Likeness: {
      const std::vector<double> likeness = likeness_of_rows(layer, places.first);
      std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
        const double left = at(likeness, a), right = at(likeness, b);
        if (std::isnan(left) != std::isnan(right)) return std::isnan(right);
        return left < right;
      });
      break;
    }
  }
  return rows;
}

}  // namespace sparsescope::viz

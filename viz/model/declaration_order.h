// In which order the ids of a declaration map stand: by the text, by how often they are declared, or so that
// ids which are declared alike stand beside each other. Deterministic.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "viz/model/declaration_counts.h"

namespace sparsescope::viz {

enum class DeclarationOrder {
  Frequency,   // how often the id stands in the sequence, then first come first
  Appearance,  // where it stands first
  Declared,    // by how many positions it is declared at this step
  Likeness,    // declared by the same positions
};
inline constexpr int kDeclarationOrders = 4;
// "by frequency in the text", ...
const char* order_words(DeclarationOrder order);

// How often each row's id stands in the text, and where first (the number of positions: nowhere).
struct RowPlaces {
  std::vector<std::int64_t> occurrences, first;
};
RowPlaces places_of(const DeclaredLayer& layer, std::span<const std::int32_t> text);

// The rows of `layer` in the wanted order.
std::vector<std::int64_t> ordered_rows(const DeclaredLayer& layer, const DeclarationCounts& counts,
                                       const RowPlaces& places, DeclarationOrder order);

// Places on a line for the rows, so that rows declared by the same positions lie close: the first axis of a
// correspondence analysis (reciprocal averaging without the trivial axis), found in 24 rounds from the rows'
// first places. Rows that nobody declares get no place (not a number).
std::vector<double> likeness_of_rows(const DeclaredLayer& layer, std::span<const std::int64_t> first);

}  // namespace sparsescope::viz

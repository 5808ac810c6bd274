// Draws a declaration map: the matrix with its labels, the strips beside it and the colour bar, and says what
// the pointer is over. What is shown was decided in viz/model/declaration_query.cpp.
#pragma once

#include <optional>

#include "viz/model/declaration_query.h"
#include "viz/model/token_lock.h"
#include "viz/views/view.h"
#include "viz/widgets/heatmap.h"

namespace sparsescope::viz {

// The part of the map that is shown. New data never moves it.
struct DeclarationCamera {
  plot::AxisRange ids, rows;
};

// What the pointer is over: a cell has both, labels and strips have one of them.
struct DeclarationPlace {
  std::optional<std::int64_t> row, column;
  std::int64_t cells = 1;  // that the mark under the pointer stands for
  bool is_cell() const { return row && column; }
  CellIndex cell() const { return {static_cast<int>(*row), static_cast<int>(*column)}; }
};

struct DeclarationMap {
  const DeclarationPicture& picture;
  const DeclarationHistory& history;
  ColorScale scale;
  ImVec2 size{0, 0};                         // framebuffer pixels
  std::optional<CellWalk::Place> held = {};  // by keys: lit and told like the cell under a pointer that rests
};

// The scale in which the picture's values are shown; its quantiles belong to the picture's cells.
ColorScale declaration_scale(const DeclarationPicture& picture);

// Locks row and column of a place, or releases them when they are locked already.
void lock_declaration(const DeclarationPicture& picture, const DeclarationPlace& place, LockClick click,
                      Marks& locked);

// Draws at the cursor position. Pan and zoom go to `camera`, hover and clicks to the selection.
DeclarationPlace draw_declaration_map(const DeclarationMap& map, DeclarationCamera& camera,
                                      ViewContext& context);

}  // namespace sparsescope::viz

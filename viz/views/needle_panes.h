// The parts of the needle view: the curves by depth, the grid of answers found, and what can be asked of a
// trainer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/model/needle_query.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

// One context and depth of one run.
struct NeedlePlace {
  std::size_t run = 0, context = 0, depth = 0;  // indices in the picture
  bool operator==(const NeedlePlace&) const = default;
};
using NeedleHover = std::optional<NeedlePlace>;

// All that is known of a place, as lines: what it is, signal, ceiling, answers found, against the baseline.
std::vector<std::string> place_in_words(const NeedlePicture& picture, const NeedlePlace& place);
// The tooltip of a place; at `corner` when it is given, else at the pointer.
void show_place(const NeedlePicture& picture, const NeedlePlace& place,
                const std::optional<ImVec2>& corner = {});

// Both draw in `size` at the cursor position, light up `lit`, and return the place under the pointer.
NeedleHover draw_depth_curves(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size);
NeedleHover draw_answer_grid(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size);
// B - A of the signal where picture.difference.is_shown(): colours symmetric around 0 where it is beyond two
// standard errors, grey and hatched elsewhere.
NeedleHover draw_difference_grid(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size);
// The lower right corner of a cell of a grid in `size` at `at`.
ImVec2 needle_cell_corner(const NeedlePicture& picture, const NeedlePlace& place, ImVec2 at, ImVec2 size);

// Buttons for an attached trainer: evaluate each context with its time, cancel, hide a needle, take it out.
// Nothing without one.
void draw_needle_actions(const NeedlePicture& picture, ViewContext& context);
// "Evaluate now (about 12 s)": what the scheduled contexts take; without times when no trainer tells.
std::string evaluate_words(const NeedlePicture& picture, const AttachedTrainer* trainer);

}  // namespace sparsescope::viz

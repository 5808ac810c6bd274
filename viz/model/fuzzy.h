// How well a few typed letters fit a text: for the command palette and every other list that is searched.
#pragma once

#include <string_view>

namespace sparsescope::viz {

// 0: some word of `query` is not even a subsequence of `text`. Else the more the better: a word at the start
// of the text beats one at the start of a word, which beats one inside, which beats scattered letters. Case
// does not count; an empty query fits everything with 1.
int fuzzy_score(std::string_view query, std::string_view text);

// Share of pairs of neighbouring letters that two texts have in common, 0 to 1: for what fits nothing.
double likeness(std::string_view a, std::string_view b);

}  // namespace sparsescope::viz

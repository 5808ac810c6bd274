// HTML as running text: one line per paragraph, no markup, no menus. Gumbo reads the page; nothing here
// parses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sparsescope::data {

// Each selector is "tag", ".class" or "#id".
struct HtmlSelection {
  std::vector<std::string> keep;  // only text inside such elements; empty: of the whole body
  std::vector<std::string> skip;  // elements whose text is dropped
};

// The text of a page in UTF-8: blocks, items and table rows on lines of their own, an empty line before
// headings, cells apart by a space, white space folded outside of <pre>, spaces of any kind as one space.
// Scripts, forms, navigation and images have no text.
std::string text_from_html(std::string_view page, const HtmlSelection& selection);

}  // namespace sparsescope::data

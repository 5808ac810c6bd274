// Walks the tree of a page and writes lines.
#include "engine/data/html_text.h"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <memory>

#include "engine/data/utf8.h"

namespace sparsescope::data {
namespace {

constexpr int kDeepest = 1000;  // levels of elements that are looked into

bool is_one_of(GumboTag tag, std::initializer_list<GumboTag> tags) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

bool has_no_text(GumboTag tag) {
  return is_one_of(tag,
                   {GUMBO_TAG_HEAD, GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE, GUMBO_TAG_NOSCRIPT, GUMBO_TAG_TEMPLATE,
                    GUMBO_TAG_SVG, GUMBO_TAG_FORM, GUMBO_TAG_BUTTON, GUMBO_TAG_SELECT, GUMBO_TAG_TEXTAREA,
                    GUMBO_TAG_NAV, GUMBO_TAG_IFRAME, GUMBO_TAG_OBJECT, GUMBO_TAG_AUDIO, GUMBO_TAG_VIDEO});
}

bool is_heading(GumboTag tag) {
  return is_one_of(tag, {GUMBO_TAG_H1, GUMBO_TAG_H2, GUMBO_TAG_H3, GUMBO_TAG_H4, GUMBO_TAG_H5, GUMBO_TAG_H6});
}

bool is_block(GumboTag tag) {
  return is_heading(tag) ||
         is_one_of(tag, {GUMBO_TAG_P,          GUMBO_TAG_DIV,     GUMBO_TAG_UL,      GUMBO_TAG_OL,
                         GUMBO_TAG_LI,         GUMBO_TAG_DL,      GUMBO_TAG_DT,      GUMBO_TAG_DD,
                         GUMBO_TAG_TABLE,      GUMBO_TAG_TR,      GUMBO_TAG_CAPTION, GUMBO_TAG_PRE,
                         GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_SECTION, GUMBO_TAG_ARTICLE, GUMBO_TAG_ASIDE,
                         GUMBO_TAG_HEADER,     GUMBO_TAG_FOOTER,  GUMBO_TAG_FIGURE,  GUMBO_TAG_FIGCAPTION,
                         GUMBO_TAG_MAIN,       GUMBO_TAG_ADDRESS, GUMBO_TAG_HR,      GUMBO_TAG_BR});
}

// Lines under construction.
class Lines {
 public:
  void add(std::string_view text, bool is_verbatim) {
    while (!text.empty()) {
      const std::size_t length = std::max<std::size_t>(character_bytes(text), 1);
      add_character(text.substr(0, length), is_verbatim);
      text.remove_prefix(length);
    }
  }
  void space() { has_space_ = true; }
  void end_line() {
    while (!line_.empty() && line_.back() == ' ') line_.pop_back();
    if (!line_.empty()) text_ += line_ + "\n";
    line_.clear();
    has_space_ = false;
  }
  void empty_line() {
    end_line();
    if (!text_.empty() && !text_.ends_with("\n\n")) text_ += "\n";
  }
  std::string take() {
    end_line();
    while (text_.ends_with("\n\n")) text_.pop_back();
    return std::move(text_);
  }

 private:
  void add_character(std::string_view character, bool is_verbatim) {
    // No-break, thin and other spaces; characters without width; what is not UTF-8.
    constexpr std::array<std::string_view, 8> kSpaces = {"\u00a0", "\u202f", "\u2009", "\u2002",
                                                         "\u2003", "\u2007", "\u2008", "\u3000"};
    constexpr std::array<std::string_view, 5> kNothing = {"\u00ad", "\u200b", "\u200c", "\u2060", "\ufeff"};
    const auto is_in = [&](const auto& list) {
      return std::find(list.begin(), list.end(), character) != list.end();
    };
    const auto first = static_cast<unsigned char>(character[0]);
    if (is_in(kNothing) || character_bytes(character) == 0) return;
    if (is_verbatim && character == "\n") return end_line();
    if (character == " " || (first < 0x20) || first == 0x7f || is_in(kSpaces)) {
      if (is_verbatim) line_ += ' ';
      has_space_ = !is_verbatim;
      return;
    }
    if (has_space_ && !line_.empty()) line_ += ' ';
    has_space_ = false;
    line_ += character;
  }

  std::string text_, line_;
  bool has_space_ = false;
};

bool has_class(std::string_view classes, std::string_view name) {
  while (!classes.empty()) {
    const std::size_t end = std::min(classes.find_first_of(" \t\n"), classes.size());
    if (classes.substr(0, end) == name) return true;
    classes.remove_prefix(std::min(end + 1, classes.size()));
  }
  return false;
}

bool matches(const GumboElement& element, const std::string& selector) {
  const auto attribute = [&element](const char* name) -> std::string_view {
    const GumboAttribute* found = gumbo_get_attribute(&element.attributes, name);
    return found == nullptr ? "" : found->value;
  };
  if (selector.starts_with('#')) return attribute("id") == std::string_view(selector).substr(1);
  if (selector.starts_with('.')) return has_class(attribute("class"), std::string_view(selector).substr(1));
  if (element.tag == GUMBO_TAG_UNKNOWN) return false;
  return gumbo_normalized_tagname(element.tag) == selector;
}

bool matches_any(const GumboElement& element, const std::vector<std::string>& selectors) {
  return std::any_of(selectors.begin(), selectors.end(),
                     [&element](const std::string& selector) { return matches(element, selector); });
}

class Walker {
 public:
  explicit Walker(const HtmlSelection& selection) : selection_(selection) {}

  struct Place {
    bool is_kept = false, is_verbatim = false;
    int depth = 0;
  };

  void walk(const GumboNode& node, Place place) {
    switch (node.type) {
      case GUMBO_NODE_TEXT:
      case GUMBO_NODE_WHITESPACE:
      case GUMBO_NODE_CDATA:
        if (place.is_kept) lines_.add(node.v.text.text, place.is_verbatim);
        return;
      case GUMBO_NODE_ELEMENT:
        walk_element(node.v.element, place);
        return;
      default:
        return;
    }
  }

  std::string take() { return lines_.take(); }

 private:
  void walk_element(const GumboElement& element, Place place) {
    if (has_no_text(element.tag) || ++place.depth > kDeepest || matches_any(element, selection_.skip)) return;
    place.is_kept = place.is_kept || matches_any(element, selection_.keep);
    place.is_verbatim = place.is_verbatim || element.tag == GUMBO_TAG_PRE;
    const bool is_lines = is_block(element.tag);
    if (is_heading(element.tag) && place.is_kept) lines_.empty_line();
    if (is_lines) lines_.end_line();
    if (is_one_of(element.tag, {GUMBO_TAG_TD, GUMBO_TAG_TH})) lines_.space();
    for (unsigned i = 0; i < element.children.length; ++i)
      walk(*static_cast<const GumboNode*>(element.children.data[i]), place);
    if (is_lines) lines_.end_line();
  }

  const HtmlSelection& selection_;
  Lines lines_;
};

}  // namespace

std::string text_from_html(std::string_view page, const HtmlSelection& selection) {
  const auto destroy = [](GumboOutput* output) { gumbo_destroy_output(&kGumboDefaultOptions, output); };
  const std::unique_ptr<GumboOutput, decltype(destroy)> output(
      gumbo_parse_with_options(&kGumboDefaultOptions, page.data(), page.size()), destroy);
  Walker walker(selection);
  walker.walk(*output->root, {.is_kept = selection.keep.empty()});
  return walker.take();
}

}  // namespace sparsescope::data

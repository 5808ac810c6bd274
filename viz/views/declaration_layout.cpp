// The parts around the matrix of a declaration map.
#include "viz/views/declaration_layout.h"

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

constexpr float kLabel = kSmallText - 1;

// Words on a surface of their own, legible over neighbours.
void draw_chip(ImVec2 at, float width, const std::string& words, Token ink) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float height = text_size(Font::Regular, kLabel, words.c_str()).y;
  list->AddRectFilled({at.x - px(4), at.y - px(1)}, {at.x + width + px(4), at.y + height + px(1)},
                      color(Token::Raised), px(4));
  list->AddRect({at.x - px(4), at.y - px(1)}, {at.x + width + px(4), at.y + height + px(1)}, color(ink),
                px(4));
  draw_text_within(list, Font::Regular, kLabel, at, width, color(Token::Text), words);
}

void draw_row_label(const DeclarationRow& row, const DeclarationLayout& layout, float y, Token ink) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float height = text_size(Font::Regular, kLabel, "0").y, top = y - height / 2;
  const float right = layout.min.x - px(8);
  float left = layout.outer_min.x;
  if (row.position >= 0) {
    const std::string number = std::to_string(row.position);
    const float width = text_size(Font::Mono, kLabel, number.c_str()).x,
                column = text_size(Font::Mono, kLabel, "0000").x;
    draw_text(list, Font::Mono, kLabel, {left + column - width, top}, color(ink), number.c_str());
    left += column + px(8);
  }
  if (right - left > px(20))
    draw_text_within(list, Font::Regular, kLabel, {left, top}, right - left,
                     color(ink == Token::Muted ? Token::Text : ink), row.word);
}

struct Marked {
  std::int64_t index;
  Token ink;
};

}  // namespace

void draw_row_labels(const DeclarationMap& map, const DeclarationLayout& layout, const Selection& selection) {
  const DeclarationPicture& picture = map.picture;
  const float line = text_size(Font::Regular, kLabel, "0").y + px(2), height = layout.row_height();
  std::vector<Marked> marked;
  const auto add = [&](const std::optional<std::int64_t>& token, Token ink) {
    const std::int64_t row = token ? row_of_position(picture, *token) : -1;
    if (row >= 0) marked.push_back({row, ink});
  };
  add(selection.hover_before.token, Token::Text);
  add(selection.locked.token, Token::Accent);
  add(selection.locked.second_token, Token::Accent);
  std::vector<float> taken;
  for (const Marked& mark : marked) {
    const float y = layout.y(static_cast<double>(mark.index) + 0.5);
    if (y < layout.min.y || y > layout.max.y) continue;
    if (std::any_of(taken.begin(), taken.end(), [&](float other) { return std::abs(other - y) < line; }))
      continue;
    taken.push_back(y);
    draw_row_label(picture.rows[static_cast<std::size_t>(mark.index)], layout, y, mark.ink);
  }
  const auto every = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(line / height)));
  const auto first = static_cast<std::int64_t>(std::max(0.0, layout.rows.minimum)) / every * every;
  for (std::int64_t row = first; row < std::ssize(picture.rows); row += every) {
    const float y = layout.y(static_cast<double>(row) + 0.5);
    if (y > layout.max.y) break;
    if (y < layout.min.y) continue;
    if (std::any_of(taken.begin(), taken.end(), [&](float other) { return std::abs(other - y) < line; }))
      continue;
    draw_row_label(picture.rows[static_cast<std::size_t>(row)], layout, y, Token::Muted);
  }
}

void draw_column_labels(const DeclarationMap& map, const DeclarationLayout& layout,
                        const Selection& selection) {
  const DeclarationPicture& picture = map.picture;
  ImDrawList* list = ImGui::GetWindowDrawList();
  std::vector<Range> taken;  // pixels
  const float top = layout.max.y + px(6), most = px(96);
  // A label under the middle of its column, with a short tick; false when there is no room.
  const auto place = [&](std::int64_t column, Token ink, bool is_marked) {
    const std::string& word = picture.columns[static_cast<std::size_t>(column)].word;
    const float width = std::min(most, text_size(Font::Regular, kLabel, word.c_str()).x);
    const float middle = layout.x(static_cast<double>(column) + 0.5);
    if (middle < layout.min.x || middle > layout.max.x) return;
    const float left = std::clamp(middle - width / 2, layout.outer_min.x, layout.outer_max.x - width);
    const Range room{static_cast<double>(left - px(5)), static_cast<double>(left + width + px(5))};
    if (std::any_of(taken.begin(), taken.end(), [&](const Range& other) {
          return other.minimum < room.maximum && room.minimum < other.maximum;
        }))
      return;
    taken.push_back(room);
    const float at = std::floor(middle) + 0.5f;
    list->AddLine({at, layout.max.y}, {at, layout.max.y + px(4)}, color(is_marked ? ink : Token::Faint),
                  px(1));
    if (is_marked) return draw_chip({left, top}, width, word, ink);
    draw_text_within(list, Font::Regular, kLabel, {left, top}, width + px(1), color(ink), word);
  };
  const auto mark = [&](const std::optional<std::int64_t>& id, Token ink) {
    const std::int64_t column = id ? column_of_id(picture, *id) : -1;
    if (column >= 0) place(column, ink, true);
  };
  mark(selection.hover_before.vocabulary_id, Token::Text);
  mark(selection.locked.vocabulary_id, Token::Accent);
  for (const DeclaredToken& token : picture.found) {
    if (token.column >= 0) place(token.column, Token::Warn, true);
  }
  const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(layout.ids.minimum));
  // Where columns are narrower than a label can be, only every so many of them is tried.
  const auto stride =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(px(6) / std::max(0.01f, layout.column_width())));
  for (std::int64_t column = first; column < std::ssize(picture.columns); column += stride) {
    if (static_cast<double>(column) > layout.ids.maximum) break;
    place(column, Token::Muted, false);
  }
}

void draw_row_strips(const DeclarationMap& map, const DeclarationLayout& layout) {
  const std::vector<DeclarationRow>& rows = map.picture.rows;
  ImDrawList* list = ImGui::GetWindowDrawList();
  std::int64_t most = 1;
  for (const DeclarationRow& row : rows)
    most = std::max(most, row.declared / std::max<std::int64_t>(1, row.occurrences));
  const float width = px(kStripWidth), step = px(kStripWidth + kStripGap);
  const float left = layout.max.x + px(kStripGap);
  const char* names[kDeclarationStrips] = {"declares", "came true", "covered"};
  for (int strip = 0; strip < kDeclarationStrips; ++strip) {
    const float x = left + step * static_cast<float>(strip);
    const float height = text_size(Font::Regular, kLabel - 1, names[strip]).y;
    draw_text(list, Font::Regular, kLabel - 1, {x, layout.min.y - height - px(2)}, color(Token::Muted),
              names[strip]);
    list->AddLine({std::floor(x) + 0.5f, layout.min.y}, {std::floor(x) + 0.5f, layout.max.y},
                  color(Token::Line), px(1));
  }
  const auto share = [&](const DeclarationRow& row, int strip) {
    const auto of = static_cast<double>(std::max<std::int64_t>(1, row.occurrences));
    if (strip == 0) return static_cast<double>(row.declared) / of / static_cast<double>(most);
    if (strip == 1) return std::isnan(row.hit_rate()) ? 0 : row.hit_rate();
    return static_cast<double>(row.covered) / of;
  };
  for (int strip = 0; strip < kDeclarationStrips; ++strip) {
    const float x = left + step * static_cast<float>(strip);
    const Token ink = strip == 1 ? Token::Accent : Token::Direct;
    const auto value = [&](std::int64_t i) {
      // An empty row must not vanish beside covered ones: there the smallest speaks.
      const double of = share(rows[static_cast<std::size_t>(i)], strip);
      return strip == 2 ? -of : of;
    };
    for_each_fold(std::ssize(rows), layout.rows, layout.min.y, layout.max.y, px(1), value,
                  [&](float from, float to, std::int64_t i) {
                    const double of = share(rows[static_cast<std::size_t>(i)], strip);
                    const float gap = to - from >= px(4) ? px(1) : 0;
                    if (strip == 2 && of == 0) {
                      // Reads the recent window: a short mark of another colour.
                      list->AddRectFilled({x, from + gap}, {x + px(8), to}, color(Token::Fallback));
                      return;
                    }
                    if (of > 0)
                      list->AddRectFilled({x, from + gap}, {x + width * static_cast<float>(of), to},
                                          color(ink, strip == 2 ? 0.55f : 0.85f));
                  });
  }
}

void draw_column_bars(const DeclarationMap& map, const DeclarationLayout& layout) {
  const std::vector<DeclarationColumn>& columns = map.picture.columns;
  ImDrawList* list = ImGui::GetWindowDrawList();
  std::int64_t most = 1;
  for (const DeclarationColumn& column : columns) most = std::max(most, column.declared);
  const float base = layout.min.y - px(3), height = px(kBarHeight);
  const auto value = [&](std::int64_t i) { return columns[static_cast<std::size_t>(i)].declared; };
  for_each_fold(
      std::ssize(columns), layout.ids, layout.min.x, layout.max.x, px(1), value,
      [&](float from, float to, std::int64_t i) {
        const float of = static_cast<float>(value(i)) / static_cast<float>(most);
        const float gap = to - from >= px(4) ? px(1) : 0;
        if (of > 0)
          list->AddRectFilled({from + gap, base - height * of}, {to, base}, color(Token::Direct, 0.85f));
      });
  const std::string words = "declared by ≤ " + format_count(most);
  const float text = text_size(Font::Regular, kLabel - 1, words.c_str()).x;
  draw_text(list, Font::Regular, kLabel - 1,
            {std::max(layout.outer_min.x, layout.min.x - px(8) - text), base - height}, color(Token::Muted),
            words.c_str());
}

}  // namespace sparsescope::viz

// The card of one token: its fields below each other, each with its own state.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "viz/model/format.h"
#include "viz/views/token_parts.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr std::size_t kPlacesShown = 12;
constexpr float kNeedsForColumns = 620;                  // at scale 1
constexpr float kReasonColumn = 60, kNumberColumn = 58;  // at scale 1

std::string exact(double value) { return fmt::format("{:.9g}", value); }

const char* foremost_words(std::uint8_t reasons) {
  if ((reasons & kReadDirect) != 0) return "direct";
  if ((reasons & kReadInherited) != 0) return "inherited";
  return (reasons & kReadFallback) != 0 ? "fallback" : "self";
}

void go_to_button(ViewContext& context, const TokenField& field) {
  if (!field.go_to) return;
  FontScope font(Font::Regular, kSmallText);
  if (ImGui::Button(fmt::format("Go to step {}", step_in_words(*field.go_to)).c_str(), {0, px(kTokenRow)}))
    context.timeline.cursor().seek(*field.go_to);
}

// Fields of an earlier step than the one shown say so.
std::uint64_t context_step(const ViewContext& context) {
  const Run* run = context.timeline.current(context.selection.run);
  const Cursor& cursor = context.timeline.cursor();
  return cursor.is_following() && run != nullptr ? run->newest_step() : cursor.step();
}

// A weight too small for three decimals is not nothing.
std::string weight_words(double weight) {
  return weight > 0 && weight < 0.0005 ? "<0.001" : format_fixed(weight, 3);
}

// The heading of a field with its remark; false when there are no values below it.
bool field_heading(ViewContext& context, const char* title, std::string detail, const TokenField& field) {
  ImGui::Dummy({0, px(4)});
  ui::heading(title);
  if (field.is_ready() && field.step && *field.step < context_step(context))
    detail += (detail.empty() ? "step " : ", step ") + step_in_words(*field.step);
  if (!detail.empty()) {
    ImGui::SameLine(0, px(8));
    ui::muted(detail);
  }
  if (field.words.empty()) return field.is_ready();
  FontScope font(Font::Regular, kSmallText);
  ui::wrapped(field.words, field.state == FieldState::Failed ? Token::Error : Token::Muted);
  go_to_button(context, field);
  return field.is_ready();
}

// One row: what stands left, then what stands right of it, drawn by the caller at places given in pixels.
struct RowPlace {
  ImVec2 at;
  float width = 0;
};
RowPlace begin_row() { return {ImGui::GetCursorScreenPos(), ImGui::GetContentRegionAvail().x}; }
void end_row(const RowPlace& row) {
  ImGui::SetCursorScreenPos(row.at);
  ImGui::Dummy({row.width, px(kTokenRow) - ImGui::GetStyle().ItemSpacing.y + px(2)});
}

void draw_word(const RowPlace& row, float x, const std::string& words, ImU32 ink) {
  const ImVec2 size = text_size(Font::Regular, kSmallText - 0.5f, words.c_str());
  draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 0.5f,
            {x, row.at.y + (px(kTokenRow) - size.y) / 2}, ink, words.c_str());
}

// The number of a position behind its link.
void draw_place(const RowPlace& row, float x, std::int64_t position) {
  ImGui::SetCursorScreenPos({x, row.at.y});
  copyable("place", format_count(position), std::to_string(position), Align::Left, Token::Muted);
}

void draw_read(ViewContext& context, const TokenRead& read, bool has_weights) {
  const RowPlace row = begin_row();
  const float right = row.at.x + row.width, reason_x = right - px(kReasonColumn);
  const float number_x = reason_x - px(24);
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float room = number_x - px(has_weights ? kNumberColumn : 0) - row.at.x - px(40);
  const float taken = token_link(context, read.other, std::max(px(40), room));
  draw_place(row, row.at.x + taken + px(6), read.other.position);
  if (has_weights) {
    ImGui::SetCursorScreenPos({number_x, row.at.y});
    copyable("weight", weight_words(read.weight), exact(read.weight), Align::Right);
    // Of all attention there is to give: bars of different lists can be compared.
    const auto share = static_cast<float>(read.weight);
    const float y = row.at.y + px(kTokenRow - 1);
    list->AddLine({row.at.x, y}, {row.at.x + (number_x - row.at.x) * std::clamp(share, 0.f, 1.f), y},
                  reason_color(read.reasons, 0.55f), px(2));
  }
  const float middle = row.at.y + px(kTokenRow / 2);
  reason_stroke(list, {number_x + px(6), middle}, {reason_x - px(4), middle}, read.reasons, px(2));
  draw_word(row, reason_x, foremost_words(read.reasons), reason_color(read.reasons));
  ImGui::SetCursorScreenPos({reason_x, row.at.y});
  ImGui::InvisibleButton("reason", {px(kReasonColumn), px(kTokenRow)});
  std::string why = reason_words(read.reasons);
  if (read.via) why += fmt::format(", via “{}” at {}", read.via->word, format_count(read.via->position));
  ui::tooltip(why, std::isnan(read.score) ? "" : "score " + format_number(read.score, 6));
  end_row(row);
}

void draw_reads(ViewContext& context, const char* title, const ReadList& list) {
  ImGui::PushID(title);
  std::string detail;
  if (list.is_ready()) {
    detail = fmt::format("{} {}", format_count(static_cast<std::int64_t>(list.total)),
                         list.total == 1 ? "token" : "tokens");
  }
  if (field_heading(context, title, detail, list)) {
    int place = 0;
    for (const TokenRead& read : list.rows) {
      ImGui::PushID(place++);
      draw_read(context, read, list.has_weights);
      ImGui::PopID();
    }
    if (list.total == 0) ui::muted("Nothing");
    if (const std::size_t more = list.total - list.rows.size(); more > 0) {
      std::string words = fmt::format("{} more", format_count(static_cast<std::int64_t>(more)));
      if (list.has_weights) words += fmt::format(", weight {} in all", weight_words(list.hidden_weight));
      ui::muted(words);
    }
  }
  ImGui::PopID();
}

void draw_declared(ViewContext& context, const DeclaredList& list) {
  ImGui::PushID("declares");
  std::string detail;
  if (list.is_ready()) {
    if (list.of_sequence) detail = fmt::format("{} of {} ids here", *list.of_sequence, list.distinct_ids);
  }
  if (field_heading(context, "Declares", detail, list)) {
    int place = 0;
    for (const DeclaredId& declared : list.rows) {
      ImGui::PushID(place++);
      const RowPlace row = begin_row();
      const float right = row.at.x + row.width, words_x = right - px(kReasonColumn);
      TokenName id = declared.name;
      id.position = -1;  // the link is about the id
      const float taken =
          token_link(context, id, std::max(px(40), words_x - px(kNumberColumn + 24) - row.at.x));
      if (declared.name.position >= 0)
        draw_word(row, row.at.x + taken + px(6), "next at " + format_count(declared.name.position),
                  color(Token::Muted));
      const bool is_known = !std::isnan(declared.margin);
      const double value = is_known ? declared.margin : declared.score;
      ImGui::SetCursorScreenPos({words_x - px(24), row.at.y});
      copyable("margin", fmt::format("{}{}", is_known && value > 0 ? "+" : "", format_fixed(value, 3)),
               exact(value), Align::Right, declared.is_declared() || !is_known ? Token::Text : Token::Muted);
      draw_word(row, words_x,
                !is_known                ? "score"
                : declared.is_declared() ? "above θ"
                                         : "below θ",
                color(declared.is_declared() ? Token::Accent : Token::Muted));
      end_row(row);
      ImGui::PopID();
    }
    if (!list.rows.empty() && !std::isnan(list.theta)) {
      const RowPlace row = begin_row();
      const std::string words = "score − θ; θ is ";
      draw_word(row, row.at.x, words, color(Token::Muted));
      ImGui::SetCursorScreenPos(
          {row.at.x + text_size(Font::Regular, kSmallText - 0.5f, words.c_str()).x, row.at.y});
      copyable("theta", format_number(list.theta, 4), exact(list.theta), Align::Left, Token::Muted);
      end_row(row);
    }
  }
  ImGui::PopID();
}

void draw_guesses(ViewContext& context, const GuessList& list) {
  ImGui::PushID("guesses");
  if (field_heading(context, "Top predictions", "", list)) {
    int place = 0;
    for (const TokenGuess& guess : list.rows) {
      ImGui::PushID(place++);
      const RowPlace row = begin_row();
      token_link(context, guess.name, row.width - px(kNumberColumn));
      ImGui::SetCursorScreenPos({row.at.x + row.width, row.at.y});
      copyable("probability", format_percent(guess.probability, 1), exact(guess.probability), Align::Right);
      end_row(row);
      ImGui::PopID();
    }
  }
  ImGui::PopID();
}

// A label, and its number at the right end.
void draw_number(ViewContext& context, const char* label, const NumberField& field,
                 const std::string& shown) {
  ImGui::PushID(label);
  const RowPlace row = begin_row();
  draw_word(row, row.at.x, label, color(Token::Text));
  const float right = row.at.x + row.width;
  if (field.is_ready()) {
    ImGui::SetCursorScreenPos({right, row.at.y});
    copyable("number", shown, exact(field.value), Align::Right);
  } else {
    const float left = row.at.x + text_size(Font::Regular, kSmallText - 0.5f, label).x + px(12);
    const ImVec2 size = text_size(Font::Regular, kSmallText - 0.5f, field.words.c_str());
    draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 0.5f,
                     {std::max(left, right - size.x), row.at.y + (px(kTokenRow) - size.y) / 2}, right - left,
                     color(field.state == FieldState::Failed ? Token::Error : Token::Muted), field.words);
  }
  end_row(row);
  if (!field.is_ready()) go_to_button(context, field);
  ImGui::PopID();
}

void draw_places(ViewContext& context, const TokenCard& card) {
  ui::muted(card.places.size() == 1 ? "once in this text"
                                    : fmt::format("{} times in this text, at", card.places.size()));
  if (card.places.size() < 2) return;
  ImGui::PushID("places");
  const float right = ImGui::GetCursorScreenPos().x + ImGui::GetContentRegionAvail().x;
  std::size_t shown = 0;
  for (std::int64_t place : card.places) {
    if (shown == kPlacesShown) break;
    const TokenName name{place, card.token.id, format_count(place)};
    const float width = token_link_width(name, px(80));
    if (shown > 0 && ImGui::GetItemRectMax().x + px(4) + width < right) ImGui::SameLine(0, px(4));
    token_link(context, name, px(80));
    ++shown;
  }
  if (card.places.size() > shown) ui::muted(fmt::format("and {} more", card.places.size() - shown));
  ImGui::PopID();
}

void draw_column(const char* id, float width, const std::function<void()>& content) {
  if (ImGui::BeginChild(id, {width, 0}, ImGuiChildFlags_AutoResizeY)) content();
  ImGui::EndChild();
}

}  // namespace

void draw_token_card(ViewContext& context, const TokenCard& card, int slot) {
  ImGui::PushID(slot);
  if (!card.missing.empty()) {
    ui::wrapped(card.missing, Token::Warn);
    ImGui::PopID();
    return;
  }
  const RowPlace row = begin_row();
  const float taken = token_link(context, card.token, row.width * 0.5f);
  float x = row.at.x + taken + px(8);
  ImGui::PushID("name");
  draw_word(row, x, "token", color(Token::Muted));
  x += text_size(Font::Regular, kSmallText - 0.5f, "token ").x;
  ImGui::SetCursorScreenPos({x, row.at.y});
  x += copyable("position", format_count(card.token.position), std::to_string(card.token.position),
                Align::Left) +
       px(8);
  draw_word(row, x, "id", color(Token::Muted));
  x += text_size(Font::Regular, kSmallText - 0.5f, "id ").x;
  ImGui::SetCursorScreenPos({x, row.at.y});
  copyable("id", format_count(card.token.id), std::to_string(card.token.id), Align::Left);
  ImGui::PopID();
  end_row(row);
  if (card.is_needle) ui::wrapped("Part of the injected needle", Token::Warn);
  draw_places(context, card);
  draw_number(context, "Surprisal", card.surprisal, format_unit(card.surprisal.value, "nats"));
  const auto scope = [&] {
    draw_reads(context, "Reads from", card.reads);
    draw_reads(context, "Read by", card.readers);
  };
  const auto predictions = [&] {
    draw_declared(context, card.declares);
    draw_guesses(context, card.guesses);
  };
  const float room = ImGui::GetContentRegionAvail().x;
  if (room < px(kNeedsForColumns)) {
    scope();
    predictions();
  } else {
    draw_column("scope", (room - px(24)) / 2, scope);
    ImGui::SameLine(0, px(24));
    draw_column("predictions", (room - px(24)) / 2, predictions);
  }
  ImGui::PopID();
}

}  // namespace sparsescope::viz

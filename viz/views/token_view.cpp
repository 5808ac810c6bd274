#include "viz/views/token_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "viz/model/format.h"
#include "viz/model/token_lock.h"
#include "viz/views/token_parts.h"
#include "viz/widgets/controls.h"

namespace sparsescope::viz {
namespace {

constexpr std::array<const char*, 4> kRowNames = {"4", "8", "16", "32"};
constexpr std::array<int, 4> kRows = {4, 8, 16, 32};
constexpr std::array<const char*, 2> kOrderNames = {"by weight", "by position"};
constexpr std::array<const char*, 3> kMarkNames = {"what it reads", "what reads it", "nothing"};
constexpr float kCardWidth = 300;  // two cards below each other where there is less for each; at scale 1
constexpr int kPanelRows = 4;

template <std::size_t count>
bool choose(const char* label, const std::array<const char*, count>& names, int& index) {
  ui::muted(label);
  return ui::segmented(label, names, index);
}

// An integer of an object that lies in [0, most], else `otherwise`.
std::int64_t number_of(const nlohmann::json& json, const char* name, std::int64_t least, std::int64_t most,
                       std::int64_t otherwise) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  if (!json.is_object() || found == json.end() || !found->is_number_integer()) return otherwise;
  const auto value = found->template get<std::int64_t>();
  return value >= least && value <= most ? value : otherwise;
}

void draw_cards(ViewContext& context, const TokenPicture& picture) {
  const float room = ImGui::GetContentRegionAvail().x;
  const bool is_pair = picture.cards.size() == 2 && room >= 2 * px(kCardWidth);
  const float width = is_pair ? (room - px(20)) / 2 : room;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  float bottom = at.y;
  for (std::size_t i = 0; i < picture.cards.size(); ++i) {
    if (is_pair) ImGui::SetCursorScreenPos({at.x + (width + px(20)) * static_cast<float>(i), at.y});
    if (!is_pair && i > 0) {
      ImGui::Dummy({0, px(8)});
      ImGui::Separator();
      ImGui::Dummy({0, px(4)});
    }
    ImGui::PushID(static_cast<int>(i));
    if (ImGui::BeginChild("card", {width, 0}, ImGuiChildFlags_AutoResizeY))
      draw_token_card(context, picture.cards[i], static_cast<int>(i));
    ImGui::EndChild();
    ImGui::PopID();
    bottom = std::max(bottom, ImGui::GetItemRectMax().y);
  }
  if (is_pair) {
    ImGui::GetWindowDrawList()->AddLine({at.x + width + px(10), at.y}, {at.x + width + px(10), bottom},
                                        color(Token::Line), px(1));
    ImGui::SetCursorScreenPos({at.x, bottom});
    ImGui::Dummy({room, px(1)});
  }
}

}  // namespace

Applies TokenView::applies(const Run& run) const {
  if (run.track("probe_ids") != nullptr) return {};
  return {false,
          "This run has no probe sequence. Every preset that trains here records the channel 'probe_ids'"};
}

void TokenView::draw_marks(ViewContext& context) {
  const TokenPicture& shown = picture();
  if (shown.state == PictureState::Waiting) {
    ui::muted(shown.words);
    return;
  }
  const float height = ImGui::GetContentRegionAvail().y;
  if (!shown.hidden.empty()) ui::muted(shown.hidden);
  if (held_ && *held_ >= std::ssize(shown.strip)) held_.reset();
  const std::optional<std::int64_t> before = context.selection.hover.token;
  strip_.draw(context, shown, marks_,
              shown.cards.empty() ? height - px(30) : std::max(px(kTokenRow * 3), height * 0.36f), held_);
  // A pointer that moves over the text takes the held token along.
  if (held_ && pointer_moved() && context.selection.hover.token && context.selection.hover.token != before) {
    held_ = context.selection.hover.token;
  } else if (held_) {
    context.selection.hover.token = held_;
  }
  ImGui::Dummy({0, px(2)});
  ui::muted(shown.limits);
  if (shown.cards.empty()) return;
  ImGui::Dummy({0, px(4)});
  if (ImGui::BeginChild("cards", {0, 0})) draw_cards(context, shown);
  ImGui::EndChild();
}

bool TokenView::walk(ViewContext& context, Walk key) {
  if (!has_cells() || (!held_ && key != Walk::Enter)) return false;
  Marks& locked = context.selection.locked;
  if (key == Walk::Leave) {
    held_.reset();
  } else if (!held_) {
    const auto& hovered = context.selection.hover_before.token;
    held_ = std::clamp<std::int64_t>(hovered.value_or(locked.token.value_or(0)), 0,
                                     std::ssize(picture().strip) - 1);
  } else if (key == Walk::Enter) {
    lock_token(locked, *held_, LockClick::Plain);
  } else {
    held_ = strip_.moved(*held_, key);
  }
  return true;
}

bool TokenView::draw_settings(ViewContext& context) {
  bool changed = false;
  const auto at = std::find(kRows.begin(), kRows.end(), settings_.rows);
  int rows = static_cast<int>(at - kRows.begin());
  if (choose("Rows of each list", kRowNames, rows)) {
    settings_.rows = kRows[static_cast<std::size_t>(rows)];
    changed = true;
  }
  int order = static_cast<int>(settings_.order);
  if (choose("Order", kOrderNames, order)) {
    settings_.order = static_cast<TokenOrder>(order);
    changed = true;
  }
  int marks = static_cast<int>(marks_);
  if (choose("Underline in the text", kMarkNames, marks)) marks_ = static_cast<StripMarks>(marks);
  if (!has_picture() || picture().layers < 2) return changed;
  ui::muted(context.selection.locked.layer ? "Layer, locked: Esc releases it" : "Layer");
  double layer = static_cast<double>(picture().layer);
  if (ui::slider("layer", layer, 0, static_cast<double>(picture().layers - 1), ui::Steps::Linear, 160,
                 std::to_string(picture().layer))) {
    settings_.layer = static_cast<std::int64_t>(layer + 0.5);
    if (context.selection.locked.layer) context.selection.locked.layer = settings_.layer;
    changed = true;
  }
  return changed;
}

std::string TokenView::values_text(ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) return {};
  QueryFrame frame = query_frame(context, *run, kMostColumns);
  if (const auto& hovered = context.selection.hover_before.token) {
    frame.locked.token = hovered;
    frame.locked.second_token.reset();
  }
  const TokenPicture shown = token_query(frame, settings_);
  return text_of({shown.title + ", " + shown.detail, {}, table(shown)});
}

std::string TokenView::menu_row(ViewContext&) const {
  if (!menu_token_ || !has_picture() || *menu_token_ >= static_cast<std::int64_t>(picture().strip.size()))
    return {};
  const TokenName& name = picture().strip[static_cast<std::size_t>(*menu_token_)].name;
  return fmt::format("{}\t{}\t{}", name.position, name.id, name.word);
}

std::span<const char* const> TokenView::choices(std::string_view setting) const {
  if (setting == "order") return kOrderNames;
  if (setting == "marks") return kMarkNames;
  return {};
}

nlohmann::json TokenView::settings() const {
  return {{"rows", settings_.rows},
          {"order", static_cast<int>(settings_.order)},
          {"layer", settings_.layer},
          {"marks", static_cast<int>(marks_)}};
}

void TokenView::set_settings(const nlohmann::json& settings) {
  const auto rows = static_cast<int>(number_of(settings, "rows", 1, 32, settings_.rows));
  if (std::find(kRows.begin(), kRows.end(), rows) != kRows.end()) settings_.rows = rows;
  settings_.order =
      static_cast<TokenOrder>(number_of(settings, "order", 0, 1, static_cast<int>(settings_.order)));
  settings_.layer = number_of(settings, "layer", -1, 1 << 20, settings_.layer);
  marks_ = static_cast<StripMarks>(number_of(settings, "marks", 0, 2, static_cast<int>(marks_)));
  forget();
}

void TokenPanel::draw(ViewContext& context, Run& run) {
  if (run.track("probe_ids") == nullptr) return;
  const PictureKey key = picture_key(context, run, 0);
  if (!picture_ || key != key_) {
    TokenSettings settings;
    settings.rows = kPanelRows;
    picture_ = token_query(query_frame(context, run, 0), settings);
    key_ = key;
  }
  const TokenPicture& shown = *picture_;
  ImGui::PushID("token panel");
  {
    FontScope font(Font::SemiBold, kBodyText);
    ImGui::TextUnformatted(shown.cards.empty()       ? "Token"
                           : shown.cards.size() == 1 ? "Token, locked"
                                                     : "Tokens, locked");
  }
  if (shown.state != PictureState::Ready) {
    ui::wrapped(shown.words, shown.state == PictureState::Failed ? Token::Error : Token::Muted);
  } else {
    ui::muted(shown.detail);
    strip_.draw(context, shown, StripMarks::Reads, px(kTokenRow + 2) * (shown.cards.empty() ? 5 : 4));
    if (shown.cards.empty()) ui::wrapped(shown.takeaway, Token::Muted);
    ImGui::Dummy({0, px(2)});
    draw_cards(context, shown);
  }
  ImGui::PopID();
}

}  // namespace sparsescope::viz

#include "viz/views/text_sample_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "imgui_internal.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/model/format.h"
#include "viz/views/text_sample_flow.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/icons.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr float kListWidth = 210, kRow = 26, kShares = 96;  // at scale 1
constexpr float kBetween = 10, kLabelGap = 6, kTemperature = 52, kTokens = 52, kSeed = 72;
constexpr float kNeedsForList = 620, kNeedsForShares = 300, kNeedsForWish = 260;
constexpr int kMostTokens = 2000;
constexpr double kHottest = 5;

// The fields of what is asked for and its button, and which of them begin a line in `room` pixels.
constexpr std::size_t kWishParts = 4;
struct WishLines {
  bool begins[kWishParts] = {};
  int lines = 0;
};
WishLines wish_lines(float room) {
  const auto field = [](const char* label, float width) {
    return text_size(Font::Regular, kSmallText, label).x + px(kLabelGap + width);
  };
  const float button = text_size(Font::Regular, kSmallText + 0.5f, "Generate now").x + px(24) +
                       2 * ImGui::GetStyle().FramePadding.x;
  const float widths[kWishParts] = {field("temperature", kTemperature), field("tokens", kTokens),
                                    field("seed", kSeed), button};
  WishLines lines;
  float x = room + 1;
  for (std::size_t i = 0; i < kWishParts; ++i) {
    lines.begins[i] = x + px(kBetween) + widths[i] > room;
    lines.lines += lines.begins[i] ? 1 : 0;
    x = (lines.begins[i] ? 0 : x + px(kBetween)) + widths[i];
  }
  return lines;
}

std::string step_words(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

std::string share_words(const std::optional<double>& share) {
  return share ? format_percent(*share) : kAbsent;
}

const char* reason_in_words(const std::string& reason) {
  return reason == "asked" ? "asked for" : reason == "schedule" ? "on schedule" : reason.c_str();
}

std::string why_not_generate(const ViewContext& context) {
  if (context.why_disabled) return context.why_disabled("samples.generate");
  return context.post ? "" : "no training run in this window: a replay shows what was recorded";
}

}  // namespace

Applies TextSampleView::applies(const Run& run) const {
  if (run.track("text_samples") != nullptr) return {};
  return {false, "This run records no text samples. Every preset records the channel 'text_samples'"};
}

void TextSampleView::draw_marks(ViewContext& context) {
  const TextSamplePicture& shown = picture();
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const float list_width = shows_list_ && room.x >= px(kNeedsForList) ? px(kListWidth) : 0;
  // A low view gives its room to the text before fields that do nothing in a replay.
  const bool shows_wish = why_not_generate(context).empty() || room.y >= px(kNeedsForWish);
  const float line = ImGui::GetFrameHeightWithSpacing();
  const float wish = shows_wish ? line * static_cast<float>(1 + wish_lines(room.x).lines) + px(10) : 0;
  const float height = std::max(px(60), room.y - wish);
  if (list_width > 0) {
    if (ImGui::BeginChild("list", {list_width, height})) draw_list(context, height);
    ImGui::EndChild();
    ImGui::SameLine(0, px(14));
  }
  if (ImGui::BeginChild("sample", {0, height})) {
    if (shown.state == PictureState::Waiting) {
      ui::empty_state(icon::kWaiting, shown.words);
    } else {
      const bool has_room = ImGui::GetContentRegionAvail().y >= px(kNeedsForShares);
      if (has_room && shown.list.size() > 1) draw_shares(context, px(kShares));
      draw_shown();
    }
  }
  ImGui::EndChild();
  if (shows_wish) draw_wish(context);
}

void TextSampleView::draw_list(ViewContext& context, float height) {
  const TextSamplePicture& shown = picture();
  ui::heading("Samples");
  ImGui::SameLine();
  ui::muted(shown.hidden.empty() ? shown.limits : shown.hidden);
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, 0});
  if (ImGui::BeginChild("rows", {0, std::max(px(kRow), height - px(24))})) {
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(shown.list.size()), px(kRow));
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        const TextSampleEntry& entry = shown.list[static_cast<std::size_t>(i)];
        ImGui::PushID(i);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float width = ImGui::GetContentRegionAvail().x;
        if (ImGui::InvisibleButton("sample", {width, px(kRow)}, ImGuiButtonFlags_EnableNav)) {
          chosen_.chosen = entry.place;
          context.timeline.cursor().seek(entry.sample.step);
          forget();
        }
        const bool is_hovered = ImGui::IsItemHovered();
        if (is_hovered) context.selection.hover.step = entry.sample.step;
        ImDrawList* list = ImGui::GetWindowDrawList();
        if (entry.is_shown || is_hovered)
          list->AddRectFilled(at, {at.x + width, at.y + px(kRow)},
                              color(entry.is_shown ? Token::AccentSurface : Token::Hover), px(3));
        ImGui::RenderNavCursor({at, {at.x + width, at.y + px(kRow)}}, ImGui::GetItemID());
        const float y = at.y + px(5);
        const std::string step = "step " + step_words(entry.sample.step),
                          share = share_words(entry.sample.distinct_share);
        const float step_width = text_size(Font::Regular, kSmallText, step.c_str()).x;
        draw_text(list, Font::Regular, kSmallText, {at.x + px(6), y}, color(Token::Text), step.c_str());
        if (entry.sample.reason == "asked")
          draw_text(list, Font::Regular, kSmallText - 1, {at.x + px(14) + step_width, y + px(1)},
                    color(Token::Accent), "asked");
        draw_text(list, Font::Mono, kSmallText - 0.5f,
                  {at.x + width - px(6) - text_size(Font::Mono, kSmallText - 0.5f, share.c_str()).x, y},
                  color(Token::Muted), share.c_str());
        ui::tooltip(
            fmt::format("{}, {} tokens, {}", step, entry.sample.tokens, reason_in_words(entry.sample.reason)),
            "right: share of distinct 4-grams");
        ImGui::PopID();
      }
    }
  }
  ImGui::EndChild();
  ImGui::PopStyleVar();
}

void TextSampleView::draw_shares(ViewContext& context, float height) {
  const TextSamplePicture& shown = picture();
  std::vector<double> steps, shares;
  for (auto entry = shown.list.rbegin(); entry != shown.list.rend(); ++entry) {
    if (!entry->sample.distinct_share) continue;
    steps.push_back(static_cast<double>(entry->sample.step));
    shares.push_back(*entry->sample.distinct_share);
  }
  if (steps.size() < 2) return;
  ui::muted("distinct 4-grams over steps");
  plot::Options options;
  options.id = "shares";
  options.size = {-1, height};
  // A margin keeps the dots at the ends whole.
  const double margin = 0.02 * std::max(1.0, shown.steps.width());
  options.x.fit = {shown.steps.minimum - margin, shown.steps.maximum + margin};
  options.y.fit = {-0.04, 1.08};
  options.x.is_locked = options.y.is_locked = true;
  options.y.label = [](double value) { return format_percent(value); };
  options.left_gutter = 44;
  options.bottom_gutter = 20;
  plot::AxisRange x{options.x.fit, true}, y{options.y.fit, true};
  if (!plot::begin(options, x, y)) return;
  const ImU32 ink = color(run_token(static_cast<int>(shown.run)));
  plot::line(steps, shares, {ink, 1.5f, plot::Dash::Solid});
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool is_shown = shown.shown && steps[i] == static_cast<double>(shown.shown->step);
    plot::dot(steps[i], shares[i], is_shown ? 4.5f : 2.5f, is_shown ? color(Token::Text) : ink);
  }
  plot::vertical(static_cast<double>(shown.cursor_step), {color(Token::Text), 1, plot::Dash::Solid});
  if (plot::hovered()) {
    // The nearest sample answers.
    std::size_t nearest = 0;
    for (std::size_t i = 1; i < steps.size(); ++i) {
      if (std::abs(steps[i] - plot::mouse_x()) < std::abs(steps[nearest] - plot::mouse_x())) nearest = i;
    }
    context.selection.hover.step = static_cast<std::uint64_t>(steps[nearest]);
    ImGui::SetTooltip("step %s: %s of the 4-grams are distinct",
                      step_words(static_cast<std::uint64_t>(steps[nearest])).c_str(),
                      format_percent(shares[nearest], 1).c_str());
    if (plot::clicked()) {
      chosen_.chosen.reset();
      context.timeline.cursor().seek(static_cast<std::uint64_t>(steps[nearest]));
    }
  }
  plot::end();
}

void TextSampleView::draw_shown() {
  const TextSamplePicture& picture = this->picture();
  if (!picture.shown) return;
  const TextSample& sample = *picture.shown;
  std::string facts =
      fmt::format("{}, {} tokens", reason_in_words(sample.reason), format_count(sample.tokens));
  if (sample.temperature) facts += ", temperature " + format_number(*sample.temperature, 3);
  if (sample.seed) facts += ", seed " + std::to_string(*sample.seed);
  if (sample.distinct_share) facts += ", distinct 4-grams " + format_percent(*sample.distinct_share, 1);
  {
    FontScope font(Font::Regular, kSmallText);
    ui::wrapped(facts, Token::Muted);
    if (!picture.remark.empty()) ui::wrapped(picture.remark, Token::Muted);
  }
  if (!sample.problem.empty()) {
    ui::wrapped(sample.problem, Token::Error);
    return;
  }
  if (ImGui::BeginChild("text", {0, 0})) {
    const float width = ImGui::GetContentRegionAvail().x - px(16);
    ImDrawList* list = ImGui::GetWindowDrawList();
    // The prompt is apart by its surface, its ink and a bar before it.
    const ImVec2 at = ImGui::GetCursorScreenPos();
    list->ChannelsSplit(2);
    list->ChannelsSetCurrent(1);
    ImGui::Indent(px(12));
    ImGui::Dummy({0, px(2)});
    ui::heading("Prompt");
    draw_text_flow({{sample.prompt.empty() ? "(the start of a document)" : sample.prompt, false}},
                   width - px(12), Token::Muted);
    ImGui::Unindent(px(12));
    const float bottom = ImGui::GetCursorScreenPos().y;
    list->ChannelsSetCurrent(0);
    list->AddRectFilled(at, {at.x + width + px(8), bottom}, color(Token::Raised), px(4));
    list->AddRectFilled(at, {at.x + px(3), bottom}, color(Token::Faint), px(2));
    list->ChannelsMerge();
    ImGui::Dummy({0, px(6)});
    ImGui::Indent(px(12));
    draw_text_flow(picture.pieces, width - px(12), Token::Text);
    ImGui::Unindent(px(12));
  }
  ImGui::EndChild();
}

void TextSampleView::draw_wish(ViewContext& context) {
  const std::string reason = why_not_generate(context);
  ImGui::Dummy({0, px(2)});
  const float room = ImGui::GetContentRegionAvail().x;
  FontScope font(Font::Regular, kSmallText + 0.5f);
  if (focuses_prompt_) ImGui::SetKeyboardFocusHere();
  focuses_prompt_ = false;
  ImGui::SetNextItemWidth(room);
  ImGui::InputTextWithHint("##prompt", "Prompt; empty: from the start of a document", &wish_.prompt);
  const WishLines lines = wish_lines(room);
  const auto place = [&](std::size_t part) {
    if (!lines.begins[part]) ImGui::SameLine(0, px(kBetween));
  };
  const auto number = [&](std::size_t part, const char* label, float width) {
    place(part);
    ImGui::AlignTextToFramePadding();
    ui::muted(label);
    ImGui::SameLine(0, px(kLabelGap));
    ImGui::SetNextItemWidth(px(width));
  };
  number(0, "temperature", kTemperature);
  ImGui::InputDouble("##temperature", &wish_.temperature, 0, 0, "%.2f");
  wish_.temperature = std::clamp(wish_.temperature, 0.0, kHottest);
  ui::tooltip("0 always takes the likeliest token, 1 samples from the model's own distribution", "0 to 5");
  number(1, "tokens", kTokens);
  ImGui::InputInt("##tokens", &wish_.tokens, 0);
  wish_.tokens = std::clamp(wish_.tokens, 1, kMostTokens);
  number(2, "seed", kSeed);
  ImGui::InputScalar("##seed", ImGuiDataType_U64, &wish_.seed);
  wish_.seed = std::min<std::uint64_t>(wish_.seed, (std::uint64_t{1} << 53) - 1);
  ui::tooltip("Of the sample's own random stream: the same seed, prompt and step give the same text",
              "training is not touched");
  place(3);
  ImGui::BeginDisabled(!reason.empty());
  if (ui::button("Generate now", icon::kPlay, ui::Tone::Accent)) {
    asked_at_ = picture().list.size();
    if (context.run_command) {
      context.run_command("samples.generate");
    } else {
      context.post(wish_);
    }
  }
  ImGui::EndDisabled();
  if (!reason.empty() && ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
    ImGui::SetTooltip("%s", reason.c_str());
  if (picture().list.size() > asked_at_) asked_at_ = SIZE_MAX;
  const std::string words = !reason.empty()         ? reason
                            : asked_at_ != SIZE_MAX ? "asked; it comes with the next step"
                                                    : "";
  if (words.empty()) return;
  ImGui::SameLine(0, px(10));
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float left = ImGui::GetContentRegionAvail().x;
  if (left < px(60)) return;
  draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText, {at.x, at.y + px(5)}, left,
                   color(Token::Muted), words);
  ImGui::Dummy({left, px(kRow)});
}

bool TextSampleView::draw_settings(ViewContext&) {
  ui::toggle("List of samples", shows_list_);
  return false;
}

void TextSampleView::draw_menu(ViewContext&) {
  const std::string text = shown_text();
  if (ImGui::MenuItem("Copy the text", nullptr, false, !text.empty())) ImGui::SetClipboardText(text.c_str());
}

std::string TextSampleView::shown_text() const {
  std::string text;
  if (!has_picture() || !picture().shown) return text;
  text = picture().shown->prompt;
  for (const TextPiece& piece : picture().pieces) text += piece.text;
  return text;
}

std::string TextSampleView::values_text(ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) return {};
  const TextSamplePicture shown = query(query_frame(context, *run, kMostColumns));
  if (!shown.shown) return shown.title + "\n" + shown.words + "\n";
  std::string text = fmt::format(
      "{} {}\ndistinct 4-grams\t{}\n", shown.title, shown.detail,
      shown.shown->distinct_share ? fmt::format("{:.9g}", *shown.shown->distinct_share) : kAbsent);
  text += shown.shown->prompt;
  for (const TextPiece& piece : shown.pieces) text += piece.text;
  return text + "\n";
}

nlohmann::json TextSampleView::settings() const {
  return {{"list", shows_list_},
          {"prompt", wish_.prompt},
          {"temperature", wish_.temperature},
          {"tokens", wish_.tokens},
          {"seed", wish_.seed}};
}

void TextSampleView::set_settings(const nlohmann::json& settings) {
  if (!settings.is_object()) return;
  const auto take = [&](const char* name, auto is_right, auto use) {
    if (const auto found = settings.find(name); found != settings.end() && is_right(*found)) use(*found);
  };
  const auto is_number = [](const nlohmann::json& value) { return value.is_number(); };
  const auto is_count = [](const nlohmann::json& value) { return value.is_number_integer() && value >= 0; };
  take(
      "list", [](const nlohmann::json& value) { return value.is_boolean(); },
      [&](const nlohmann::json& value) { shows_list_ = value.get<bool>(); });
  take(
      "prompt", [](const nlohmann::json& value) { return value.is_string(); },
      [&](const nlohmann::json& value) { wish_.prompt = value.get<std::string>(); });
  take("temperature", is_number, [&](const nlohmann::json& value) {
    wish_.temperature = std::clamp(value.get<double>(), 0.0, kHottest);
  });
  take("tokens", is_count, [&](const nlohmann::json& value) {
    wish_.tokens = static_cast<int>(std::clamp<std::uint64_t>(value.get<std::uint64_t>(), 1, kMostTokens));
  });
  take("seed", is_count, [&](const nlohmann::json& value) { wish_.seed = value.get<std::uint64_t>(); });
  forget();
}

}  // namespace sparsescope::viz

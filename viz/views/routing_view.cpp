#include "viz/views/routing_view.h"

#include <algorithm>
#include <cmath>

#include "viz/model/format.h"
#include "viz/model/routing_words.h"
#include "viz/views/comparison_row.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {
namespace {

constexpr float kRoomForControls = 560, kRoomForReadouts = 980;  // widths at scale 1
constexpr float kLeastForControls = 284, kLeastForFooter = 170;  // heights at scale 1

constexpr double kUnnoticedSeconds = 0.2;

constexpr const char* kLayoutNames[] = {"one layer", "all layers"};
constexpr const char* kShownNames[] = {"all", "direct", "inherited", "fallback", "self"};

template <typename Choice>
bool choose(const char* id, std::span<const char* const> names, Choice& choice) {
  int index = static_cast<int>(choice);
  if (!ui::segmented(id, names, index)) return false;
  choice = static_cast<Choice>(index);
  return true;
}

}  // namespace

Applies RoutingView::applies(const Run& run) const {
  if (run.track("edges") != nullptr || run.track("declared") != nullptr) return {};
  return {
      false,
      "This model routes nothing by declaration. The spark presets do and record the channels 'edges' and "
      "'declared'"};
}

// Sums that take some frames leave the last graph as it is; only longer ones are named.
std::string RoutingView::words_behind(const RoutingPicture& fresh) const {
  return fresh.summing_seconds > 0 && fresh.summing_seconds < kUnnoticedSeconds ? std::string() : fresh.words;
}

const PictureHead& RoutingView::refresh(ViewContext& context, Run& run) {
  // The camera decides where blocks are split; the same split makes the same picture.
  const std::int64_t tokens = has_picture() ? picture().tokens : 0;
  const Range all{0, static_cast<double>(std::max<std::int64_t>(1, tokens))};
  const RoutingWindow window =
      scene_.width() > 0 && tokens > 0
          ? routing_window(tokens, camera_.follows ? all : camera_.shown, scene_.width())
          : RoutingWindow{};
  if (window != window_) {
    window_ = window;
    forget();
  }
  return QueriedView::refresh(context, run);
}

void RoutingView::draw_marks(ViewContext& context) {
  const RoutingPicture& shown = picture();
  const bool is_screen = current_purpose() == Purpose::Screen;
  draw_source(context);
  const ImVec2 room = ImGui::GetContentRegionAvail();
  const bool has_controls = is_screen && room.x >= px(kRoomForControls) && room.y >= px(kLeastForControls);
  if (has_controls) draw_controls();
  const ImVec2 left = ImGui::GetContentRegionAvail();
  const bool has_footer = left.y >= px(kLeastForFooter),
             has_readouts = left.x >= px(kRoomForReadouts) && shown.content != nullptr;
  const float line = text_size(Font::Regular, kSmallText, "0").y + ImGui::GetStyle().ItemSpacing.y;
  const float height = std::max(px(60), left.y - (has_footer ? 2 * line : 0));
  const float beside = has_readouts ? px(kReadoutsWidth + 24) : 0;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  place_ = scene_.draw(shown, {left.x - beside, height}, camera_, context);
  point(context);
  if (has_readouts) {
    const ImVec2 after = ImGui::GetCursorScreenPos();
    ImGui::SetCursorScreenPos({at.x + left.x - px(kReadoutsWidth), at.y + px(12)});
    draw_routing_readouts(shown, {px(kReadoutsWidth), height - px(12)});
    ImGui::SetCursorScreenPos(after);
  }
  if (!shown.content || !has_footer) return;
  draw_legend();
  draw_footer();
}

// What is not as the title says: no weights, no single heads, a lock that is not here.
void RoutingView::draw_source(ViewContext& context) {
  const RoutingPicture& shown = picture();
  FontScope font(Font::Regular, kSmallText);
  std::string remarks;
  for (const std::string* words : {&shown.heads, &shown.lock_words, &shown.invalid, &shown.source}) {
    if (!words->empty()) remarks += (remarks.empty() ? "" : ". ") + *words;
  }
  if (remarks.empty()) return;
  ui::muted(remarks);
  if (current_purpose() != Purpose::Screen) return;
  // The difference that was asked for has no other side yet.
  if (settings_.against == RoutingAgainst::Baseline && !shown.no_baseline.empty()) offer_second_run(context);
  if (shown.source.empty()) return;
  if (shown.weights_at) {
    ImGui::SameLine(0, px(10));
    if (ImGui::SmallButton("Go there")) context.timeline.cursor().seek(*shown.weights_at);
  }
  constexpr const char* kRecord = "train.record_edges";
  if (!context.run_command || !context.why_disabled || !context.why_disabled(kRecord).empty()) return;
  ImGui::SameLine(0, px(6));
  if (ImGui::SmallButton("Record edges now")) context.run_command(kRecord);
}

void RoutingView::draw_controls() {
  bool changed = choose("layout", kLayoutNames, settings_.layout);
  ImGui::SameLine(0, px(14));
  if (ImGui::GetContentRegionAvail().x >= px(330)) {
    changed |= choose("shown", kShownNames, settings_.shown);
    ImGui::SameLine(0, px(14));
  }
  if (ImGui::GetContentRegionAvail().x >= px(300)) {
    changed |= draw_threshold(110);
  } else {
    ImGui::NewLine();
  }
  if (changed) forget();
}

// Beside the slider stand the share of mass that it hides and the edges that it drops.
bool RoutingView::draw_threshold(float width) {
  double value = settings_.threshold;
  const std::string words = value <= 0 ? std::string("all") : "≥ " + format_number(value, 2);
  // In line with the buttons beside it, which are higher.
  const float down = (ImGui::GetFrameHeight() - px(24)) / 2;
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + down);
  const bool changed =
      ui::slider("threshold", value, 0, kLargestThreshold, ui::Steps::Logarithmic, width, words);
  if (changed) settings_.threshold = value;
  const float middle = ImGui::GetItemRectMin().y + px(12);
  if (!has_picture() || picture().threshold_words.empty()) return changed;
  ImGui::SameLine(0, px(10));
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float room = ImGui::GetContentRegionAvail().x, height = text_size(Font::Regular, kSmallText, "0").y;
  const std::string& hidden = picture().threshold_words;
  const Drawn drawn = draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText,
                                       {at.x, middle - height / 2}, room, color(Token::Muted), hidden);
  ImGui::Dummy({drawn.width, px(24)});
  if (drawn.fit == Fit::Shortened) ui::tooltip(hidden);
  return changed;
}

// The dash says why; the colour too, unless a lock or a difference takes the colours.
void RoutingView::draw_legend() {
  const RoutingContent& content = *picture().content;
  const ImVec2 room = ImGui::GetContentRegionAvail();
  if (content.is_difference) {
    const bool is_arcs = picture().settings.layout == RoutingLayout::Arcs;
    plot::legend_entry(is_arcs ? "gained, above" : "gained, bent", {color(Token::Accent)});
    plot::legend_entry(is_arcs ? "lost, below" : "lost, straight", {color(Token::Warn)});
  } else if (content.has_lock) {
    plot::legend_entry("read by the locked token", {color(Token::Accent)});
    plot::legend_entry("reads the locked token", {color(Token::Warn)});
  }
  for (const RoutingReason reason :
       {RoutingReason::Direct, RoutingReason::Inherited, RoutingReason::Fallback}) {
    const ImU32 ink = content.is_difference ? color(Token::Muted) : color(routing_token(reason));
    plot::legend_entry(reason_name(reason), {ink, 1.5f, routing_dash(reason)});
  }
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float middle = at.y + text_size(Font::Regular, kSmallText - 1, "0").y / 2;
  ImGui::GetWindowDrawList()->AddCircleFilled({at.x + px(4), middle}, px(3.5f), color(Token::Self), 12);
  draw_text(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, {at.x + px(13), at.y},
            color(Token::Muted), "self");
  ImGui::Dummy({px(13) + text_size(Font::Regular, kSmallText - 1, "self").x, 1});
  ImGui::SameLine(0, px(20));
  const std::string& words = picture().is_error() ? picture().sum_error : picture().proof;
  const float width = std::ceil(text_size(Font::Regular, kSmallText - 1, words.c_str()).x) + px(2),
              left = ImGui::GetContentRegionAvail().x;
  const float copy = picture().is_error() ? px(90) : 0;
  if (width + copy < left) {
    ImGui::SetCursorScreenPos({at.x + ImGui::GetCursorScreenPos().x - at.x + left - width - copy, at.y});
  } else if (room.x > 0) {
    ImGui::NewLine();
  }
  const ImVec2 from = ImGui::GetCursorScreenPos();
  draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, from,
                   ImGui::GetContentRegionAvail().x - copy,
                   color(picture().is_error() ? Token::Error : Token::Ok), words);
  ImGui::Dummy({std::min(width, ImGui::GetContentRegionAvail().x - copy),
                text_size(Font::Regular, kSmallText - 1, "0").y});
  if (ImGui::IsItemHovered()) {
    std::string numbers;
    for (const std::string& text : sum_lines(content)) numbers += (numbers.empty() ? "" : "\n") + text;
    ui::tooltip("Sums of integers, at every zoom the same", numbers);
  }
  if (!picture().is_error()) return;
  ImGui::SameLine();
  if (ImGui::SmallButton("Copy details")) ImGui::SetClipboardText(text_of(twin_of(picture())).c_str());
}

void RoutingView::draw_footer() {
  const RoutingPicture& shown = picture();
  std::string words = shown.aggregation;
  if (!shown.hidden.empty()) words += ". " + shown.hidden;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  const Drawn drawn = draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1, at, width,
                                       color(Token::Muted), words);
  ImGui::Dummy({width, text_size(Font::Regular, kSmallText - 1, "0").y});
  if (drawn.fit == Fit::Shortened) ui::tooltip(words);
}

}  // namespace sparsescope::viz

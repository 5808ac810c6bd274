// Marks that tracks and minimap have in common, and what a held pointer does.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/frame/bookmarks.h"
#include "viz/frame/time_bar.h"
#include "viz/widgets/wheel.h"

namespace sparsescope::frame {
namespace {

constexpr float kFlagWidth = 16, kFlagHeight = 15, kSmallFlag = 5;  // at scale 1
constexpr double kZoomPerNotch = 0.85;
constexpr float kClickSlop = 4;  // a press that moves less is a click

std::string step_words(std::uint64_t step) {
  return "step " + viz::format_count(static_cast<std::int64_t>(step));
}

// A bookmark or a note on the axis.
struct Flag {
  double x = 0;
  std::uint64_t step = 0;
  std::string letter;  // on its cloth
  std::string words;   // in its tooltip
};

std::vector<Flag> flags_of(State& state, const viz::Run& run, viz::TimeAxis axis) {
  std::vector<Flag> flags;
  const viz::Annotations* annotations = annotations_of(state, run);
  if (annotations == nullptr) return flags;
  for (const viz::Bookmark& bookmark : annotations->bookmarks()) {
    const std::string letter = bookmark.number != 0 ? std::to_string(bookmark.number) : "";
    flags.push_back({run.x_of_step(bookmark.step, axis), bookmark.step, letter, viz::words_of(bookmark)});
  }
  for (const viz::Note& note : annotations->notes())
    flags.push_back({run.x_of_step(note.step, axis), note.step, "N", note.text});
  std::stable_sort(flags.begin(), flags.end(), [](const Flag& a, const Flag& b) { return a.x < b.x; });
  return flags;
}

std::vector<viz::FoldedMark> folded(const std::vector<Flag>& flags, const Ruler& ruler, float width) {
  return viz::fold_marks(
      flags.size(), [&](std::size_t i) { return flags[i].x; }, ruler.range, ruler.units(width));
}

// The mark whose cloth is under the pointer, or none; later ones lie over earlier ones.
const viz::FoldedMark* under_pointer(const std::vector<viz::FoldedMark>& marks, const Ruler& ruler,
                                     const Area& row) {
  const ImVec2 mouse = ImGui::GetMousePos();
  const float middle = (row.min.y + row.max.y) / 2, reach = std::max(row.height(), px(kHandleTarget)) / 2;
  if (!pointer_is_here() || std::abs(mouse.y - middle) > reach) return nullptr;
  const viz::FoldedMark* found = nullptr;
  for (const viz::FoldedMark& mark : marks) {
    const float x = ruler.pixel(mark.x);
    if (mouse.x >= x - px(4) && mouse.x <= x + px(kHandleTarget - 4)) found = &mark;
  }
  return found;
}

void hatch(float left, float right, float top, float bottom, ImU32 ink) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float height = bottom - top, pitch = px(6);
  list->PushClipRect({left, top}, {right, bottom}, true);
  for (float x = left - height; x < right; x += pitch)
    list->AddLine({x, bottom}, {x + height, top}, ink, std::max(1.f, px(1)));
  list->PopClipRect();
}

void zigzag(float x, float top, float bottom, ImU32 ink) {
  std::vector<ImVec2> points;
  const float reach = px(2.5f), pitch = px(4);
  float side = -reach;
  for (float y = top; y <= bottom; y += pitch, side = -side) points.push_back({x + side, y});
  ImGui::GetWindowDrawList()->AddPolyline(points.data(), static_cast<int>(points.size()), ink, px(1.4f));
}

}  // namespace

bool pointer_is_here() { return ImGui::IsWindowHovered(ImGuiHoveredFlags_AllowWhenBlockedByActiveItem); }

void draw_ruler(const Ruler& ruler, float top) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const int wanted = std::clamp(static_cast<int>((ruler.right - ruler.left) / px(180)), 2, 10);
  const std::vector<viz::Tick> ticks =
      ruler.axis == viz::TimeAxis::WallTime
          ? viz::duration_ticks(ruler.range.minimum, ruler.range.maximum, wanted)
          : viz::nice_ticks(ruler.range.minimum, ruler.range.maximum, wanted);
  for (const viz::Tick& tick : ticks) {
    const ImVec2 size = text_size(Font::Mono, kSmallText - 1, tick.label.c_str());
    const float x = std::clamp(ruler.pixel(tick.value) - size.x / 2, ruler.left, ruler.right - size.x);
    draw_text(list, Font::Mono, kSmallText - 1, {x, top}, color(Token::Muted), tick.label.c_str());
  }
}

void draw_missing(const viz::Run& run, const Ruler& ruler, float top, float bottom) {
  const ImVec2 mouse = ImGui::GetMousePos();
  for (const viz::MissingSpan& span :
       viz::fold_spans(viz::missing_spans(run, ruler.axis), ruler.units(viz::kFoldPixels))) {
    float left = std::clamp(ruler.pixel(span.first), ruler.left, ruler.right);
    float right = std::clamp(ruler.pixel(span.last), ruler.left, ruler.right);
    if (span.first > ruler.range.maximum || span.last < ruler.range.minimum) continue;
    // What has no width is still seen; behind the last step there is only the border.
    const float least = px(span.kind == viz::MissingSpan::Kind::Damaged ? 10 : 3);
    if (right - left < least) left = std::max(ruler.left, right - least);
    const ImU32 ink = color(span.kind == viz::MissingSpan::Kind::Damaged ? Token::Error : Token::Warn);
    if (right - left > px(6)) hatch(left, right, top, bottom, ink);
    if (span.kind == viz::MissingSpan::Kind::Skipped) zigzag((left + right) / 2, top, bottom, ink);
    if (pointer_is_here() && mouse.x >= left - px(4) && mouse.x <= right + px(4) && mouse.y >= top &&
        mouse.y <= bottom)
      ImGui::SetTooltip("%s", span.words.c_str());
  }
}

void draw_loop(const State& state, const viz::Run& run, const Ruler& ruler, float top, float bottom) {
  const auto& loop = state.timeline.cursor().loop();
  if (!loop) return;
  const float left = std::max(ruler.pixel(run.x_of_step(loop->first, ruler.axis)), ruler.left);
  const float right = std::min(ruler.pixel(run.x_of_step(loop->last, ruler.axis)), ruler.right);
  if (right >= left)
    ImGui::GetWindowDrawList()->AddRectFilled({left, top}, {std::max(right, left + px(1)), bottom},
                                              color(Token::Accent, 0.16f));
}

void draw_cursor(const State& state, const viz::Run& run, const Ruler& ruler, float top, float bottom) {
  const float x = std::floor(ruler.pixel(run.x_of_step(state.timeline.cursor().step(), ruler.axis))) + 0.5f;
  if (run.rows() == 0 || x < ruler.left - 1 || x > ruler.right + 1) return;
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddLine({x, top}, {x, bottom}, color(Token::Text), std::max(1.f, px(1.5f)));
  list->AddTriangleFilled({x - px(6), top - px(1)}, {x + px(6), top - px(1)}, {x, top + px(8)},
                          color(Token::Text));
}

void draw_flags(State& state, const viz::Run& run, const Ruler& ruler, const Area& row, Flags flags) {
  const std::vector<Flag> all = flags_of(state, run, ruler.axis);
  const bool is_large = flags == Flags::Large;
  const std::vector<viz::FoldedMark> marks = folded(all, ruler, is_large ? kFlagWidth + 2 : viz::kFoldPixels);
  const viz::FoldedMark* hovered = is_large ? under_pointer(marks, ruler, row) : nullptr;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImU32 ink = color(Token::Accent);
  for (const viz::FoldedMark& mark : marks) {
    const float x = std::floor(ruler.pixel(mark.x));
    if (!is_large) {
      list->AddTriangleFilled({x, row.min.y}, {x + px(kSmallFlag), row.min.y + px(3)}, {x, row.min.y + px(6)},
                              ink);
      list->AddLine({x, row.min.y}, {x, row.max.y}, color(Token::Accent, 0.5f), std::max(1.f, px(1)));
      continue;
    }
    const float top = row.min.y + (row.height() - px(kFlagHeight)) / 2;
    const bool is_hot = &mark == hovered;
    const std::string letter = mark.count() > 1 ? fmt::format("×{}", mark.count()) : all[mark.begin].letter;
    const ImVec2 size = text_size(Font::MonoMedium, kSmallText - 2, letter.c_str());
    const float width = std::max(px(kFlagWidth), size.x + px(7));
    list->AddLine({x, top}, {x, row.max.y + px(2)}, ink, std::max(1.f, px(1.5f)));
    list->AddRectFilled({x, top}, {x + width, top + px(kFlagHeight)},
                        is_hot ? ink : color(Token::AccentSurface), px(2));
    list->AddRect({x, top}, {x + width, top + px(kFlagHeight)}, ink, px(2));
    draw_text(list, Font::MonoMedium, kSmallText - 2,
              {x + (width - size.x) / 2, top + (px(kFlagHeight) - size.y) / 2},
              is_hot ? color(Token::Panel) : ink, letter.c_str());
  }
  if (hovered == nullptr) return;
  std::string words;
  for (std::size_t i = hovered->begin; i < hovered->end && i < hovered->begin + 6; ++i)
    words += fmt::format("{}{}: {}", words.empty() ? "" : "\n", step_words(all[i].step), all[i].words);
  if (hovered->count() > 6) words += fmt::format("\nand {} more", hovered->count() - 6);
  ImGui::SetTooltip("%s", words.c_str());
}

std::optional<std::uint64_t> flag_under_pointer(State& state, const viz::Run& run, const Ruler& ruler,
                                                const Area& row) {
  const std::vector<Flag> all = flags_of(state, run, ruler.axis);
  const std::vector<viz::FoldedMark> marks = folded(all, ruler, kFlagWidth + 2);
  const viz::FoldedMark* mark = under_pointer(marks, ruler, row);
  return mark != nullptr ? std::optional(all[mark->begin].step) : std::nullopt;
}

void draw_handle(float x, float top, float bottom, bool is_hot) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float half = px(is_hot ? 4.5f : 3.5f);
  list->AddRectFilled({x - half, top}, {x + half, bottom}, color(is_hot ? Token::Accent : Token::Muted),
                      px(2));
  list->AddLine({x, top + px(5)}, {x, bottom - px(5)}, color(Token::Panel), std::max(1.f, px(1)));
}

void drag_on(State& state, const viz::Run& run, const Ruler& ruler) {
  TimeBar& bar = state.time_bar;
  const ImVec2 mouse = ImGui::GetMousePos(), pressed = ImGui::GetIO().MouseClickedPos[0];
  bar.has_moved |= std::abs(mouse.x - pressed.x) > px(kClickSlop);
  const double x = std::clamp(ruler.value(mouse.x), ruler.range.minimum, ruler.range.maximum);
  viz::Cursor& cursor = state.timeline.cursor();
  const std::uint64_t step = run.step_at(x, ruler.axis);
  switch (bar.grab) {
    case Grab::Cursor:
      cursor.seek(step);
      return;
    case Grab::NewLoop: {
      const std::uint64_t from = run.step_at(bar.grabbed_at, ruler.axis);
      if (from != step) cursor.set_loop(viz::Cursor::Loop{std::min(from, step), std::max(from, step)});
      return;
    }
    case Grab::LoopStart:
      if (cursor.loop())
        cursor.set_loop(viz::Cursor::Loop{std::min(step, cursor.loop()->last), cursor.loop()->last});
      return;
    case Grab::LoopEnd:
      if (cursor.loop())
        cursor.set_loop(viz::Cursor::Loop{cursor.loop()->first, std::max(step, cursor.loop()->first)});
      return;
    default:
      return;
  }
}

void let_go(State& state) {
  if (!ImGui::IsMouseDown(ImGuiMouseButton_Left) && !ImGui::IsMouseDown(ImGuiMouseButton_Middle))
    state.time_bar.grab = Grab::None;
}

void zoom_to_drag(State& state, const Ruler& ruler, float top, float bottom) {
  TimeBar& bar = state.time_bar;
  if (bar.grab != Grab::ZoomTo) return;
  const float from = ruler.pixel(bar.grabbed_at), to = ImGui::GetMousePos().x;
  bar.has_moved |= std::abs(to - from) > px(kClickSlop);
  if (!bar.has_moved) return;
  const double x = std::clamp(ruler.value(to), ruler.range.minimum, ruler.range.maximum);
  const auto [first, last] = std::minmax(x, bar.grabbed_at);
  ImGui::GetWindowDrawList()->AddRectFilled({ruler.pixel(first), top}, {ruler.pixel(last), bottom},
                                            color(Token::Accent, 0.16f));
  if (ImGui::IsMouseReleased(ImGuiMouseButton_Middle) && first < last)
    state.timeline.window().choose({first, last});
}

void zoom_by_wheel(State& state, const Ruler& ruler) {
  const float wheel = ImGui::GetIO().MouseWheel;
  if (wheel == 0) return;
  const double x = std::clamp(ruler.value(ImGui::GetMousePos().x), ruler.range.minimum, ruler.range.maximum);
  const viz::Range shown = state.timeline.visible();
  const double factor = std::pow(kZoomPerNotch, wheel * ui::wheel_speed());
  state.timeline.window().choose({x - (x - shown.minimum) * factor, x + (shown.maximum - x) * factor});
}

}  // namespace sparsescope::frame

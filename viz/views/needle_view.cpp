#include "viz/views/needle_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "viz/model/format.h"
#include "viz/views/comparison_row.h"
#include "viz/views/inks.h"
#include "viz/views/settings.h"
#include "viz/views/track_plot.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/plot.h"

namespace sparsescope::viz {
namespace {

constexpr float kPaneTitle = 20;  // lengths at scale 1
constexpr float kFooter = 20;
constexpr float kWide = 700;
constexpr float kSmallestPane = 60;
constexpr float kSmallestTop = 190;
constexpr float kPaneGap = 18;
constexpr float kPickPixels = 9;

Dash dash_of(std::size_t context) {
  constexpr std::array kDashes = {Dash::Solid, Dash::Dashed, Dash::Dotted};
  return kDashes[context % kDashes.size()];
}

// A colour each context; the run's colour where there are several runs.
ImU32 ink_of(const NeedlePicture& picture, const NeedleRun& run, std::size_t context, float alpha = 1) {
  const bool is_comparison = !picture.banner.is_empty();
  return ink_color(is_comparison ? Ink::Run : Ink::Part, static_cast<double>(context), run.run, alpha);
}

std::string name_of(const NeedleRun& run, const NeedleContext& context) {
  return (run.letter.empty() ? "" : run.letter + " ") + context.label;
}

void draw_title(const std::string& title, const std::string& detail, ImVec2 at, float width) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float behind =
      draw_text_within(list, Font::SemiBold, kSmallText, at, width, color(Token::Text), title).width + px(6);
  draw_text_within(list, Font::Regular, kSmallText, {at.x + behind, at.y}, width - behind,
                   color(Token::Muted), detail);
}

void draw_in_the_middle(const std::string& words, ImVec2 min, ImVec2 size) {
  const ImVec2 extent = text_size(Font::Regular, kSmallText, words.c_str());
  const ImVec2 at{min.x + std::max(px(52), (size.x - extent.x) / 2),
                  min.y + (size.y - extent.y) / 2 - px(12)};
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled({at.x - px(6), at.y - px(3)}, {at.x + extent.x + px(6), at.y + extent.y + px(3)},
                      color(Token::Raised), px(4));
  draw_text(list, Font::Regular, kSmallText, at, color(Token::Muted), words.c_str());
}

// "8 trials a point", or the span where they differ.
std::string trials_in_words(const NeedlePicture& picture) {
  std::int64_t least = 0, most = 0;
  for (const NeedleRun& run : picture.runs) {
    for (const NeedleContext& context : run.contexts) {
      for (const NeedleCell& cell : context.cells) {
        if (!cell.is_evaluated()) continue;
        least = least == 0 ? cell.trials : std::min(least, cell.trials);
        most = std::max(most, cell.trials);
      }
    }
  }
  if (most == 0) return "";
  if (least == most)
    return fmt::format(", {} {} a point", format_count(most), most == 1 ? "trial" : "trials");
  return fmt::format(", {} to {} trials a point", format_count(least), format_count(most));
}

bool is_any_evaluated(const NeedlePicture& picture) {
  return std::ranges::any_of(picture.runs, [](const NeedleRun& run) {
    return std::ranges::any_of(run.contexts,
                               [](const NeedleContext& context) { return context.step.has_value(); });
  });
}

void draw_curve(const NeedlePicture& picture, std::size_t run_index, std::size_t context_index,
                const NeedleHover& lit) {
  const NeedleRun& run = picture.runs[run_index];
  const NeedleContext& context = run.contexts[context_index];
  const ImU32 ink = ink_of(picture, run, context_index);
  std::vector<double> xs, ys;
  for (std::size_t depth = 0; depth < context.cells.size(); ++depth) {
    xs.push_back(run.depths[depth]);
    ys.push_back(shown(picture, context.cells[depth].signal, context.cells[depth].nll_without));
  }
  plot::line(xs, ys, {ink, 1.6f, plot_dash(dash_of(context_index))});
  for (std::size_t depth = 0; depth < context.cells.size(); ++depth) {
    const NeedleCell& cell = context.cells[depth];
    if (!cell.is_evaluated()) continue;
    const double error = shown(picture, cell.standard_error, cell.nll_without);
    const double at[2] = {xs[depth], xs[depth]}, bar[2] = {ys[depth] - error, ys[depth] + error};
    if (error > 0) plot::line(at, bar, {ink, 1.4f});
    const bool is_lit = lit == NeedlePlace{run_index, context_index, depth};
    if (is_lit) plot::dot(xs[depth], ys[depth], 6.5f, color(Token::Accent));
    draw_dot(xs[depth], ys[depth],
             is_distinguishable(cell.signal, cell.standard_error) ? Filling::Full : Filling::Hollow, ink);
  }
  const auto last = std::find_if(ys.rbegin(), ys.rend(), [](double y) { return std::isfinite(y); });
  if (last != ys.rend()) plot::end_label(plot::shown_x().maximum, *last, name_of(run, context), ink);
}

NeedleHover point_under_pointer(const NeedlePicture& picture) {
  if (!plot::hovered()) return std::nullopt;
  const ImVec2 mouse = ImGui::GetMousePos();
  NeedleHover found;
  float nearest = px(kPickPixels);
  for (std::size_t r = 0; r < picture.runs.size(); ++r) {
    const NeedleRun& run = picture.runs[r];
    for (std::size_t c = 0; c < run.contexts.size(); ++c) {
      for (std::size_t d = 0; d < run.contexts[c].cells.size(); ++d) {
        const NeedleCell& cell = run.contexts[c].cells[d];
        if (!cell.is_evaluated()) continue;
        const ImVec2 at = plot::pixels(run.depths[d], shown(picture, cell.signal, cell.nll_without));
        const float distance = std::hypot(at.x - mouse.x, at.y - mouse.y);
        if (distance >= nearest) continue;
        nearest = distance;
        found = NeedlePlace{r, c, d};
      }
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> place_in_words(const NeedlePicture& picture, const NeedlePlace& place) {
  const NeedleRun& run = picture.runs[place.run];
  const NeedleContext& context = run.contexts[place.context];
  const NeedleCell& cell = context.cells[place.depth];
  std::string what = name_of(run, context) + ", depth " + run.depth_labels[place.depth];
  if (context.tokens > 0) what += ", " + format_count(context.tokens) + " tokens";
  if (context.step) what += ", step " + format_count(static_cast<std::int64_t>(*context.step));
  if (!cell.is_evaluated()) return {what, context.missing};
  std::vector<std::string> lines = {
      what, "Signal " + signal_in_words(picture, cell.signal, cell.standard_error, cell.nll_without)};
  if (!is_distinguishable(cell.signal, cell.standard_error)) lines.back() += ", not distinguishable from 0";
  lines.push_back("Ceiling " + format_unit(cell.nll_without, "nats") + ", the loss without the needle");
  lines.push_back("Whole answers " + accuracy_in_words(cell.exact_accuracy, cell.trials));
  lines.push_back("Answer tokens " + accuracy_in_words(cell.token_accuracy, cell.trials));
  if (picture.difference.is_shown() && place.run == 0) {
    const NeedleDelta& delta = picture.difference.cells[place.context][place.depth];
    if (delta.is_known()) lines.push_back("Signal " + delta_in_words(picture, delta));
    if (!picture.baseline || !picture.may_subtract) return lines;
  }
  if (!picture.baseline || place.run == *picture.baseline || !picture.may_subtract) return lines;
  const NeedleRun& baseline = picture.runs[*picture.baseline];
  const auto same = std::ranges::find(baseline.contexts, context.label, &NeedleContext::label);
  if (same == baseline.contexts.end() || place.depth >= same->cells.size() ||
      baseline.depth_labels[place.depth] != run.depth_labels[place.depth] ||
      !same->cells[place.depth].is_evaluated())
    return lines;
  const NeedleCell& before = same->cells[place.depth];
  lines.push_back("Signal " + difference_in_words(before.signal, cell.signal, "nats"));
  lines.push_back("Whole answers " +
                  difference_in_words(100 * before.exact_accuracy, 100 * cell.exact_accuracy, "points"));
  return lines;
}

void show_place(const NeedlePicture& picture, const NeedlePlace& place, const std::optional<ImVec2>& corner) {
  if (corner) ImGui::SetNextWindowPos({corner->x + px(8), corner->y + px(8)});
  if (!ImGui::BeginTooltip()) return;
  {
    FontScope font(Font::Regular, kSmallText);
    const std::vector<std::string> lines = place_in_words(picture, place);
    ui::muted(lines.front());
    for (std::size_t i = 1; i < lines.size(); ++i) ImGui::TextUnformatted(lines[i].c_str());
  }
  ImGui::EndTooltip();
}

NeedleHover draw_depth_curves(const NeedlePicture& picture, const NeedleHover& lit, ImVec2 size) {
  plot::Options options;
  options.id = "by depth";
  options.size = size;
  options.x.fit = {-0.02, 1.02};
  options.y.fit = picture.signal_y;
  options.x.is_locked = options.y.is_locked = true;
  options.x.label = [](double x) { return x == 0 ? "start" : x == 1 ? "end" : format_number(x, 2); };
  if (picture.as_share)
    options.y.label = [](double y) { return format_percent(y, std::abs(y) < 0.05 ? 1 : 0); };
  float widest = 0;
  for (const NeedleRun& run : picture.runs) {
    for (const NeedleContext& context : run.contexts)
      widest = std::max(widest, text_size(Font::Regular, kSmallText - 1, name_of(run, context).c_str()).x /
                                    current_scale());
  }
  options.right_gutter = 8 * std::ceil((widest + 14) / 8);
  plot::AxisRange x{options.x.fit, true}, y{options.y.fit, true};
  if (!plot::begin(options, x, y)) return std::nullopt;
  plot::horizontal(0, {color(Token::Text), 2});
  for (std::size_t run = picture.runs.size(); run-- > 0;) {
    for (std::size_t context = 0; context < picture.runs[run].contexts.size(); ++context)
      draw_curve(picture, run, context, lit);
  }
  const NeedleHover hovered = point_under_pointer(picture);
  plot::end();
  return hovered;
}

Applies NeedleView::applies(const Run& run) const {
  if (run.track("needle") != nullptr) return {};
  return {false,
          "This run records no needle evaluations; every training preset records the channel 'needle'"};
}

NeedlePicture NeedleView::query(const QueryFrame& frame) const {
  NeedlePicture made = needle_query(frame, settings_);
  if (made.action && !evaluate_words_.empty()) made.action->words = evaluate_words_;
  return made;
}

const PictureHead& NeedleView::refresh(ViewContext& context, Run& run) {
  const std::string words = has_picture() ? evaluate_words(picture(), context.trainer) : std::string();
  if (words != evaluate_words_) forget();
  evaluate_words_ = words;
  return QueriedView::refresh(context, run);
}

void NeedleView::draw_marks(ViewContext& context) {
  const NeedlePicture& shown_picture = picture();
  lit_ = hover_;
  hover_.reset();
  // A picture made since may have lost what was lit.
  if (!is_place(lit_)) lit_.reset();
  const NeedleRun* own = shown_picture.runs.empty() ? nullptr : &shown_picture.runs.front();
  walk_.keep_within(own != nullptr ? std::ssize(own->depths) : 0,
                    own != nullptr ? std::ssize(own->contexts) : 0);
  draw_comparison(shown_picture.banner, shown_picture.axis);
  draw_needle_actions(shown_picture, context);
  const ImVec2 at = ImGui::GetCursorScreenPos(), room = ImGui::GetContentRegionAvail();
  const ImVec2 size{room.x, std::max(px(kSmallestPane), room.y - px(kFooter))};
  size.x >= px(kWide) ? draw_wide(context, at, size) : draw_narrow(context, at, size);
  const std::string words =
      shown_picture.limits + (shown_picture.hidden.empty() ? "" : "; " + shown_picture.hidden);
  // At the right, as every view over time has it.
  const float used = std::min(size.x, text_size(Font::Regular, kSmallText - 1, words.c_str()).x);
  draw_text_within(ImGui::GetWindowDrawList(), Font::Regular, kSmallText - 1,
                   {at.x + size.x - used, at.y + size.y + px(3)}, used, color(Token::Muted), words);
  ImGui::SetCursorScreenPos({at.x, at.y + size.y});
  ImGui::Dummy({size.x, px(kFooter)});
  follow_pointer(context);
}

bool NeedleView::is_place(const NeedleHover& place) const {
  return place && place->run < picture().runs.size() &&
         place->context < picture().runs[place->run].contexts.size() &&
         place->depth < picture().runs[place->run].contexts[place->context].cells.size();
}

NeedleHover NeedleView::held() const {
  if (!walk_.place()) return std::nullopt;
  return NeedlePlace{0, static_cast<std::size_t>(walk_.place()->column),
                     static_cast<std::size_t>(walk_.place()->row)};
}

// Locking a place of the grid goes to its evaluation, as a click does.
bool NeedleView::walk(ViewContext& context, Walk key) {
  if (!has_cells() || (!walk_.is_walking() && key != Walk::Enter)) return false;
  const NeedleRun& own = picture().runs.front();
  if (key == Walk::Leave) {
    walk_.leave();
    return true;
  }
  if (!walk_.is_walking()) {
    const bool is_own = is_place(lit_) && lit_->run == 0;
    walk_.hold(is_own ? CellWalk::Place{static_cast<std::int64_t>(lit_->depth),
                                        static_cast<std::int64_t>(lit_->context)}
                      : CellWalk::Place{});
  } else if (key == Walk::Enter) {
    const auto& step = own.contexts[held()->context].step;
    if (step) jump(context, *step);
  }
  walk_.move(key, std::ssize(own.depths), std::ssize(own.contexts));
  return true;
}

void NeedleView::draw_wide(ViewContext& context, ImVec2 at, ImVec2 size) {
  const float least = px(2 * kSmallestTop);
  const float height = std::max(size.y, least);
  ImGui::SetCursorScreenPos(at);
  if (ImGui::BeginChild("panes", size, ImGuiChildFlags_None,
                        height > size.y ? ImGuiWindowFlags_None : ImGuiWindowFlags_NoScrollbar)) {
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float top = std::floor(std::max(px(kSmallestTop), height * 0.56f));
    const float left = std::floor((width - px(kPaneGap)) * 0.5f);
    draw_curves(origin, {left, top});
    draw_grid({origin.x + left + px(kPaneGap), origin.y}, {width - left - px(kPaneGap), top});
    draw_steps(context, {origin.x, origin.y + top + px(6)}, {width, height - top - px(6)});
    ImGui::SetCursorScreenPos({origin.x, origin.y + height - 1});
    ImGui::Dummy({1, 0});
  }
  ImGui::EndChild();
}

void NeedleView::draw_narrow(ViewContext& context, ImVec2 at, ImVec2 size) {
  // Panes that scroll are not cut at the edge.
  const float panes_shown = std::clamp(std::floor(size.y / px(kSmallestTop)), 1.f, 3.f);
  const float pane = std::max(px(kSmallestTop), std::floor(size.y / panes_shown));
  ImGui::SetCursorScreenPos(at);
  if (ImGui::BeginChild("panes", size, ImGuiChildFlags_None,
                        3 * pane > size.y ? ImGuiWindowFlags_None : ImGuiWindowFlags_NoScrollbar)) {
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, inner = pane - px(8);
    draw_curves(origin, {width, inner});
    draw_grid({origin.x, origin.y + pane}, {width, inner});
    draw_steps(context, {origin.x, origin.y + 2 * pane}, {width, inner});
    ImGui::SetCursorScreenPos({origin.x, origin.y + 3 * pane - 1});
    ImGui::Dummy({1, 0});
  }
  ImGui::EndChild();
}

void NeedleView::draw_curves(ImVec2 at, ImVec2 size) {
  const NeedlePicture& shown_picture = picture();
  const std::string unit = shown_picture.as_share ? "share of the ceiling" : "in nats";
  draw_title("Signal by depth", unit + ", ±1 SE, hollow within 2 SE of 0" + trials_in_words(shown_picture),
             at, size.x);
  const ImVec2 area{at.x, at.y + px(kPaneTitle)}, extent{size.x, size.y - px(kPaneTitle)};
  ImGui::SetCursorScreenPos(area);
  if (const NeedleHover found = draw_depth_curves(shown_picture, lit_, extent)) hover_ = found;
  if (!is_any_evaluated(shown_picture)) {
    draw_in_the_middle(shown_picture.state == PictureState::Waiting
                           ? shown_picture.words
                           : "Nothing evaluated at or before this step",
                       area, extent);
  }
}

void NeedleView::draw_grid(ImVec2 at, ImVec2 size) {
  const NeedlePicture& shown_picture = picture();
  grid_at_ = {at.x, at.y + px(kPaneTitle)};
  grid_size_ = {size.x, size.y - px(kPaneTitle)};
  const NeedleDifference& difference = shown_picture.difference;
  if (difference.is_shown()) {
    const std::string scale =
        difference.whose.empty() ? ""
                                 : fmt::format("; colours to ±{}{}",
                                               format_number(difference.limits.maximum, 3), difference.whose);
    draw_title("Difference in signal",
               fmt::format("{} − {}{}; grey and hatched within 2 SE of 0", difference.b, difference.a, scale),
               at, size.x);
    ImGui::SetCursorScreenPos(grid_at_);
    if (const NeedleHover found = draw_difference_grid(shown_picture, lit_, grid_size_)) hover_ = found;
    return;
  }
  const bool is_whole = shown_picture.accuracy == NeedleAccuracy::WholeAnswers;
  const std::string letter = shown_picture.runs.empty() ? "" : shown_picture.runs.front().letter;
  draw_title((is_whole ? "Answers found" : "Answer tokens found") + (letter.empty() ? "" : ", " + letter),
             difference.is_wanted ? "no difference: " + difference.missing
                                  : std::string("95 % Wilson interval, hatched below 20 trials"),
             at, size.x);
  ImGui::SetCursorScreenPos(grid_at_);
  if (const NeedleHover found = draw_answer_grid(shown_picture, lit_, grid_size_)) hover_ = found;
}

void NeedleView::draw_steps(ViewContext& context, ImVec2 at, ImVec2 size) {
  const NeedlePicture& shown_picture = picture();
  const TrackPicture& track = shown_picture.tracks.front();
  draw_title(track.title, track.detail + "; click goes to an evaluation", at, size.x);
  ImGui::SetCursorScreenPos({at.x, at.y + px(kPaneTitle)});
  const auto pinned = context.selection.locked.step;
  draw_track({shown_picture,
              track,
              {size.x, size.y - px(kPaneTitle)},
              true,
              true,
              end_label_gutter(shown_picture, track)},
             context);
  // A click pins a step: here it goes to the evaluation nearest to it.
  const auto clicked = context.selection.locked.step;
  if (!clicked || clicked == pinned) return;
  const Run* run = context.timeline.find(shown_picture.run);
  const Track* needle = run != nullptr ? run->track("needle") : nullptr;
  const auto sample = needle != nullptr ? run->nearest_sample(*needle, *clicked) : std::nullopt;
  if (!sample) return;
  context.selection.locked.step.reset();
  context.selection.locked.x.reset();
  jump(context, run->step_of_sample(*needle, *sample));
}

// To a step, and to the needle that stood in the probe text then.
void NeedleView::jump(ViewContext& context, std::uint64_t step) const {
  context.timeline.cursor().seek(step);
  const Run* run = context.timeline.find(picture().run);
  const auto injected = run != nullptr ? injected_needle(*run, step) : std::nullopt;
  if (injected && !injected->positions.empty()) context.selection.locked.token = injected->positions.front();
}

void NeedleView::follow_pointer(ViewContext& context) {
  std::optional<ImVec2> corner;
  if (walk_.is_walking() && hover_ && hover_->run == 0 && pointer_moved()) {
    walk_.hold({static_cast<std::int64_t>(hover_->depth), static_cast<std::int64_t>(hover_->context)});
  } else if (walk_.is_walking()) {
    hover_ = held();
    corner = needle_cell_corner(picture(), *hover_, grid_at_, grid_size_);
  }
  if (!hover_) return;
  show_place(picture(), *hover_, corner);
  const auto& step = picture().runs[hover_->run].contexts[hover_->context].step;
  if (!step) return;
  context.selection.hover.step = step;
  const bool is_click = ImGui::IsMouseReleased(ImGuiMouseButton_Left) &&
                        ImGui::GetIO().MouseDragMaxDistanceSqr[ImGuiMouseButton_Left] < px(3) * px(3);
  if (is_click && !corner) jump(context, *step);
}

std::string NeedleView::menu_value(ViewContext& context) const {
  if (!menu_ || menu_->run >= picture().runs.size()) return values_text(context);
  const std::vector<std::string> lines = place_in_words(picture(), *menu_);
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string NeedleView::menu_row(ViewContext&) const {
  if (!menu_ || menu_->run >= picture().runs.size()) return {};
  const std::vector<std::string> lines = place_in_words(picture(), *menu_);
  return fmt::format("{}", fmt::join(lines, "\t"));
}

std::string NeedleView::values_text(ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) return "";
  const NeedlePicture made = query(query_frame(context, *run, kMostColumns));
  std::string text = "step " + format_count(static_cast<std::int64_t>(made.cursor_step));
  for (const NeedleRun& one : made.runs) {
    for (const NeedleContext& at : one.contexts)
      text += fmt::format("\n{}, mean over depths\t{}", name_of(one, at),
                          signal_in_words(made, at.mean.signal, at.mean.standard_error, at.mean.nll_without));
  }
  return text;
}

}  // namespace sparsescope::viz

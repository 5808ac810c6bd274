#include "viz/views/run_list_panel.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgui_internal.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/model/format.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/icons.h"

namespace sparsescope::viz {
namespace {

constexpr float kRow = 46, kChangesLine = 16;  // at scale 1
constexpr std::size_t kKept = 512;

struct StateLook {
  const char* icon;
  Token ink;
};
StateLook look_of(RunState state) {
  switch (state) {
    case RunState::Loading:
    case RunState::Preparing:
      return {icon::kWaiting, Token::Muted};
    case RunState::Training:
      return {icon::kPlay, Token::Accent};
    case RunState::Paused:
      return {icon::kPause, Token::Warn};
    case RunState::Evaluating:
      return {icon::kTarget, Token::Accent};
    case RunState::Following:
      return {icon::kLive, Token::Accent};
    case RunState::Finished:
      return {icon::kCheck, Token::Muted};
    case RunState::Stopped:
      return {icon::kStop, Token::Muted};
    case RunState::Failed:
      return {icon::kAlert, Token::Error};
    case RunState::NotClosed:
      return {icon::kAlert, Token::Warn};
  }
  return {icon::kAlert, Token::Error};
}

float row_height(const ViewContext& context) {
  return px(kRow + (context.selection.comparison.baseline ? kChangesLine : 0));
}

}  // namespace

void RunListPanel::begin_rename(const Timeline& timeline, const Run& run) {
  renaming_ = run.id();
  new_name_ = run_name(timeline, run);
  focuses_name_ = true;
}

const std::vector<std::uint32_t>& RunListPanel::listed(const ViewContext& context) {
  const Timeline& timeline = context.timeline;
  ListKey key{timeline.runs().size(), 0, 0, {}, settings};
  for (const std::unique_ptr<Run>& run : timeline.runs()) {
    key.schemas += run->schema() != nullptr ? 1 : 0;
    if (!settings.filter.empty() && run->is_named()) key.names.push_back(run->name());
  }
  if (!timeline.runs().empty()) key.newest = timeline.runs().back()->id();
  if (key != key_) {
    listed_ = listed_runs(timeline, settings);
    key_ = std::move(key);
    kept_.clear();
  }
  return listed_;
}

RunEntry RunListPanel::entry(const ViewContext& context, const Run& run,
                             const std::optional<TrainedRun>& trained) {
  const Selection& selection = context.selection;
  const auto found = kept_.find(run.id());
  const bool is_trained = trained && trained->run == run.id();
  const bool is_true = found != kept_.end() && !is_trained && run.end() != nullptr &&
                       found->second.version == run.version() &&
                       found->second.baseline == selection.comparison.baseline;
  if (!is_true) {
    if (kept_.size() > kKept) kept_.clear();
    RunEntry made = run_entry(context.timeline, run, selection, settings, trained);
    kept_[run.id()] = {run.version(), selection.comparison.baseline, made};
    return made;
  }
  // What depends on the selection alone changes without a new version.
  RunEntry kept = found->second.entry;
  kept.is_selected = context.timeline.current(selection.run) == &run;
  kept.is_compared =
      std::ranges::find(selection.comparison.beside, run.id()) != selection.comparison.beside.end();
  return kept;
}

void RunListPanel::draw_filter() {
  ImGui::SetNextItemWidth(-FLT_MIN);
  FontScope font(Font::Regular, kSmallText + 0.5f);
  if (focuses_filter_) ImGui::SetKeyboardFocusHere();
  focuses_filter_ = false;
  if (ImGui::InputTextWithHint("##filter", "Filter runs and channels", &settings.filter))
    channels.filter = settings.filter;
}

float RunListPanel::runs_height(const ViewContext& context) {
  return row_height(context) * static_cast<float>(std::max<std::size_t>(1, listed(context).size()));
}

void RunListPanel::draw_runs(ViewContext& context, const std::optional<TrainedRun>& trained, float height) {
  const std::vector<std::uint32_t>& ids = listed(context);
  if (ids.empty()) {
    const bool is_hiding = settings.filter.empty();
    ui::muted(is_hiding ? "All runs are hidden" : "No run matches “" + settings.filter + "”");
    return;
  }
  const float row = row_height(context);
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, 0});
  if (ImGui::BeginChild("runs", {0, std::min(height, row * static_cast<float>(ids.size()))})) {
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(ids.size()), row);
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        const Run* run = context.timeline.find(ids[static_cast<std::size_t>(i)]);
        if (run == nullptr) {  // closed by a command of this very frame
          ImGui::Dummy({1, row});
          continue;
        }
        ImGui::PushID(static_cast<int>(run->id()));
        draw_run(context, entry(context, *run, trained), row);
        ImGui::PopID();
      }
    }
  }
  ImGui::EndChild();
  ImGui::PopStyleVar();
}

void RunListPanel::draw_name_field(ViewContext& context, float width) {
  ImGui::SetNextItemWidth(width);
  FontScope font(Font::Regular, kSmallText + 0.5f);
  if (focuses_name_) ImGui::SetKeyboardFocusHere();
  const bool was_asked = focuses_name_;
  focuses_name_ = false;
  const bool is_done = ImGui::InputText(
      "##name", &new_name_, ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_AutoSelectAll);
  ui::tooltip("Kept beside the recording, which keeps its own title; empty gives that back",
              "Enter keeps it, Esc does not");
  if (is_done) {
    if (context.run_command_with) context.run_command_with("run.set_name", new_name_);
    renaming_.reset();
  } else if (!was_asked && ImGui::IsItemDeactivated()) {
    renaming_.reset();
  }
}

void RunListPanel::draw_run(ViewContext& context, const RunEntry& entry, float height) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float text_x = at.x + px(18);
  if (renaming_ == entry.run) {
    list->AddRectFilled(at, {at.x + width, at.y + height}, color(Token::AccentSurface), px(3));
    ImGui::SetCursorScreenPos({text_x, at.y + px(4)});
    draw_name_field(context, width - px(24));
    ImGui::SetCursorScreenPos({at.x, at.y});
    ImGui::Dummy({width, height});
    return;
  }
  const bool pressed = ImGui::InvisibleButton("run", {width, height}, ImGuiButtonFlags_EnableNav);
  const bool hovered = ImGui::IsItemHovered();
  if (pressed && ImGui::GetIO().KeyCtrl) {
    const Run* run = context.timeline.find(entry.run);
    if (run != nullptr && context.run_command_with)
      context.run_command_with("run.compare_with", title_of ? title_of(*run) : entry.name);
  } else if (pressed) {
    context.selection.run = entry.run;
  }
  const bool is_double = ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && !ImGui::GetIO().KeyCtrl;
  if (hovered && is_double && context.run_command) context.run_command("run.rename");
  if (entry.is_selected || hovered)
    list->AddRectFilled(at, {at.x + width, at.y + height - px(2)},
                        color(entry.is_selected ? Token::AccentSurface : Token::Hover), px(3));
  ImGui::RenderNavCursor({at, {at.x + width, at.y + height}}, ImGui::GetItemID());
  std::string detail = numbers_in_words(entry);
  const auto add_line = [&detail](const std::string& line) { detail.append("\n").append(line); };
  if (!entry.problem.empty()) add_line(entry.problem);
  if (!entry.changes.empty()) add_line(changes_in_words(entry.changes, 12));
  if (!entry.path.empty()) add_line(entry.path);
  ui::tooltip(entry.name, detail);
  draw_run_menu(context, entry);

  const float alpha = entry.is_hidden ? 0.5f : 1;
  const ImU32 run_ink = color(run_token(static_cast<int>(entry.run)), alpha);
  list->AddCircleFilled({at.x + px(9), at.y + px(13)}, px(4.5f), run_ink, 16);
  if (entry.is_compared || entry.is_baseline)
    list->AddCircle({at.x + px(9), at.y + px(13)}, px(7), run_ink, 20, px(1.5f));

  const StateLook look = look_of(entry.state);
  float right = at.x + width - px(6);
  if (icons_available()) {
    const ImVec2 size = text_size(Font::Regular, kBodyText - 1, look.icon);
    right -= size.x;
    draw_text(list, Font::Regular, kBodyText - 1, {right, at.y + px(4)}, color(look.ink, alpha), look.icon);
  }
  if (entry.is_baseline) {
    const ImVec2 mark = text_size(Font::SemiBold, kSmallText - 1, "A");
    right -= mark.x + px(12);
    list->AddRectFilled({right, at.y + px(5)}, {right + mark.x + px(8), at.y + px(21)},
                        color(Token::Accent, alpha), px(3));
    draw_text(list, Font::SemiBold, kSmallText - 1, {right + px(4), at.y + px(6)}, color(Token::Panel), "A");
  }
  draw_text_within(list, Font::Regular, kSmallText + 0.5f, {text_x, at.y + px(5)}, right - px(8) - text_x,
                   color(Token::Text, alpha), entry.name);
  const bool is_broken = entry.state == RunState::Failed && !entry.problem.empty();
  draw_text_within(list, Font::Regular, kSmallText - 1, {text_x, at.y + px(24)}, width - px(24),
                   color(is_broken ? Token::Error : Token::Muted, alpha),
                   is_broken ? entry.problem : numbers_in_words(entry));
  if (context.selection.comparison.baseline) {
    const std::string changes = entry.is_baseline       ? "the baseline"
                                : entry.changes.empty() ? "configured like the baseline"
                                                        : changes_in_words(entry.changes, 4);
    draw_text_within(list, Font::Regular, kSmallText - 1, {text_x, at.y + px(40)}, width - px(24),
                     color(Token::Muted, alpha), changes);
  }
  if (entry.loading >= 0) {
    const float y = at.y + height - px(3);
    list->AddLine({text_x, y}, {at.x + width - px(6), y}, color(Token::Line), px(2));
    list->AddLine({text_x, y},
                  {text_x + (at.x + width - px(6) - text_x) * static_cast<float>(entry.loading), y},
                  color(Token::Accent), px(2));
  }
}

void RunListPanel::draw_run_menu(ViewContext& context, const RunEntry& entry) {
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{px(8), px(6)});
  if (ImGui::BeginPopupContextItem("menu")) {
    // Commands are about the selected run.
    if (ImGui::IsWindowAppearing()) context.selection.run = entry.run;
    constexpr struct {
      const char* words;
      const char* id;
    } kEntries[] = {{"Pin as baseline A", "run.pin_baseline"},
                    {"Compare with the next run too", "run.compare"},
                    {"Rename…", "run.rename"},
                    {"Tags…", "run.tag"},
                    {"Recover into a new file", "run.recover"},
                    {"Hide", "run.hide"},
                    {"Reveal the file", "run.reveal_file"},
                    {"Copy the file's path", "run.copy_path"},
                    {"Copy its configuration", "run.copy_config"},
                    {"Close", "run.close"}};
    for (const auto& item : kEntries) {
      const std::string reason = context.why_disabled ? context.why_disabled(item.id) : "there is no window";
      if (ImGui::MenuItem(item.words, nullptr, false, reason.empty()) && context.run_command)
        context.run_command(item.id);
      if (!reason.empty() && ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
        ImGui::SetTooltip("%s", reason.c_str());
    }
    if (!entry.problem.empty()) {
      ImGui::Separator();
      if (ImGui::MenuItem("Copy details of its failure"))
        ImGui::SetClipboardText(
            fmt::format("{}\nrun\t{}\nfile\t{}", entry.problem, entry.title, entry.path).c_str());
    }
    ImGui::EndPopup();
  }
  ImGui::PopStyleVar();
}

}  // namespace sparsescope::viz

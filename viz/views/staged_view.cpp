#include "viz/views/staged_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "viz/model/format.h"
#include "viz/widgets/controls.h"
#include "viz/widgets/icons.h"

namespace sparsescope::viz {
namespace {

std::string loading_words(const LoadProgress& loading) {
  std::string words = format_count(static_cast<std::int64_t>(loading.rows_read)) + " of " +
                      format_count(static_cast<std::int64_t>(loading.rows_total)) + " rows";
  if (loading.bytes_read > 0) words += ", " + format_bytes(static_cast<double>(loading.bytes_read));
  return words;
}

bool can_run(const ViewContext& context, const Action& action) {
  if (action.step) return true;
  return context.run_command && (!context.why_disabled || context.why_disabled(action.command).empty());
}

void perform(ViewContext& context, const Action& action) {
  if (action.step) context.timeline.cursor().seek(*action.step);
  if (!action.command.empty()) context.run_command(action.command);
}

// What a person needs to report a failure: run, step, view and the sentence.
std::string failure_details(const PictureHead& head, const Run& run) {
  return fmt::format("{}\nview\t{}\nrun\t{}\nuuid\t{}\nstep\t{}", head.words, head.view, run.name(),
                     run.uuid(), head.cursor_step);
}

}  // namespace

PictureKey picture_key(const ViewContext& context, const Run& run, int columns) {
  const Timeline& timeline = context.timeline;
  const Selection& selection = context.selection;
  const Feed* feed = timeline.feed(run.id());
  std::uint64_t others = 0;
  const auto add = [&](std::uint32_t id) {
    if (const Run* other = timeline.find(id)) others += other->version();
  };
  if (selection.comparison.baseline) add(*selection.comparison.baseline);
  for (std::uint32_t id : selection.comparison.beside) add(id);
  return {run.id(),
          run.version(),
          timeline.version(),
          timeline.cursor().step(),
          timeline.pending(),
          feed != nullptr && feed->progress ? feed->progress().rows_read : 0,
          others,
          timeline.cursor().mode(),
          timeline.window().axis(),
          timeline.window().chosen(),
          selection.brush,
          selection.locked,
          selection.comparison,
          context.step,
          columns};
}

QueryFrame query_frame(const ViewContext& context, Run& run, int columns) {
  const Selection& selection = context.selection;
  return {context.timeline,     run,         columns, selection.brush, selection.locked,
          selection.comparison, context.step};
}

template <typename Change>
void StagedView::by_commands(ViewContext& context, Change change) {
  const nlohmann::json before = settings();
  change();
  const nlohmann::json after = settings();
  if (after == before || !context.run_command || !context.run_command_with) return;
  // What no command sets, such as a camera or a text, stays as it was set.
  nlohmann::json by_hand = after;
  std::vector<std::pair<std::string, std::string>> by_command;
  const auto given_to_command = [this](const std::string& key, const nlohmann::json& value) -> std::string {
    if (value.is_boolean()) return "";
    const std::span<const char* const> names = choices(key);
    return names.empty() ? value.dump() : names[value.get<std::size_t>()];
  };
  for (const auto& [key, value] : after.items()) {
    const auto was = before.find(key);
    if (was == before.end() || *was == value || !(value.is_boolean() || value.is_number())) continue;
    by_hand[key] = *was;
    by_command.emplace_back(fmt::format("view.{}.{}", id(), key), given_to_command(key, value));
  }
  set_settings(by_hand);
  for (const auto& [command, value] : by_command) {
    if (value.empty()) {
      context.run_command(command);
    } else {
      context.run_command_with(command, value);
    }
  }
}

void StagedView::draw(ViewContext& context) {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) {
    const Action start{"Start training (T)", "train.toggle"};
    const bool possible = can_run(context, start);
    ui::view_header({std::string(title()), {}, {}, Token::Count, {}});
    if (ui::empty_state(icon::kChart, empty_words(), possible ? start.words.c_str() : nullptr))
      context.run_command(start.command);
    return;
  }
  ImGui::PushID(id().data(), id().data() + id().size());
  const PictureHead& head = refresh(context, *run);
  ui::view_header({head.title, head.detail, head.takeaway, run_token(static_cast<int>(head.run)), head.help},
                  [&] {
                    by_commands(context, [&] {
                      if (draw_settings(context)) forget();
                    });
                  });
  if (draw_state(head, context, *run)) {
    draw_marks(context);
    draw_context_menu(context, *run);
  }
  ImGui::PopID();
}

Twin StagedView::twin(ViewContext& context) const {
  Run* run = context.timeline.current(context.selection.run);
  if (run == nullptr) return {std::string(title()), {empty_words()}, {}};
  return fresh_twin(context, *run);
}

bool StagedView::draw_state(const PictureHead& head, ViewContext& context, Run& run) {
  if (head.loading.rows_total > 0) {
    const double fraction =
        static_cast<double>(head.loading.rows_read) / static_cast<double>(head.loading.rows_total);
    const Feed* feed = context.timeline.feed(run.id());
    const bool can_cancel = feed != nullptr && static_cast<bool>(feed->cancel_loading);
    if (ui::progress("loading", fraction, loading_words(head.loading), can_cancel) && can_cancel)
      context.run_command ? context.run_command("run.cancel_loading") : feed->cancel_loading();
  }
  if (!head.problem.empty() && head.problem != head.words) ui::wrapped(head.problem, Token::Error);
  if (!head.behind.empty()) ui::behind_mark(head.behind);
  switch (head.state) {
    case PictureState::Ready:
    case PictureState::Waiting:
      return true;
    case PictureState::NotApplicable:
      ui::empty_state(icon::kInformation, head.words);
      return false;
    case PictureState::Loading:
      ui::empty_state(icon::kWaiting, head.words + "…");
      return false;
    case PictureState::Failed: {
      // A failed read is asked for again; a run that failed altogether is begun or opened again.
      const bool has_ended = run.end() != nullptr && run.end()->status == trace::RunStatus::Failed;
      const Action again{"Retry", "run.retry"};
      const bool can_retry = !has_ended || can_run(context, again);
      if (ui::error_state(head.words, failure_details(head, run), can_retry)) {
        run.cache().retry();
        forget();
        if (has_ended) perform(context, again);
      }
      return false;
    }
    case PictureState::Empty: {
      const bool possible = head.action && can_run(context, *head.action);
      if (ui::empty_state(icon::kChart, head.words, possible ? head.action->words.c_str() : nullptr))
        perform(context, *head.action);
      return false;
    }
  }
  return false;
}

void StagedView::draw_context_menu(ViewContext& context, Run& run) {
  const bool is_click = ImGui::IsMouseReleased(ImGuiMouseButton_Right) &&
                        ImGui::GetIO().MouseDragMaxDistanceSqr[ImGuiMouseButton_Right] < px(3) * px(3);
  if (is_click && ImGui::IsWindowHovered(ImGuiHoveredFlags_ChildWindows)) {
    open_menu(context);
    ImGui::OpenPopup("context");
  }
  if (!ImGui::BeginPopup("context")) return;
  const auto copy = [](const char* words, const char* keys, const std::string& text) {
    if (ImGui::MenuItem(words, keys, false, !text.empty())) ImGui::SetClipboardText(text.c_str());
  };
  const auto command = [&](const char* words, const char* keys, const char* id) {
    const bool possible = context.run_command && context.why_disabled && context.why_disabled(id).empty();
    if (ImGui::MenuItem(words, keys, false, possible)) context.run_command(id);
  };
  copy("Copy value", "Ctrl+C", menu_value(context));
  copy("Copy row", nullptr, menu_row(context));
  if (ImGui::MenuItem("Copy table", "Ctrl+Shift+C"))
    ImGui::SetClipboardText(text_of(fresh_twin(context, run)).c_str());
  ImGui::Separator();
  by_commands(context, [&] { draw_menu(context); });
  command("Export…", "Ctrl+E", "view.export");
  command("Annotate…", "N", "annotation.note");
  command("Add bookmark", "M", "annotation.bookmark");
  command("Open in comparison", "C", "run.compare");
  command("Side by side", "Alt+S", "compare.side_by_side");
  ImGui::Separator();
  command("Fit the time axis", "F", "timeline.fit");
  command("Release selection", "Esc", "selection.let_go");
  ImGui::EndPopup();
}

}  // namespace sparsescope::viz

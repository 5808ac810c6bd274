// From the view in front to a figure: which files, how large, in which theme, where. The program behind Host
// makes them between two frames.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/trace/error.h"
#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/frame/state.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFactors = {1, 2, 4};
constexpr std::array kFactorNames = {"1×", "2×", "4×"};
constexpr int kSmallest = 200, kLargest = 8192;  // of a figure's side at scale 1

struct FormatName {
  ExportFormat format;
  const char* words;
};
constexpr std::array kFormats = {FormatName{ExportFormat::Png, "PNG, a picture"},
                                 FormatName{ExportFormat::Svg, "SVG, text and vectors"},
                                 FormatName{ExportFormat::Csv, "CSV, what is visible"},
                                 FormatName{ExportFormat::Provenance, "JSON, where it comes from"}};

State::Slot* slot_of(State& state, const std::string& id) {
  for (State::Slot& slot : state.slots) {
    if (slot.view->id() == id) return &slot;
  }
  return nullptr;
}

// "figures/run.drift.step-300" for the recording "run.h5": a figure of another step is another file.
std::string stem_for(State& state, const std::string& view) {
  std::string name = "sparsescope";
  if (const viz::Run* run = state.run()) {
    const viz::Feed* feed = state.timeline.feed(run->id());
    if (feed != nullptr && !feed->name.empty()) name = fs::path(feed->name).stem().string();
  }
  const fs::path folder = state.figure.stem.empty() ? fs::path(state.host.figures_folder())
                                                    : fs::path(state.figure.stem).parent_path();
  return (folder / fmt::format("{}.{}.step-{}", name, view, state.timeline.cursor().step())).string();
}

void open_export(State& state) {
  const viz::View* view = view_in_front(state);
  state.figure.view = view->id();
  state.figure.stem = stem_for(state, state.figure.view);
  state.open_dialog(Dialog::Export);
}

// What the screen shows now becomes what the figure shows.
ExportRequest request_now(State& state) {
  ExportRequest request = state.figure;
  if (const State::Slot* slot = slot_of(state, request.view))
    request.settings = slot->view->settings().dump();
  request.selection = state.selection;
  return request;
}

bool has(const ExportRequest& figure, ExportFormat format) {
  return std::find(figure.formats.begin(), figure.formats.end(), format) != figure.formats.end();
}

void choose_view(State& state) {
  const State::Slot* chosen = slot_of(state, state.figure.view);
  ImGui::SetNextItemWidth(-FLT_MIN);
  if (!ImGui::BeginCombo("##view", chosen != nullptr ? std::string(chosen->view->title()).c_str() : ""))
    return;
  for (const State::Slot& slot : state.slots) {
    const std::string title(slot.view->title());
    if (!ImGui::Selectable(title.c_str(), slot.view->id() == state.figure.view)) continue;
    state.figure.view = slot.view->id();
    state.figure.stem = stem_for(state, state.figure.view);
  }
  ImGui::EndCombo();
}

void choose_formats(ExportRequest& figure) {
  for (const FormatName& name : kFormats) {
    bool on = has(figure, name.format);
    if (!ui::toggle(name.words, on)) continue;
    if (on) {
      figure.formats.push_back(name.format);
    } else {
      std::erase(figure.formats, name.format);
    }
  }
}

void choose_look(ExportRequest& figure) {
  std::vector<const char*> names;
  for (Theme theme : themes()) names.push_back(theme_name(theme));
  int theme = static_cast<int>(figure.theme);
  ui::muted("Theme");
  if (ui::segmented("figure theme", names, theme)) figure.theme = static_cast<Theme>(theme);
  ImGui::Dummy({0, px(4)});
  ui::muted("Size at scale 1, in pixels");
  std::array<int, 2> size = {figure.width, figure.height};
  ImGui::SetNextItemWidth(px(180));
  if (ImGui::InputInt2("##size", size.data())) {
    figure.width = std::clamp(size[0], kSmallest, kLargest);
    figure.height = std::clamp(size[1], kSmallest, kLargest);
  }
  if (!has(figure, ExportFormat::Png)) return;
  ImGui::SameLine(0, px(16));
  int factor =
      static_cast<int>(std::find(kFactors.begin(), kFactors.end(), figure.factor) - kFactors.begin());
  if (ui::segmented("figure factor", kFactorNames, factor))
    figure.factor = kFactors[static_cast<std::size_t>(factor)];
}

bool is_side_by_side(State& state) {
  const State::Slot* slot = slot_of(state, state.figure.view);
  return slot != nullptr && slot->view->settings().value("side_by_side", false);
}

// The figures that a request makes: the left pane's and the right pane's where they are to stand apart.
std::vector<ExportRequest> figures_of(const ExportRequest& request) {
  nlohmann::json settings = nlohmann::json::parse(request.settings, nullptr, false);
  if (!request.panes_apart || !settings.is_object() || !settings.value("side_by_side", false))
    return {request};
  std::vector<ExportRequest> figures(2, request);
  for (int pane = 1; pane <= 2; ++pane) {
    ExportRequest& figure = figures[static_cast<std::size_t>(pane - 1)];
    settings["panes"] = pane;
    figure.settings = settings.dump();
    figure.stem += pane == 1 ? ".A" : ".B";
  }
  return figures;
}

// Files of the same name are replaced, and that is said before.
void say_what_is_replaced(State& state) {
  const ExportRequest figure = request_now(state);
  std::vector<std::string> there;
  for (const ExportRequest& one : figures_of(figure)) {
    for (ExportFormat format : one.formats) {
      const fs::path path = one.stem + "." + file_ending(format);
      std::error_code failure;
      if (fs::exists(path, failure)) there.push_back(path.filename().string());
    }
  }
  if (!there.empty()) ui::wrapped(fmt::format("Replaces {}", fmt::join(there, ", ")), Token::Warn);
}

// The text of a figure's file goes to the clipboard.
void copy_as(State& state, ExportFormat format) {
  state.wanted_figure = request_now(state);
  state.wanted_figure->formats = {format};
  state.wanted_figure->stem.clear();
}

void fill_dialog(State& state) {
  FontScope font(Font::Regular, kBodyText);
  ExportRequest& figure = state.figure;
  choose_view(state);
  ImGui::Dummy({0, px(4)});
  choose_formats(figure);
  ImGui::Dummy({0, px(4)});
  choose_look(figure);
  ImGui::Dummy({0, px(4)});
  if (is_side_by_side(state)) ui::toggle("Each side as a figure of its own", figure.panes_apart);
  ui::muted("Path without ending");
  ImGui::SetNextItemWidth(-FLT_MIN);
  if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();  // Enter exports at once
  const bool entered = ImGui::InputText("##stem", &figure.stem, ImGuiInputTextFlags_EnterReturnsTrue);
  say_what_is_replaced(state);
  if (!state.dialog_problem.empty()) ui::wrapped(state.dialog_problem, Token::Error);
  ImGui::Dummy({0, px(6)});
  if (ui::button("Export", icon::kExport, ui::Tone::Accent, {px(110), px(32)}) || entered) {
    state.dialog_problem = figure.formats.empty() ? "Choose at least one kind of file"
                           : figure.stem.empty()  ? "A figure needs a path"
                                                  : "";
    if (state.dialog_problem.empty()) state.wanted_figure = request_now(state);
  }
  ImGui::SameLine();
  if (ui::button("Copy SVG", "", ui::Tone::Neutral, {px(100), px(32)})) copy_as(state, ExportFormat::Svg);
  ImGui::SameLine();
  if (ui::button("Copy CSV", "", ui::Tone::Neutral, {px(100), px(32)})) copy_as(state, ExportFormat::Csv);
  ImGui::SameLine();
  if (ui::button("Close", "", ui::Tone::Neutral, {px(90), px(32)}) ||
      ImGui::IsKeyPressed(ImGuiKey_Escape, false))
    close_dialog(state);
}

}  // namespace

const char* file_ending(ExportFormat format) {
  switch (format) {
    case ExportFormat::Png:
      return "png";
    case ExportFormat::Svg:
      return "svg";
    case ExportFormat::Csv:
      return "csv";
    case ExportFormat::Provenance:
      return "json";
  }
  return "";
}

void draw_export_dialog(State& state) {
  if (!begin_dialog(state, "Export a figure", 560)) return;
  fill_dialog(state);
  ImGui::EndPopup();
}

void make_wanted_figure(State& state) {
  if (!state.wanted_figure) return;
  const ExportRequest request = *std::exchange(state.wanted_figure, std::nullopt);
  try {
    if (request.stem.empty()) {
      ImGui::SetClipboardText(state.host.export_text(request).c_str());
      return state.notify(fmt::format("Copied as {}", file_ending(request.formats.front())), ui::Tone::Ok);
    }
    std::vector<std::string> paths;
    for (const ExportRequest& figure : figures_of(request)) {
      for (std::string& path : state.host.export_view(figure)) paths.push_back(std::move(path));
    }
    state.notify(fmt::format("Wrote {}", fmt::join(paths, ", ")), ui::Tone::Ok);
    state.dialog = Dialog::None;
  } catch (const Error& error) {
    state.dialog_problem = error.what();
    if (state.dialog != Dialog::Export) state.notify(error.what(), ui::Tone::Error);
  }
}

void add_export_commands(State& state) {
  const auto needs_view = [&state]() -> std::string {
    if (state.run() == nullptr) return "there is no run yet: train a preset or open a recording";
    return view_in_front(state) == nullptr ? "no view is open" : "";
  };
  const auto add = [&](const char* id, const char* words, const char* key, std::function<void()> run) {
    viz::UiCommand command{id, words, "View", {}, std::move(run), needs_view, {}};
    if (*key != '\0') command.keys.push_back(viz::chord_from_text(key));
    state.commands.add(std::move(command));
  };
  add("view.export", "Export the view in front as a figure…", "Ctrl+E", [&state] { open_export(state); });
  add("view.export_again", "Export the view in front as last time", "Ctrl+Shift+E", [&state] {
    state.figure.view = view_in_front(state)->id();
    state.figure.stem = stem_for(state, state.figure.view);
    state.wanted_figure = request_now(state);
  });
  add("view.copy_svg", "Copy the view in front as SVG", "", [&state] {
    state.figure.view = view_in_front(state)->id();
    copy_as(state, ExportFormat::Svg);
  });
  add("view.copy_csv", "Copy what is visible in the view in front as CSV", "", [&state] {
    state.figure.view = view_in_front(state)->id();
    copy_as(state, ExportFormat::Csv);
  });
}

}  // namespace sparsescope::frame

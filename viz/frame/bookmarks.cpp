// Bookmarks and notes in the window: kept through the host, shown as a list to jump, rename and remove, and
// written in a small field over the timeline.
#include "viz/frame/bookmarks.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/trace/error.h"
#include "imgui.h"
#include "misc/cpp/imgui_stdlib.h"
#include "viz/model/format.h"
#include "viz/widgets/icons.h"

namespace sparsescope::frame {
namespace {

constexpr float kListWidth = 380, kRowHeight = 30;

std::string step_words(std::uint64_t step) {
  return "step " + viz::format_count(static_cast<std::int64_t>(step));
}

// One row of the list, whatever it is.
struct Row {
  std::uint32_t id;
  int number;
  std::uint64_t step;
  std::string words;
  bool is_note;
};

std::vector<Row> rows_of(const viz::Annotations& annotations) {
  std::vector<Row> rows;
  for (const viz::Bookmark& bookmark : annotations.bookmarks())
    rows.push_back({bookmark.id, bookmark.number, bookmark.step, bookmark.title, false});
  for (const viz::Note& note : annotations.notes()) rows.push_back({note.id, 0, note.step, note.text, true});
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.step < b.step; });
  return rows;
}

void rename_field(AnnotationBook& book, viz::Annotations& annotations, float width) {
  if (ImGui::IsWindowAppearing() || book.new_name.empty()) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(width);
  const bool entered = ImGui::InputText("##name", &book.new_name, ImGuiInputTextFlags_EnterReturnsTrue);
  if (entered) annotations.rename(book.renamed, book.new_name);
  if (entered || ImGui::IsKeyPressed(ImGuiKey_Escape, false)) book.renamed = 0;
}

void list_row(State& state, viz::Annotations& annotations, const Row& row) {
  AnnotationBook& book = state.book;
  ImGui::PushID(std::to_string(row.id).c_str());
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = px(kRowHeight), buttons = px(60);
  if (book.renamed == row.id) {
    rename_field(book, annotations, width - buttons);
  } else if (ImGui::InvisibleButton("jump", {width - buttons, height}, ImGuiButtonFlags_EnableNav)) {
    state.timeline.cursor().seek(row.step);
  }
  const bool hovered = ImGui::IsItemHovered();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (book.renamed != row.id) {
    const bool is_here = state.timeline.cursor().step() == row.step;
    if (hovered || is_here)
      list->AddRectFilled(at, {at.x + width, at.y + height},
                          is_here ? color(Token::AccentSurface) : color(Token::Line, 0.5f), px(4));
    const ImVec2 size = text_size(Font::Regular, kSmallText, "X");
    const float y = at.y + (height - size.y) / 2;
    draw_text(list, Font::MonoMedium, kSmallText, {at.x + px(8), y}, color(Token::Accent),
              row.is_note       ? "N"
              : row.number != 0 ? std::to_string(row.number).c_str()
                                : "·");
    const std::string step = viz::format_count(static_cast<std::int64_t>(row.step));
    draw_text(list, Font::Mono, kSmallText - 0.5f, {at.x + px(28), y}, color(Token::Muted), step.c_str());
    const std::string words = !row.words.empty() ? row.words : row.is_note ? "Empty note" : "Bookmark";
    draw_text_within(list, Font::Regular, kSmallText + 0.5f, {at.x + px(100), y}, width - buttons - px(106),
                     color(row.words.empty() ? Token::Muted : Token::Text), words);
    ui::tooltip(row.words.empty() ? "Go to this step" : row.words, step_words(row.step));
  }
  ImGui::SetCursorScreenPos({at.x + width - px(56), at.y + px(2)});
  if (ui::icon_button("rename", icon::kTune, row.is_note ? "Change the text" : "Rename")) {
    book.renamed = row.id;
    book.new_name = row.words;
  }
  ImGui::SameLine(0, px(2));
  if (ui::icon_button("remove", icon::kClose, "Remove")) annotations.remove(row.id);
  ImGui::SetCursorScreenPos({at.x, at.y + height + px(2)});
  ImGui::Dummy({0, 0});
  ImGui::PopID();
}

void list_contents(State& state, AnnotationBook::Entry& entry) {
  viz::Annotations& annotations = entry.annotations;
  {
    FontScope font(Font::SemiBold, kBodyText);
    ImGui::TextUnformatted("Bookmarks and notes");
  }
  const std::vector<Row> rows = rows_of(annotations);
  if (rows.empty()) {
    ui::muted("M bookmarks the step at the cursor, N writes a note there");
  } else {
    ui::muted("Kept beside the recording; 1 to 9 go to their bookmark");
  }
  if (!entry.problem.empty()) ui::wrapped(entry.problem, Token::Error);
  ImGui::Dummy({0, px(2)});
  const float shown = px(kRowHeight + 2) * static_cast<float>(std::clamp<std::size_t>(rows.size(), 1, 10));
  if (!rows.empty() && ImGui::BeginChild("rows", {0, shown + px(4)})) {
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2{0, 0});
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(rows.size()), px(kRowHeight + 2));
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i)
        list_row(state, annotations, rows[static_cast<std::size_t>(i)]);
    }
    ImGui::PopStyleVar();
  }
  if (!rows.empty()) ImGui::EndChild();
  if (ui::button("Bookmark here (M)", icon::kFlag)) state.commands.run("annotation.bookmark");
  ImGui::SameLine();
  ImGui::BeginDisabled(!state.commands.why_disabled("window.undo").empty());
  if (ui::button("Undo (Ctrl+Z)", icon::kRetry)) state.commands.run("window.undo");
  ImGui::EndDisabled();
}

}  // namespace

viz::Annotations* annotations_of(State& state, const viz::Run& run) {
  const auto it = state.book.by_run.find(run.uuid());
  return run.uuid().empty() || it == state.book.by_run.end() ? nullptr : &it->second.annotations;
}

namespace {

void load(State& state, const viz::Run& run, AnnotationBook::Entry& entry) {
  LoadedAnnotations loaded = state.host.load_annotations(run);
  entry.annotations = std::move(loaded.annotations);
  entry.first_version = entry.saved_version = entry.annotations.version();
  if (!loaded.note.empty()) state.notify(loaded.note, ui::Tone::Warn);
}

// What another program wrote meanwhile is no step of this window: it stands in every state that undo may go
// to.
void put_into_all_states(AnnotationBook::Entry& entry, const viz::Annotations& before) {
  for (auto& [version, kept] : entry.states) {
    viz::merge(kept, before, entry.annotations);
    kept.go_back_to(viz::Annotations(kept), version);
  }
}

void save(State& state, const viz::Run& run, AnnotationBook::Entry& entry) {
  const viz::Annotations before = entry.annotations;
  entry.saved_version = before.version();
  try {
    if (std::string note = state.host.save_annotations(run, entry.annotations); !note.empty())
      state.notify(std::move(note), ui::Tone::Warn);
    if (entry.annotations.version() != before.version()) put_into_all_states(entry, before);
    entry.saved_version = entry.annotations.version();
    entry.problem.clear();
  } catch (const Error& error) {
    // Said once; the list goes on saying it.
    if (entry.problem != error.what()) state.notify(error.what(), ui::Tone::Error);
    entry.problem = error.what();
  }
}

// The list of runs names and filters by what the book says.
void name_in_list(viz::RunListSettings& list, viz::Run& run, const viz::Annotations& annotations) {
  run.call(annotations.run_name());
  if (annotations.tags().empty()) {
    list.tags.erase(run.id());
  } else {
    list.tags[run.id()] = annotations.tags();
  }
}

}  // namespace

void keep_annotations(State& state) {
  for (const std::unique_ptr<viz::Run>& run : state.timeline.runs()) {
    if (run->uuid().empty()) continue;
    const auto [place, is_new] = state.book.by_run.try_emplace(run->uuid());
    AnnotationBook::Entry& entry = place->second;
    if (is_new) load(state, *run, entry);
    if (entry.annotations.version() != entry.saved_version) save(state, *run, entry);
    entry.states.try_emplace(entry.annotations.version(), entry.annotations);
    name_in_list(state.run_list.settings, *run, entry.annotations);
  }
}

nlohmann::json annotations_now(const State& state) {
  nlohmann::json versions = nlohmann::json::object();
  for (const auto& [uuid, entry] : state.book.by_run) {
    if (entry.annotations.version() != entry.first_version) versions[uuid] = entry.annotations.version();
  }
  return versions;
}

void restore_annotations(State& state, const nlohmann::json& versions) {
  for (auto& [uuid, entry] : state.book.by_run) {
    const std::uint64_t wanted = versions.value(uuid, entry.first_version);
    if (wanted == entry.annotations.version()) continue;
    // A version lives in no state when it was passed within one frame; the one before it was seen.
    const auto after = entry.states.upper_bound(wanted);
    if (after == entry.states.begin()) continue;
    entry.annotations.go_back_to(std::prev(after)->second, std::prev(after)->first);
  }
}

void draw_annotation_list(State& state, ImVec2 above) {
  if (state.book.shows_list) {
    ImGui::OpenPopup("bookmarks");
    state.book.shows_list = false;
    state.book.renamed = 0;
  }
  ImGui::SetNextWindowPos(above, ImGuiCond_Always, {0, 1});
  ImGui::SetNextWindowSize({px(kListWidth), 0});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{px(14), px(12)});
  const bool open = ImGui::BeginPopup("bookmarks");
  ImGui::PopStyleVar();
  if (!open) return;
  viz::Run* run = state.run();
  if (run != nullptr && annotations_of(state, *run) != nullptr) {
    list_contents(state, state.book.by_run.at(run->uuid()));
    if (state.book.renamed == 0 && ImGui::IsKeyPressed(ImGuiKey_Escape, false)) ImGui::CloseCurrentPopup();
  } else {
    ImGui::CloseCurrentPopup();
  }
  ImGui::EndPopup();
}

void draw_note_field(State& state, ImVec2 above) {
  AnnotationBook& book = state.book;
  if (book.asks_for_note) {
    ImGui::OpenPopup("note");
    book.asks_for_note = false;
    book.text.clear();
  }
  const float width = px(320);
  const float left = std::clamp(above.x - width / 2, px(8), ImGui::GetIO().DisplaySize.x - width - px(8));
  ImGui::SetNextWindowPos({left, above.y}, ImGuiCond_Always, {0, 1});
  ImGui::SetNextWindowSize({width, 0});
  if (!ImGui::BeginPopup("note")) return;
  viz::Run* run = state.run();
  viz::Annotations* annotations = run != nullptr ? annotations_of(state, *run) : nullptr;
  if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(-FLT_MIN);
  const std::string hint = "Note at " + step_words(book.note_step);
  const bool entered =
      ImGui::InputTextWithHint("##text", hint.c_str(), &book.text, ImGuiInputTextFlags_EnterReturnsTrue);
  ui::muted("Enter keeps it, Esc leaves");
  if (entered && !book.text.empty() && annotations != nullptr)
    annotations->write_note(book.note_step, book.text);
  if (entered || annotations == nullptr || ImGui::IsKeyPressed(ImGuiKey_Escape, false))
    ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
}

}  // namespace sparsescope::frame

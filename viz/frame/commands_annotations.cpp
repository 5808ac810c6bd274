// Commands of bookmarks and notes, with their keys.
#include <fmt/format.h>

#include "viz/frame/bookmarks.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

std::string step_words(std::uint64_t step) {
  return "step " + viz::format_count(static_cast<std::int64_t>(step));
}

// Of the run that is looked at, with something in it; else nullptr.
viz::Annotations* present(State& state) {
  viz::Run* run = state.run();
  return run != nullptr && run->rows() > 0 ? annotations_of(state, *run) : nullptr;
}

std::string why_none(State& state) {
  return present(state) != nullptr ? "" : "there is no run yet: train a preset or open a recording";
}

void toggle_bookmark(State& state) {
  viz::Annotations& annotations = *present(state);
  const std::uint64_t step = state.timeline.cursor().step();
  if (const viz::Bookmark* here = annotations.at(step)) {
    annotations.remove(here->id);
  } else {
    annotations.mark(step, annotations.free_number());
  }
}

void save_numbered(State& state, int number) {
  const std::uint64_t step = state.timeline.cursor().step();
  present(state)->mark(step, number);
  state.notify(fmt::format("Bookmark {} is {}", number, step_words(step)), ui::Tone::Neutral);
}

void go_to(State& state, const viz::Bookmark& bookmark) {
  state.timeline.cursor().seek(bookmark.step);
  viz::TimeWindow& window = state.timeline.window();
  const double x = state.run()->x_of_step(bookmark.step, window.axis());
  // A chosen range moves so far that the bookmark stands in its middle.
  if (const std::optional<viz::Range> chosen = window.chosen(); chosen && !chosen->contains(x))
    window.choose({x - chosen->width() / 2, x + chosen->width() / 2});
}

using Find = const viz::Bookmark* (viz::Annotations::*)(std::uint64_t) const;

}  // namespace

void add_annotation_commands(State& state) {
  const auto add = [&](std::string id, std::string words, std::vector<std::string> keys,
                       std::function<void()> run, std::function<std::string()> why_disabled) {
    viz::UiCommand command{std::move(id),  std::move(words),        "Bookmarks", {},
                           std::move(run), std::move(why_disabled), {}};
    for (const std::string& key : keys) command.keys.push_back(viz::chord_from_text(key));
    state.commands.add(std::move(command));
  };
  const auto needs_run = [&state] { return why_none(state); };
  add(
      "annotation.bookmark", "Bookmark this step, or remove its bookmark", {"M"},
      [&state] { toggle_bookmark(state); }, needs_run);
  add(
      "annotation.note", "Note at the cursor", {"N"},
      [&state] {
        state.book.asks_for_note = true;
        state.book.note_step = state.timeline.cursor().step();
      },
      needs_run);
  add(
      "annotation.list", "Bookmarks and notes", {"Ctrl+M"}, [&state] { state.book.shows_list = true; },
      needs_run);
  const auto add_step = [&](const char* id, const char* words, const char* key, Find find, const char* none) {
    const auto found = [&state, find]() -> const viz::Bookmark* {
      const viz::Annotations* annotations = present(state);
      return annotations != nullptr ? (annotations->*find)(state.timeline.cursor().step()) : nullptr;
    };
    add(
        id, words, {key},
        [&state, found] {
          if (const viz::Bookmark* bookmark = found()) go_to(state, *bookmark);
        },
        [&state, found, none]() -> std::string {
          if (const std::string reason = why_none(state); !reason.empty()) return reason;
          return found() != nullptr ? "" : none;
        });
  };
  add_step("annotation.previous", "Previous bookmark", "PageUp", &viz::Annotations::previous,
           "there is no bookmark before this step");
  add_step("annotation.next", "Next bookmark", "PageDown", &viz::Annotations::next,
           "there is no bookmark after this step");
  for (int number = 1; number <= 9; ++number) {
    add(
        fmt::format("annotation.go_to_{}", number), fmt::format("Go to bookmark {}", number),
        {std::to_string(number)}, [&state, number] { go_to(state, *present(state)->numbered(number)); },
        [&state, number]() -> std::string {
          if (const std::string reason = why_none(state); !reason.empty()) return reason;
          return present(state)->numbered(number) != nullptr
                     ? ""
                     : fmt::format("no step has this number; Ctrl+{} gives it to the step at the cursor",
                                   number);
        });
    add(
        fmt::format("annotation.save_{}", number), fmt::format("Make this step bookmark {}", number),
        {fmt::format("Ctrl+{}", number)}, [&state, number] { save_numbered(state, number); }, needs_run);
  }
}

}  // namespace sparsescope::frame

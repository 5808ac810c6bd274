// Rows from the same queries that the tracks are drawn from.
#include "viz/model/time_twin.h"

#include <fmt/format.h>

#include <algorithm>

#include "viz/model/time_tracks.h"

namespace sparsescope::viz {
namespace {

struct Mark {
  double x = 0;
  std::string step, kind, words;
};

std::string axis_name(TimeAxis axis) {
  switch (axis) {
    case TimeAxis::Step:
      return "step";
    case TimeAxis::Tokens:
      return "tokens";
    case TimeAxis::WallTime:
      return "seconds";
    case TimeAxis::RelativeStep:
      return "steps since the first";
  }
  return "step";
}

std::string count_words(std::uint64_t value) { return format_count(static_cast<std::int64_t>(value)); }

std::vector<Mark> marks_of(const Run& run, const Annotations* annotations, TimeAxis axis) {
  std::vector<Mark> marks;
  const auto add = [&](std::uint64_t step, std::string kind, std::string words) {
    marks.push_back({run.x_of_step(step, axis), std::to_string(step), std::move(kind), std::move(words)});
  };
  if (annotations != nullptr) {
    for (const Bookmark& bookmark : annotations->bookmarks())
      add(bookmark.step,
          bookmark.number != 0 ? fmt::format("bookmark {}", bookmark.number) : std::string("bookmark"),
          bookmark.title);
    for (const Note& note : annotations->notes()) add(note.step, "note", note.text);
  }
  for (const Event& event : run.events()) add(event.step, event.kind, event.words);
  for (const MissingSpan& span : missing_spans(run, axis))
    marks.push_back({span.first, std::to_string(run.step_at(span.first, axis)),
                     span.kind == MissingSpan::Kind::Skipped ? "skipped" : "damaged", span.words});
  std::stable_sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.x < b.x; });
  return marks;
}

}  // namespace

Twin twin_of_time(const Timeline& timeline, const Run& run, const Annotations* annotations) {
  const TimeAxis axis = timeline.window().axis();
  const Range shown = timeline.visible();
  const Cursor& cursor = timeline.cursor();
  Twin twin;
  twin.title = "Timeline of " + run.name() + ", in " + axis_name(axis);
  twin.lines.push_back(fmt::format("Cursor at step {}{}", count_words(cursor.step()),
                                   cursor.is_following() ? ", following the newest" : ""));
  twin.lines.push_back(
      fmt::format("Shown {} to {}", format_number(shown.minimum, 6), format_number(shown.maximum, 6)));
  if (cursor.loop())
    twin.lines.push_back(fmt::format("Loop from step {} to {}", count_words(cursor.loop()->first),
                                     count_words(cursor.loop()->last)));
  twin.table.header = {"step", axis_name(axis), "kind", "text"};
  std::size_t outside = 0;
  for (Mark& mark : marks_of(run, annotations, axis)) {
    if (!shown.contains(mark.x)) {
      ++outside;
      continue;
    }
    twin.table.rows.push_back(
        {mark.step, format_number(mark.x, 9), std::move(mark.kind), std::move(mark.words)});
  }
  if (outside > 0) twin.lines.push_back(fmt::format("{} marks lie outside of what is shown", outside));
  return twin;
}

}  // namespace sparsescope::viz

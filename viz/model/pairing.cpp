#include "viz/model/pairing.h"

#include <fmt/format.h>

#include <algorithm>

#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

std::string step_words(std::uint64_t step) { return "step " + format_count(static_cast<std::int64_t>(step)); }

Pane pane_of(const QueryFrame& frame, const ComparedRun& run) {
  Pane pane{run.run, std::nullopt, run.letter, {}};
  if (!run.is_selected) pane.step = *frame_of(frame, *run.run).step;
  pane.words = fmt::format("{}{}, {}", run.name, run.is_baseline ? ", baseline" : "",
                           step_words(pane.step.value_or(frame.cursor_step())));
  return pane;
}

void add_side(const Pane& pane, const Twin& from, Twin& into) {
  into.lines.push_back(fmt::format("{}: {}", pane.letter, pane.words));
  into.lines.push_back(fmt::format("{}: {}", pane.letter, from.title));
  for (const std::string& line : from.lines) into.lines.push_back(fmt::format("{}: {}", pane.letter, line));
  if (into.table.header.empty()) {
    into.table.header = from.table.header;
    into.table.header.insert(into.table.header.begin(), "side");
  }
  for (std::vector<std::string> row : from.table.rows) {
    row.insert(row.begin(), pane.letter);
    into.table.rows.push_back(std::move(row));
  }
}

}  // namespace

Pairing pairing(const QueryFrame& frame, std::optional<std::uint64_t> beside_step) {
  Pairing made;
  if (beside_step) {
    made.own = Pane{&frame.run, std::nullopt, "B", "at the cursor, " + step_words(frame.cursor_step())};
    made.beside = Pane{&frame.run, beside_step, "A", "held at " + step_words(*beside_step)};
    made.is_own_first = false;
    return made;
  }
  const std::vector<ComparedRun> runs = compared_runs(frame);
  if (runs.empty()) {
    made.own = Pane{&frame.run, std::nullopt, "A", frame.run.name() + ", " + step_words(frame.cursor_step())};
    return made;
  }
  made.banner = comparison_banner(frame);
  made.is_own_first = runs.front().is_selected;
  const auto own = std::ranges::find_if(runs, &ComparedRun::is_selected);
  made.own = pane_of(frame, *own);
  made.beside = pane_of(frame, made.is_own_first ? runs[1] : runs.front());
  return made;
}

Twin paired_twin(const Pairing& pairing, const std::optional<Twin>& own, const std::optional<Twin>& beside) {
  Twin twin;
  if (own || beside)
    twin.title = (own ? own->title : beside->title) + (own && beside ? ", side by side" : "");
  twin.lines = lines_of(pairing.banner);
  if (!pairing.beside) twin.lines.push_back(std::string(kPickSecondRun) + " to stand beside this one");
  if (beside && !pairing.is_own_first) add_side(*pairing.beside, *beside, twin);
  if (own) add_side(*pairing.own, *own, twin);
  if (beside && pairing.is_own_first) add_side(*pairing.beside, *beside, twin);
  return twin;
}

}  // namespace sparsescope::viz

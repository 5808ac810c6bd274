// One cell of a declaration map in full, for tooltips and the clipboard.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/declaration_words.h"
#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

std::string step_text(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

std::optional<double> margin_of(const DeclarationSample& sample, const DeclarationGroup& group,
                                std::int64_t id) {
  std::optional<double> largest;
  for (std::int64_t p : group.positions) {
    for (std::int64_t rank = 0; p < sample.top.positions() && rank < sample.top.ranks(); ++rank) {
      const auto entry = sample.top.at(p, rank);
      if (!entry || entry->id != id) continue;
      const double margin = static_cast<double>(entry->score) - (std::isnan(sample.theta) ? 0 : sample.theta);
      if (!largest || margin > *largest) largest = margin;
    }
  }
  return largest;
}

std::int64_t declared_by(const DeclaredLayer& layer, const DeclarationGroup& group, std::int64_t row) {
  return std::count_if(group.positions.begin(), group.positions.end(),
                       [&](std::int64_t p) { return row >= 0 && layer.declares(p, row); });
}

double hits_of(const DeclarationContent& content, const DeclaredLayer& layer, const DeclarationGroup& group,
               const DeclarationContent::Column& column) {
  const std::vector<std::int64_t> next = distance_to_next(content.text, layer.positions(), column.id);
  const std::int64_t window = content.settings.window > 0 ? content.settings.window : kAllThatFollows - 1;
  return static_cast<double>(std::count_if(group.positions.begin(), group.positions.end(), [&](auto p) {
    return column.row >= 0 && layer.declares(p, column.row) && next[static_cast<std::size_t>(p)] <= window;
  }));
}

// The value of a cell at the other step, in the quantity of the map.
std::optional<double> value_there(const DeclarationContent& content, const DeclarationGroup& group,
                                  const DeclarationContent::Column& column) {
  if (!content.other) return std::nullopt;
  const auto declared = static_cast<double>(declared_by(content.other->layer, group, column.row));
  switch (content.settings.value) {
    case DeclarationValue::Margin:
      return margin_of(*content.other, group, column.id);
    case DeclarationValue::Count:
      return declared;
    case DeclarationValue::HitRate:
      if (declared == 0) return std::nullopt;
      return hits_of(content, content.other->layer, group, column) / declared;
    case DeclarationValue::FirstStep:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::string cell_number(const DeclarationPicture& picture, const Cell& cell) {
  if (cell.state == CellState::Absent) return kAbsent;
  if (cell.state == CellState::Invalid) return "not a number";
  const bool is_change = picture.other_step && picture.settings.change == DeclarationChange::OnlyChanged;
  if (is_change && cell.value == std::numeric_limits<float>::lowest()) return "no longer declared";
  if (picture.settings.value == DeclarationValue::Margin && cell.value == 0 && !std::isnan(picture.theta))
    return "above 0, not recorded";
  return format_number(static_cast<double>(cell.value), 7);
}

std::int64_t row_of_position(const DeclarationPicture& picture, std::int64_t position) {
  const auto found = std::find_if(picture.rows.begin(), picture.rows.end(),
                                  [&](const DeclarationRow& row) { return row.position == position; });
  if (found != picture.rows.end()) return found - picture.rows.begin();
  if (!picture.content || position < 0 || position >= std::ssize(picture.content->text)) return -1;
  const std::int64_t id = picture.content->text[static_cast<std::size_t>(position)];
  const auto held = std::find_if(picture.rows.begin(), picture.rows.end(),
                                 [&](const DeclarationRow& row) { return row.position < 0 && row.id == id; });
  return held != picture.rows.end() ? held - picture.rows.begin() : -1;
}

std::int64_t column_of_id(const DeclarationPicture& picture, std::int64_t id) {
  if (!picture.content) return -1;
  const auto found = picture.content->column_of.find(id);
  return found != picture.content->column_of.end() ? found->second : -1;
}

CellFacts cell_facts(const DeclarationPicture& picture, const DeclarationHistory& history, CellIndex cell) {
  CellFacts facts;
  if (!picture.content) return facts;
  const DeclarationContent& content = *picture.content;
  const DeclarationGroup& group = content.groups[static_cast<std::size_t>(cell.row)];
  const DeclarationContent::Column& column = content.columns[static_cast<std::size_t>(cell.column)];
  const DeclaredLayer& layer = content.sample->layer;
  facts.of = std::ssize(group.positions);
  facts.is_recorded = column.row >= 0;
  facts.declared = declared_by(layer, group, column.row);
  facts.margin = margin_of(*content.sample, group, column.id);
  facts.there = value_there(content, group, column);
  if (picture.rows[static_cast<std::size_t>(cell.row)].position >= 0) {
    const auto position = static_cast<std::size_t>(group.positions.front());
    const std::int64_t distance = distance_to_next(content.text, layer.positions(), column.id)[position];
    if (distance != kAllThatFollows) facts.next = group.positions.front() + distance;
  }
  for (std::int64_t p : group.positions) {
    const auto step = history.matches(layer) ? history.first(p, column.row) : std::nullopt;
    if (step && (!facts.first_step || *step < *facts.first_step)) facts.first_step = step;
  }
  return facts;
}

std::string value_words(const DeclarationPicture& picture, CellIndex cell) {
  if (!picture.cells) return {};
  const Cell value = picture.cells->at(cell);
  if (value.state != CellState::Absent) return picture.value_name + " " + cell_number(picture, value);
  if (picture.scale.is_difference) return "no difference, or not known at both steps";
  if (picture.other_step) return "unchanged";
  return picture.settings.value == DeclarationValue::FirstStep ? "never declared so far" : "not declared";
}

std::string cell_title(const DeclarationPicture& picture, CellIndex cell) {
  const DeclarationRow& row = picture.rows[static_cast<std::size_t>(cell.row)];
  const DeclarationColumn& column = picture.columns[static_cast<std::size_t>(cell.column)];
  const std::string who = row.position >= 0
                              ? fmt::format("{} at {}", row.word, row.position)
                              : fmt::format("{} at {} positions", row.word, format_count(row.occurrences));
  return fmt::format("{} → {} (id {})", who, column.word, column.id);
}

std::vector<std::string> cell_lines(const DeclarationPicture& picture, const DeclarationHistory& history,
                                    CellIndex cell) {
  const CellFacts facts = cell_facts(picture, history, cell);
  std::vector<std::string> lines;
  const bool is_told_below = picture.cells->at(cell).state == CellState::Absent && !picture.other_step &&
                             picture.settings.value != DeclarationValue::FirstStep && facts.of == 1;
  if (!is_told_below || !facts.is_recorded) lines.push_back(value_words(picture, cell));
  if (facts.there)
    lines.push_back(fmt::format("{} at step {}", format_number(*facts.there, 5),
                                picture.other_step ? step_text(*picture.other_step) : ""));
  if (!facts.is_recorded) {
    lines.push_back("The id does not stand in the sequence: only best scores are recorded");
  } else if (facts.of > 1) {
    lines.push_back(fmt::format("{} of {} positions declare it", facts.declared, facts.of));
  } else {
    lines.push_back(facts.declared > 0 ? "declared" : "not declared");
  }
  if (facts.margin && picture.settings.value != DeclarationValue::Margin)
    lines.push_back("score − θ " + format_number(*facts.margin, 5));
  if (facts.next) {
    lines.push_back(fmt::format("stands next at {}, {} tokens later", *facts.next,
                                *facts.next - picture.rows[static_cast<std::size_t>(cell.row)].position));
  } else if (facts.is_recorded && facts.of == 1) {
    lines.push_back("does not stand again after it");
  }
  if (facts.first_step) lines.push_back("first declared at step " + step_text(*facts.first_step));
  return lines;
}

}  // namespace sparsescope::viz

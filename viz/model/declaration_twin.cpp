// A declaration map as words and a table: made from the picture that is drawn.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/model/declaration_words.h"
#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

std::string plain(double value) { return std::isnan(value) ? kAbsent : fmt::format("{}", value); }

std::vector<std::string> row_name(const DeclarationRow& row) {
  return {row.position >= 0 ? std::to_string(row.position) : kAbsent, std::to_string(row.id), row.word};
}

// One line of the long table.
std::vector<std::string> line(const std::vector<std::string>& of, const std::string& id,
                              const std::string& word, const std::string& quantity,
                              const std::string& value) {
  std::vector<std::string> made = of;
  made.insert(made.end(), {id, word, quantity, value});
  return made;
}

std::int64_t values_in(const DeclarationPicture& picture, const CellBlock& block) {
  std::int64_t count = 0;
  for (int row = block.row; row < block.row + block.rows; ++row) {
    for (int column = block.column; column < block.column + block.columns; ++column)
      count += picture.cells->at(row, column).state != CellState::Absent ? 1 : 0;
  }
  return count;
}

CellBlock inside(const DeclarationPicture& picture) {
  CellBlock block = picture.visible;
  const int rows = static_cast<int>(picture.rows.size()), columns = static_cast<int>(picture.columns.size());
  block.row = std::clamp(block.row, 0, rows);
  block.column = std::clamp(block.column, 0, columns);
  block.rows = std::clamp(block.rows, 0, rows - block.row);
  block.columns = std::clamp(block.columns, 0, columns - block.column);
  return block;
}

void add_cells(const DeclarationPicture& picture, const CellBlock& block, Table& table) {
  for (int r = block.row; r < block.row + block.rows; ++r) {
    const std::vector<std::string> name = row_name(picture.rows[static_cast<std::size_t>(r)]);
    for (int c = block.column; c < block.column + block.columns; ++c) {
      const Cell cell = picture.cells->at(r, c);
      if (cell.state == CellState::Absent) continue;
      const DeclarationColumn& column = picture.columns[static_cast<std::size_t>(c)];
      table.rows.push_back(
          line(name, std::to_string(column.id), column.word, picture.value_name, cell_number(picture, cell)));
    }
  }
}

void add_strips(const DeclarationPicture& picture, const CellBlock& block, Table& table) {
  for (int r = block.row; r < block.row + block.rows; ++r) {
    const DeclarationRow& row = picture.rows[static_cast<std::size_t>(r)];
    const std::vector<std::string> name = row_name(row);
    const auto add = [&](const char* quantity, const std::string& value) {
      table.rows.push_back(line(name, kAbsent, kAbsent, quantity, value));
    };
    add("ids declared", std::to_string(row.declared));
    add("share that came true", plain(row.hit_rate()));
    add("positions declared by somebody before", std::to_string(row.covered));
  }
  for (int c = block.column; c < block.column + block.columns; ++c) {
    const DeclarationColumn& column = picture.columns[static_cast<std::size_t>(c)];
    if (!column.is_of_sequence) continue;
    table.rows.push_back({kAbsent, kAbsent, kAbsent, std::to_string(column.id), column.word,
                          "positions that declare it", std::to_string(column.declared)});
  }
}

}  // namespace

Table table(const DeclarationPicture& picture) {
  Table made;
  made.header = {"position", "id", "token", "declared id", "declared token", "quantity", "value"};
  if (!picture.cells) return made;
  const CellBlock block = inside(picture);
  if (values_in(picture, block) <= kTableCells) add_cells(picture, block, made);
  add_strips(picture, block, made);
  return made;
}

Twin twin_of(const DeclarationPicture& picture) {
  Twin twin = twin_of(static_cast<const PictureHead&>(picture));
  if (picture.state != PictureState::Ready || !picture.cells) return twin;
  twin.lines.push_back(picture.coverage);
  for (const DeclaredToken& token : picture.found) twin.lines.push_back(token.sentence);
  if (!picture.search_words.empty()) twin.lines.push_back(picture.search_words);
  const HistoryProgress& history = picture.history;
  if (history.is_wanted && !history.is_done())
    twin.lines.push_back(fmt::format("{} of {} probes read",
                                     format_count(static_cast<std::int64_t>(history.read)),
                                     format_count(static_cast<std::int64_t>(history.total))));
  if (history.missing > 0)
    twin.lines.push_back(fmt::format("{} probes could not be read: {}",
                                     format_count(static_cast<std::int64_t>(history.missing)),
                                     history.message));
  const CellBlock block = inside(picture);
  if (const std::int64_t values = values_in(picture, block); values > kTableCells)
    twin.lines.push_back(
        fmt::format("{} cells are visible, too many for a table: it tells rows and columns; "
                    "zoom in for cells",
                    format_count(values)));
  if (block.rows < std::ssize(picture.rows) || block.columns < std::ssize(picture.columns))
    twin.lines.push_back(fmt::format("Zoomed to {} of {} rows and {} of {} ids", format_count(block.rows),
                                     format_count(std::ssize(picture.rows)), format_count(block.columns),
                                     format_count(std::ssize(picture.columns))));
  twin.table = table(picture);
  return twin;
}

std::string row_text(const DeclarationPicture& picture, std::int64_t index) {
  if (index < 0 || index >= std::ssize(picture.rows)) return {};
  const DeclarationRow& row = picture.rows[static_cast<std::size_t>(index)];
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}", row.position >= 0 ? std::to_string(row.position) : kAbsent,
                     row.id, row.word, row.declared, plain(row.hit_rate()), row.covered);
}

}  // namespace sparsescope::viz

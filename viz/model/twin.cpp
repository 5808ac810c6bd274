#include "viz/model/twin.h"

namespace sparsescope::viz {
namespace {

void append_line(std::string& text, const std::vector<std::string>& cells, char separator) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text += separator;
    text += cells[i];
  }
  text += '\n';
}

// A cell of a tab-separated line must not hold what separates.
std::string in_one_line(std::string text) {
  for (char& c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string text = "\"";
  for (char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

template <typename Change>
std::vector<std::string> each(const std::vector<std::string>& cells, Change change) {
  std::vector<std::string> changed;
  for (const std::string& cell : cells) changed.push_back(change(cell));
  return changed;
}

}  // namespace

std::string text_of(const Twin& twin) {
  std::string text = twin.title + "\n";
  for (const std::string& line : twin.lines) {
    if (!line.empty()) text += line + "\n";
  }
  if (twin.table.rows.empty()) return text;
  text += "\n";
  append_line(text, each(twin.table.header, in_one_line), '\t');
  for (const std::vector<std::string>& row : twin.table.rows) append_line(text, each(row, in_one_line), '\t');
  return text;
}

std::string csv_of(const Table& table) {
  std::string text;
  append_line(text, each(table.header, quoted), ',');
  for (const std::vector<std::string>& row : table.rows) append_line(text, each(row, quoted), ',');
  return text;
}

}  // namespace sparsescope::viz

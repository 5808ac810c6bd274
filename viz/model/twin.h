// The text twin of a picture: what a view says and shows, as words and a tidy table. The window copies it,
// exports write it, the command line prints it; it is made from the same picture that is drawn.
#pragma once

#include <string>
#include <vector>

namespace sparsescope::viz {

// A tidy table: what is visible, one row a mark, units in the header.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

struct Twin {
  std::string title;               // with the quantity and its unit
  std::vector<std::string> lines;  // state, takeaway, limits, what is hidden; one sentence each
  Table table;
};

// Title and lines, then the table, tab-separated.
std::string text_of(const Twin& twin);
// The table alone by RFC 4180: comma-separated, quoted where needed, lines end in \n.
std::string csv_of(const Table& table);

}  // namespace sparsescope::viz

// Metamath: white space separates symbols; $( comment $), label $p statement $= proof $. (Metamath
// book, 4.1).
#include <algorithm>

#include "engine/data/strip.h"

namespace sparsescope::data {
namespace {

constexpr std::string_view kWhite = " \t\r\n\f";

// The next symbol of `text` and the white space before it, which are removed from it.
struct Symbol {
  std::string_view white, symbol;
};
Symbol next_symbol(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(kWhite), text.size());
  const std::size_t end = std::min(text.find_first_of(kWhite, begin), text.size());
  const Symbol next = {text.substr(0, begin), text.substr(begin, end - begin)};
  text.remove_prefix(end);
  return next;
}

// The rows above and below the title of a part, chapter, section or subsection.
bool is_row(std::string_view symbol) {
  return symbol.size() >= 8 && (symbol.starts_with("####") || symbol.starts_with("#*#*") ||
                                symbol.starts_with("=-=-") || symbol.starts_with("-.-."));
}

bool is_heading(std::string_view comment) { return is_row(next_symbol(comment).symbol); }

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kWhite) - begin + 1));
}

class Sections {
 public:
  void heading(std::string_view comment) {
    end_section();
    std::string title;
    for (std::string_view rest = comment; !rest.empty();) {
      const Symbol next = next_symbol(rest);
      if (next.symbol.empty() || is_row(next.symbol)) continue;
      title.append(title.empty()                                     ? ""
                   : next.white.find('\n') == std::string_view::npos ? " "
                                                                     : "\n")
          .append(next.symbol);
    }
    text_ = title + "\n\n";
  }
  // Typesetting rules are no text.
  void comment(std::string_view comment) {
    std::string_view rest = comment;
    if (next_symbol(rest).symbol != "$t") paragraph(comment);
  }
  // A statement without its proof's steps. What stands before the section of the first one is a log of
  // changes; conditions on variables ($d) say little and often.
  void statement(std::string_view words) {
    if (!has_statement_) sections_.clear();
    has_statement_ = true;
    if (!words.starts_with("$d ")) paragraph(words);
  }

  std::vector<std::string> take() {
    end_section();
    return std::move(sections_);
  }

 private:
  // White space folded: a line per paragraph.
  void paragraph(std::string_view words) {
    std::string line;
    while (!words.empty()) {
      const Symbol next = next_symbol(words);
      if (next.symbol.empty()) break;
      const auto lines = std::count(next.white.begin(), next.white.end(), '\n');
      if (!line.empty()) line += lines > 1 ? '\n' : ' ';
      line += next.symbol;
    }
    if (!line.empty()) text_ += line + "\n";
  }
  void end_section() {
    if (!trimmed(text_).empty()) sections_.push_back(std::move(text_));
    text_.clear();
  }

  std::vector<std::string> sections_;
  std::string text_;
  bool has_statement_ = false;
};

}  // namespace

std::vector<std::string> sections_from_metamath(std::string_view database) {
  Sections sections;
  std::string statement;  // symbols since the last $. or scope
  bool is_cited = true;   // of a compressed proof: still in its list of labels
  bool is_proof = false, is_compressed = false;
  while (!database.empty()) {
    const std::string_view symbol = next_symbol(database).symbol;
    if (symbol.empty()) break;
    if (symbol == "$(") {
      const std::size_t end = std::min(database.find("$)"), database.size());
      const std::string_view comment = database.substr(0, end);
      database.remove_prefix(std::min(end + 2, database.size()));
      is_heading(comment) ? sections.heading(comment) : sections.comment(comment);
      continue;
    }
    if (symbol == "${" || symbol == "$}") continue;  // scopes are no text
    if (symbol == "$=") {
      is_proof = true, is_compressed = false, is_cited = true;
      statement += " $=";
      continue;
    }
    if (symbol == "$.") {
      sections.statement(statement + " $.");
      statement.clear();
      is_proof = false;
      continue;
    }
    if (is_proof && symbol == "(") is_compressed = true;
    if (!is_proof || is_cited) statement.append(statement.empty() ? "" : " ").append(symbol);
    if (is_proof && is_compressed && symbol == ")") is_cited = false;
  }
  return sections.take();
}

}  // namespace sparsescope::data

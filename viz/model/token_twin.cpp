// The token inspector in words and as a table.
#include <fmt/format.h>

#include <cmath>

#include "viz/model/format.h"
#include "viz/model/token_query.h"

namespace sparsescope::viz {
namespace {

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : kAbsent; }
std::string place(std::int64_t position) { return position >= 0 ? std::to_string(position) : kAbsent; }

class Rows {
 public:
  Rows(Table& table, const TokenName& token) : table_(table), token_(token) {}
  void add(const char* field, const TokenName& about, const std::string& value, const char* unit,
           const std::string& reason = {}) {
    table_.rows.push_back({std::to_string(token_.position), token_.word, field, place(about.position),
                           about.id >= 0 ? std::to_string(about.id) : kAbsent, about.word, value, unit,
                           reason});
  }
  // A field without values is one row that says why.
  bool add_state(const char* field, const TokenField& state) {
    if (!state.is_ready()) add(field, {}, kAbsent, "", state.words);
    return state.is_ready();
  }

 private:
  Table& table_;
  const TokenName& token_;
};

void add_reads(Rows& rows, const char* field, const ReadList& list) {
  if (!rows.add_state(field, list)) return;
  for (const TokenRead& read : list.rows) {
    std::string reason = reason_words(read.reasons);
    if (read.via) reason += fmt::format(" via {}", read.via->position);
    rows.add(field, read.other, number(read.weight), "weight", reason);
  }
}

std::string list_line(const char* what, const ReadList& list) {
  if (!list.is_ready() || list.total == list.rows.size()) return {};
  std::string words = fmt::format("{}: {} of {} shown", what, list.rows.size(), list.total);
  if (list.has_weights)
    words += fmt::format(", {} of the weight is in the others", format_percent(list.hidden_weight, 1));
  return words;
}

// "“one” was given 0.01 %; likeliest was “death”, 20 %": what is known of a model that declares nothing.
std::string guess_in_words(const TokenCard& card) {
  if (!card.surprisal.is_ready()) return {};
  std::string words =
      fmt::format("“{}” was given {}", card.token.word, format_percent(std::exp(-card.surprisal.value), 2));
  if (card.guesses.is_ready() && !card.guesses.rows.empty()) {
    const TokenGuess& best = card.guesses.rows.front();
    words += fmt::format("; likeliest was “{}”, {}", best.name.word, format_percent(best.probability, 2));
  }
  return words;
}

}  // namespace

std::string token_in_words(const TokenCard& card) {
  const ReadList& reads = card.reads;
  if (!reads.is_ready()) return guess_in_words(card);
  constexpr const char* kFrom[] = {"by declaration", "by inheritance", "by the fallback window",
                                   "from itself"};
  std::string words, parts;
  for (int i = 0; i < 4; ++i) {
    if (reads.count_of[i] == 0) continue;
    if (!reads.has_weights && i == 3) continue;
    parts += parts.empty() ? "" : ", ";
    parts += reads.has_weights ? format_percent(reads.weight_of[i]) + " " + kFrom[i]
                               : format_count(static_cast<std::int64_t>(reads.count_of[i])) + " " + kFrom[i];
  }
  const std::size_t earlier = reads.total - reads.count_of[3];
  words = fmt::format("“{}” reads {} earlier {}", card.token.word,
                      format_count(static_cast<std::int64_t>(earlier)), earlier == 1 ? "token" : "tokens");
  if (!parts.empty()) words += (reads.has_weights ? ", its attention " : ", ") + parts;
  return words + fmt::format("; read by {}", format_count(static_cast<std::int64_t>(card.readers.total)));
}

Table table(const TokenPicture& picture) {
  Table out;
  if (picture.cards.empty()) {
    out.header = {"position", "id", "token", "needle"};
    for (const StripToken& token : picture.strip) {
      out.rows.push_back({std::to_string(token.name.position), std::to_string(token.name.id), token.name.word,
                          token.is_needle ? "yes" : "no"});
    }
    return out;
  }
  out.header = {"token position", "token", "field", "position", "id", "text", "value", "unit", "reason"};
  for (const TokenCard& card : picture.cards) {
    Rows rows(out, card.token);
    if (!card.missing.empty()) {
      rows.add("token", {}, kAbsent, "", card.missing);
      continue;
    }
    rows.add("occurrences", card.token, std::to_string(card.places.size()), "times");
    if (rows.add_state("surprisal", card.surprisal))
      rows.add("surprisal", card.token, number(card.surprisal.value), "nats");
    if (rows.add_state("guess", card.guesses)) {
      for (const TokenGuess& guess : card.guesses.rows)
        rows.add("guess", guess.name, number(guess.probability), "probability");
    }
    add_reads(rows, "reads from", card.reads);
    add_reads(rows, "read by", card.readers);
    if (rows.add_state("declares", card.declares)) {
      for (const DeclaredId& declared : card.declares.rows) {
        rows.add("declares", declared.name, number(declared.margin), "score - theta",
                 std::isnan(declared.margin) ? ""
                 : declared.is_declared()    ? "above theta"
                                             : "below theta");
      }
    }
  }
  return out;
}

Twin twin_of(const TokenPicture& picture) {
  Twin twin = twin_of(static_cast<const PictureHead&>(picture));
  for (const TokenCard& card : picture.cards) {
    for (const auto& [what, list] : {std::pair{"reads from", &card.reads}, {"read by", &card.readers}}) {
      std::string words = list_line(what, *list);
      if (!words.empty()) twin.lines.push_back(fmt::format("Token {}, {}", card.token.position, words));
      if (list->is_ready() && !list->words.empty())
        twin.lines.push_back(fmt::format("Token {}, {}: {}", card.token.position, what, list->words));
    }
  }
  twin.table = table(picture);
  return twin;
}

}  // namespace sparsescope::viz

// Letters in order, with a preference for beginnings.
#include "viz/model/fuzzy.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>

namespace sparsescope::viz {
namespace {

constexpr int kAtStart = 100, kAtWordStart = 80, kInside = 60, kScattered = 40;
constexpr int kMostGaps = 2;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool begins_word(const std::string& text, std::size_t at) {
  return at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0;
}

// One word in a text, both in small letters.
int word_score(std::string_view word, const std::string& text) {
  int best = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    best = std::max(best, at == 0 ? kAtStart : begins_word(text, at) ? kAtWordStart : kInside);
  if (best > 0) return best;
  // Scattered: each gap costs, each beginning of a word is worth one.
  std::size_t at = 0;
  int score = kScattered, gaps = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const std::size_t found = text.find(word[i], at);
    if (found == std::string::npos) return 0;
    const bool begins = begins_word(text, found);
    if (i > 0 && found != at && !begins) ++gaps;
    if (begins) score += 3;
    at = found + 1;
  }
  // Letters picked from all over a long text mean nothing.
  return gaps > kMostGaps ? 0 : score - 6 * gaps;
}

std::set<std::pair<char, char>> pairs_of(std::string_view text) {
  const std::string small = lower(text);
  std::set<std::pair<char, char>> pairs;
  for (std::size_t i = 0; i + 1 < small.size(); ++i) pairs.emplace(small[i], small[i + 1]);
  return pairs;
}

}  // namespace

int fuzzy_score(std::string_view query, std::string_view text) {
  const std::string wanted = lower(query), known = lower(text);
  int sum = 1;
  for (std::size_t at = 0; at < wanted.size();) {
    if (wanted[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(wanted.find(' ', at), wanted.size());
    const int score = word_score(std::string_view(wanted).substr(at, end - at), known);
    if (score == 0) return 0;
    sum += score;
    at = end;
  }
  return sum;
}

double likeness(std::string_view a, std::string_view b) {
  const auto left = pairs_of(a), right = pairs_of(b);
  if (left.empty() || right.empty()) return 0;
  std::size_t common = 0;
  for (const auto& pair : left) common += right.count(pair);
  return 2.0 * static_cast<double>(common) / static_cast<double>(left.size() + right.size());
}

}  // namespace sparsescope::viz

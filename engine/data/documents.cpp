// Blocks, even samples and the validation split.
#include "engine/data/documents.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/data/sha256.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

constexpr std::uint64_t kFewestSampledDocuments = 200;  // that share a limit, where there are as many

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos; }

constexpr double kSmallShare = 0.1;  // of the held-out bytes: a small document
constexpr double kOverfull = 1.05;   // of them: as far as a last document may lead

using Digests = std::vector<Sha256::Digest>;

// One stream: the last bytes are held out, cut between two characters.
void hold_out_end(Corpus& corpus, double fraction) {
  const std::size_t size = corpus.bytes.size();
  const auto kept = static_cast<std::size_t>(static_cast<double>(size) * (1 - fraction));
  const std::size_t border = without_cut_character(std::string_view(corpus.bytes).substr(0, kept)).size();
  if (border == 0 || border == size) {
    throw refused("the text from " + corpus.facts.source + " has only " + std::to_string(size) +
                  " bytes, too few to train on one part and validate on another; give more text");
  }
  corpus.documents = {{0, border, Split::Train}, {border, size, Split::Validation}};
}

// Documents in the order of their digests, equal ones together, until the share is reached.
void hold_out_documents(Corpus& corpus, double fraction, const Digests& digests) {
  std::vector<std::size_t> order(corpus.documents.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&digests](std::size_t a, std::size_t b) {
    return std::pair(digests[a], a) < std::pair(digests[b], b);
  });

  struct Group {
    std::size_t begin, end, bytes;  // positions in `order`
  };
  std::vector<Group> groups;
  std::size_t total = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t bytes = corpus.text(corpus.documents[order[i]]).size();
    if (i > 0 && digests[order[i]] == digests[order[i - 1]]) {
      groups.back().end = i + 1, groups.back().bytes += bytes;
    } else {
      groups.push_back({i, i + 1, bytes});
    }
    total += bytes;
  }
  if (groups.size() < 2) {
    throw refused("all documents of " + corpus.facts.source +
                  " are the same text, so none can be held out for validation; "
                  "give text that differs");
  }

  const auto hold = [&](const Group& group) {
    for (std::size_t i = group.begin; i < group.end; ++i)
      corpus.documents[order[i]].split = Split::Validation;
  };
  // Small documents first, so that no single one speaks for the whole text; then any that still fits.
  const double target = fraction * static_cast<double>(total);
  std::size_t held = 0;
  for (const double longest : {kSmallShare * target, kOverfull * target}) {
    for (const Group& group : groups) {
      const auto bytes = static_cast<double>(group.bytes);
      const bool is_held = corpus.documents[order[group.begin]].split == Split::Validation;
      const bool fits = bytes <= longest && static_cast<double>(held) + bytes <= kOverfull * target;
      if (is_held || !fits || static_cast<double>(held) >= target || held + group.bytes >= total) continue;
      hold(group);
      held += group.bytes;
    }
  }
  if (held == 0) {
    hold(*std::min_element(groups.begin(), groups.end(),
                           [](const Group& a, const Group& b) { return a.bytes < b.bytes; }));
  }
}

}  // namespace

std::vector<std::string_view> blocks_of(std::string_view text) {
  std::vector<std::string_view> blocks;
  std::size_t block_begin = 0, block_end = 0;  // without the line end of the last line
  bool is_open = false;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (is_blank(text.substr(begin, end - begin))) {
      if (is_open) blocks.push_back(text.substr(block_begin, block_end - block_begin));
      is_open = false;
    } else {
      if (!is_open) block_begin = begin;
      is_open = true;
      block_end = end;
    }
    begin = end + 1;
  }
  if (is_open) blocks.push_back(text.substr(block_begin, block_end - block_begin));
  return blocks;
}

std::vector<Taken> spread_sample(const std::vector<std::uint64_t>& sizes, std::uint64_t max_bytes) {
  const std::uint64_t offered = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  const auto total_of = [&sizes](std::uint64_t longest) {
    std::uint64_t total = 0;
    for (std::uint64_t size : sizes) total += std::min(size, longest);
    return total;
  };
  std::uint64_t longest = offered;
  if (offered > max_bytes) {
    longest = std::max<std::uint64_t>(max_bytes / kFewestSampledDocuments, 1);
    while (total_of(longest) < max_bytes) longest *= 2;
  }
  const std::uint64_t total = total_of(longest);

  std::vector<Taken> taken;
  std::uint64_t passed = 0, taken_bytes = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::uint64_t size = std::min(sizes[i], longest);
    passed += size;
    // The share of the limit that belongs to what was walked past; 128 bits, as both factors may be large.
    const auto allowed = static_cast<std::uint64_t>(static_cast<unsigned __int128>(max_bytes) * passed /
                                                    std::max<std::uint64_t>(total, 1));
    if (total > max_bytes && taken_bytes + size > allowed) continue;
    taken.push_back({i, size});
    taken_bytes += size;
  }
  return taken;
}

std::string_view without_cut_character(std::string_view text) {
  std::size_t tail = 0;  // continuation bytes at the end
  while (tail < 3 && tail < text.size() && (text[text.size() - 1 - tail] & 0xc0) == 0x80) ++tail;
  if (tail == text.size()) return text;
  const auto lead = static_cast<unsigned char>(text[text.size() - 1 - tail]);
  const std::size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  return wanted > tail ? text.substr(0, text.size() - 1 - tail) : text;
}

void hold_out(Corpus& corpus, double validation_fraction) {
  Digests digests;
  if (corpus.facts.rule == DocumentRule::Stream) hold_out_end(corpus, validation_fraction);
  for (const Corpus::Document& document : corpus.documents)
    digests.push_back(Sha256().add(corpus.text(document)).digest());
  if (corpus.facts.rule != DocumentRule::Stream) hold_out_documents(corpus, validation_fraction, digests);

  CorpusFacts& facts = corpus.facts;
  Sha256 hash;
  hash.add("sparsescope-corpus-1").add(static_cast<std::uint64_t>(facts.rule));
  facts.documents = static_cast<std::int64_t>(corpus.documents.size());
  facts.bytes = facts.validation_bytes = facts.validation_documents = 0;
  for (std::size_t i = 0; i < corpus.documents.size(); ++i) {
    const Corpus::Document& document = corpus.documents[i];
    const auto bytes = static_cast<std::int64_t>(corpus.text(document).size());
    facts.bytes += bytes;
    if (document.split == Split::Validation) facts.validation_bytes += bytes, ++facts.validation_documents;
    hash.add(static_cast<std::uint64_t>(bytes)).add(static_cast<std::uint64_t>(document.split));
    hash.add(std::string_view(reinterpret_cast<const char*>(digests[i].data()), digests[i].size()));
  }
  facts.sha256 = hash.hex();
}

}  // namespace sparsescope::data

// Who reads whom in the probe sequence, for one token: from recorded edges, or rebuilt from declarations
// where no edges were recorded. No drawing, no words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/trace/frame.h"
#include "engine/trace/schema.h"

namespace sparsescope::viz {

// Why a pair (query t, key p) is in scope. They add up, as recorded: 3 is declared by p and by an heir.
enum TokenReason : std::uint8_t {
  kReadDirect = 1,
  kReadInherited = 2,
  kReadFallback = 4,
  kReadSelf = 8,
};
// "direct", "direct and inherited", ...
std::string reason_words(std::uint8_t reasons);

// One pair, seen from either end.
struct TokenPair {
  std::int64_t query = 0, key = 0;
  std::uint8_t reasons = 0;
  float weight = 0, score = 0;      // not a number: not recorded
  std::optional<std::int64_t> via;  // inherited pairs: the heir with the smallest position
};

// Both ends of a token: pairs it is the query of, and pairs it is the key of, itself in the first only.
struct TokenPairs {
  std::vector<TokenPair> reads, readers;
};

// The pairs of `token` in `layer`, from a row of the channel `edges` (fields weight, score, t, p, via, layer,
// kind). Throws Error when the channel lacks a field.
TokenPairs pairs_from_edges(const trace::Channel& channel, const trace::ChannelData& row, std::int64_t layer,
                            std::int64_t token);

// What the experiment says about scopes.
struct ScopeRules {
  bool inheritance = false, fallback = true;
  std::int64_t window = 32;  // keys, the query itself included
};
ScopeRules scope_rules(const std::string& experiment_json);

// One layer of the channel `declared`: which id of the sequence each position declares.
class DeclaredBits {
 public:
  // `ids` of the probe sequence; the channel's axis `id` is labelled with vocabulary ids.
  DeclaredBits(const trace::Channel& channel, const trace::ChannelData& row, std::int64_t layer,
               std::span<const std::int32_t> ids);

  std::int64_t positions() const { return static_cast<std::int64_t>(rows_of_.size()); }
  // p < t and p declares the id of t.
  bool is_direct(std::int64_t query, std::int64_t key) const;
  // How many of the sequence's distinct ids `position` declares.
  std::int64_t declared_by(std::int64_t position) const;
  std::int64_t distinct_ids() const { return ids_; }

 private:
  bool bit(std::int64_t id_row, std::int64_t position) const;

  std::span<const std::byte> bytes_;  // of the layer
  std::size_t row_bytes_ = 0;
  std::int64_t ids_ = 0;
  std::vector<std::int64_t> rows_of_;  // by position: row of its id, or -1
};

// The same pairs rebuilt from declarations, without weights and scores. Self stands among the reads.
TokenPairs pairs_from_declared(const DeclaredBits& declared, const ScopeRules& rules, std::int64_t token);

}  // namespace sparsescope::viz

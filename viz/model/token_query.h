// The token inspector: everything recorded about one or two locked tokens of the probe sequence, field by
// field, as plain data. Each field knows its own state, because each comes from its own channel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/picture_head.h"
#include "viz/model/query_frame.h"
#include "viz/model/token_scopes.h"

namespace sparsescope::viz {

enum class FieldState { Ready, Loading, Missing, Failed };

// What every field has: whether its values are there, of which step they are, and if not, why.
struct TokenField {
  FieldState state = FieldState::Missing;
  std::string words;                   // not Ready: "not recorded at this step"; Ready: a remark or empty
  std::optional<std::uint64_t> step;   // of the sample shown
  std::optional<std::uint64_t> go_to;  // a step that has what is missing here
  bool is_ready() const { return state == FieldState::Ready; }
};

// A token of the sequence, by name.
struct TokenName {
  std::int64_t position = -1;  // -1: a vocabulary id that does not stand in the sequence
  std::int64_t id = -1;
  std::string word;  // white space visible
};

struct TokenRead {
  TokenName other;
  std::uint8_t reasons = 0;      // TokenReason, added up
  double weight = 0, score = 0;  // not a number: not recorded
  std::optional<TokenName> via;  // the heir of an inherited pair
};

struct ReadList : TokenField {
  bool has_weights = false;
  std::vector<TokenRead> rows;  // the first ones, as many as asked for
  std::size_t total = 0;        // pairs in all
  double hidden_weight = 0;     // of those that are not in `rows`
  double weight_of[4] = {};     // by reason: direct, inherited alone, fallback, self
  std::size_t count_of[4] = {};
};

struct DeclaredId {
  TokenName name;                // position: where the id comes next, or -1
  double score = 0, margin = 0;  // margin = score - theta
  bool is_declared() const { return margin > 0; }
};

struct DeclaredList : TokenField {
  std::vector<DeclaredId> rows;             // best first
  double theta = 0;                         // not a number: not recorded
  std::optional<std::int64_t> of_sequence;  // how many ids of the sequence it declares
  std::int64_t distinct_ids = 0;            // of how many
};

struct TokenGuess {
  TokenName name;
  double probability = 0;
};

struct GuessList : TokenField {
  std::vector<TokenGuess> rows;
};

struct NumberField : TokenField {
  double value = 0;
};

struct TokenCard {
  TokenName token;
  std::string missing;  // the locked position is not in this sequence: one sentence
  bool is_needle = false;
  std::vector<std::int64_t> places;  // every position with this id, rising
  NumberField surprisal;             // nats
  GuessList guesses;
  ReadList reads, readers;
  DeclaredList declares;
};

struct StripToken {
  TokenName name;
  bool is_needle = false, ends_line = false;
  std::uint8_t read_by_locked = 0;  // TokenReason of the pair (locked, this)
  std::uint8_t reads_locked = 0;    // of the pair (this, locked)
};

enum class TokenOrder { Weight, Position };

struct TokenSettings {
  int rows = 8;  // of each list
  TokenOrder order = TokenOrder::Weight;
  std::int64_t layer = -1;  // -1: the last one; a locked layer goes before
  bool operator==(const TokenSettings&) const = default;
};

struct TokenPicture : PictureHead {
  std::int64_t layer = -1, layers = 0;  // 0: this run routes nothing by declaration
  std::vector<StripToken> strip;        // the probe sequence
  std::vector<TokenCard> cards;         // of the locked token and the second one
  std::string needle;                   // "needle injected at step 120", else empty
  bool is_reading = false;              // a field or the vocabulary is still on its way
};

// Locked: token, second_token, layer, vocabulary_id of the frame.
TokenPicture token_query(const QueryFrame& frame, const TokenSettings& settings);
// One row a value: of which token, which field, about what, how much.
Table table(const TokenPicture& picture);
Twin twin_of(const TokenPicture& picture);

// "“one” reads 23 earlier tokens, its attention 71 % by declaration, 17 % from itself; read by 12"; of a
// model that declares nothing, how likely the token was and what was likelier.
std::string token_in_words(const TokenCard& card);

// How a step is named in these words: "1,200".
std::string step_in_words(std::uint64_t step);

}  // namespace sparsescope::viz

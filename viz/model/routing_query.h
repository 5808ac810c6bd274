// The routing graph: who reads whom in the probe sequence, why, and whether it is becoming
// everything-to-everything, as plain data. Edges run from the query to the key.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/aside.h"
#include "viz/model/edge_rollup.h"
#include "viz/model/picture_head.h"
#include "viz/model/query_frame.h"
#include "viz/model/routing_pairs.h"

namespace sparsescope::viz {

// Arcs: one layer over its row of tokens. Bands: all layers, each between two rows of tokens.
enum class RoutingLayout { Arcs, Bands };
// The latest probe at the cursor, without weights where `edges` were not recorded; or the latest edges.
enum class RoutingSource { LatestProbe, LatestWeights };
// How finely the sequence is split where the camera looks.
enum class RoutingDetail { Automatic, Tokens, Blocks16, Blocks64 };
enum class RoutingAgainst { Nothing, Step, Baseline };
// All, or one reason alone.
enum class RoutingShown { All, Direct, Inherited, Fallback, Self };

struct RoutingSettings {
  RoutingLayout layout = RoutingLayout::Arcs;
  RoutingSource source = RoutingSource::LatestProbe;
  RoutingDetail detail = RoutingDetail::Automatic;
  RoutingShown shown = RoutingShown::All;
  RoutingAgainst against = RoutingAgainst::Nothing;
  std::uint64_t against_step = 0;
  std::int64_t layer = -1;   // of the arcs; -1: the last one; a locked layer goes before
  double threshold = 0;      // edges (sums of blocks, too) of less attention weight are hidden
  bool renormalise = false;  // rows of what is left sum to what they summed to
  bool operator==(const RoutingSettings&) const = default;
};

// What the camera shows: decides where blocks are split, never what is counted. Levels are indices into
// kRoutingBlocks.
struct RoutingWindow {
  Range tokens{0, 0};  // whole blocks of 64; of width 0: the whole sequence
  std::size_t inside = 0, outside = 0;
  bool operator==(const RoutingWindow&) const = default;
};
// The window of a camera over `shown` tokens of a sequence in `pixels` at scale 1: nodes are at least
// kLeastTokenPixels wide, in the window and, seen from afar, beside it.
RoutingWindow routing_window(std::int64_t tokens, Range shown, double pixels);

inline constexpr std::size_t kMostRoutingMarks = 50'000;
inline constexpr double kLeastTokenPixels = 3;  // nodes nearer than this are folded into blocks

// Hues of the locked token: what it reads lies in its past, who reads it in its future.
enum class RoutingRole : std::uint8_t { None, Past, Future };

struct RoutingNode {
  std::int64_t first = 0, end = 0;  // tokens
  std::int64_t id = -1;             // of a single token; -1: a block, or not known
  std::string word;                 // "struct"; blocks: "64–127"
  EdgeSums read;                    // as a key, of what is visible, without itself
  std::int64_t invalid = 0;         // weights that are no numbers in its rows
};

struct RoutingMark {
  EdgeSums sums;                     // in a difference: this one minus the other
  std::uint32_t query = 0, key = 0;  // nodes
  std::uint16_t layer = 0;
  RoutingReason reason = RoutingReason::Direct;
  RoutingRole role = RoutingRole::None;
  double value = 0;  // attention weight, renormalised if asked for; pairs where there are no weights
};

// Where everything recorded went; the parts sum to `recorded`, or something is wrong.
struct RoutingLedger {
  EdgeSums recorded;  // of the row itself
  EdgeSums visible, below_threshold, other_reasons, other_layers;
  std::int64_t marks_hidden = 0;  // drawn edges that the threshold hid
  std::int64_t misplaced = 0;     // pairs outside the sequence
  EdgeSums hidden() const { return below_threshold + other_reasons + other_layers; }
  bool is_exact() const { return visible + hidden() == recorded; }
};

// What a step's graph is made of; equal pointers mean equal graphs.
struct RoutingContent {
  RoutingCut cut;
  std::vector<RoutingNode> nodes;
  std::vector<RoutingMark> marks;  // visible ones, by layer, query, key, reason
  // Indices of marks: edges by layer, the lightest first and what is locked last; what tokens read of
  // themselves.
  std::vector<std::uint32_t> edges, selves;
  bool has_lock = false;  // some marks touch a locked token
  RoutingLedger ledger;
  std::array<EdgeSums, kRoutingReasons> shown_layers{};  // everything in the layers shown, by reason
  double largest_value = 0;                              // of |value|
  double threshold = 0;  // in force: raised when more than kMostRoutingMarks were left
  bool is_raised = false;
  std::size_t inside = 0, outside = 0;  // levels in and outside the window
  std::size_t finest_marks = 0;         // how many there would have been on the level asked for
  bool has_weights = true, is_difference = false;
};

// One layer in numbers, counted on the graph shown; densities over the T(T-1)/2 pairs of the strict past.
struct RoutingReadout {
  std::int64_t layer = 0;
  std::array<EdgeSums, kRoutingReasons> by_reason{};
  double density = 0;  // scope, self left out
  std::array<double, kRoutingReasons> density_of{};
  double mean_scope = 0;  // past tokens per query
  double empty_rows = 0;  // share of queries without a direct declaration
  double expected = 0;    // direct density that counts alone predict, on the training batch; NaN: unknown
};

struct RoutingPicture : PictureHead {
  RoutingSettings settings;  // as they were understood
  std::int64_t layer = -1, layers = 0, first_layer = 0, last_layer = -1;
  std::int64_t tokens = 0;
  std::uint64_t step = 0;  // of the sample shown
  std::optional<std::uint64_t> other_step;
  std::string other_name;  // of the run it is compared with; empty: the same run
  std::uint64_t newest_step = 0;
  std::string source;                       // without weights: from where, and where weights are
  std::optional<std::uint64_t> weights_at;  // the nearest step with recorded edges
  std::string heads;                        // a locked head that is not recorded apart
  std::string aggregation, threshold_words, proof, sum_error, invalid, lock_words, no_baseline;
  std::vector<RoutingReadout> readouts;  // of every layer
  std::shared_ptr<const RoutingContent> content;
  double summing_seconds = 0;  // Loading: since sums that are made aside were begun; 0: rows are being read
  bool is_error() const { return !sum_error.empty(); }
};

// Where a graph is summed: a large one takes longer than a frame may.
enum class RoutingWork { Here, AsideWhenLarge };
inline constexpr std::int64_t kLargeGraph = 12'000;  // pairs; fewer take some two milliseconds

// Pairs are rolled up once per row; the graph is made again only when something it depends on changed.
struct RoutingMemory {
  struct Rolled {
    std::uint32_t run = 0;
    const void* row = nullptr;  // with `held` alive, a row is never at the address of another
    std::shared_ptr<const void> held;
    std::vector<std::int32_t> ids;
    std::int64_t head = kAllHeads;
    RoutingHeads heads;
    EdgeRollupPtr rollup;
    std::string problem;  // why there is no roll-up, else empty
  };
  std::vector<Rolled> rolled;  // newest use first
  struct Made {
    EdgeRollupPtr rollup, other;
    RoutingSettings settings;
    RoutingWindow window;
    std::int64_t first_layer = 0, last_layer = -1;
    std::optional<std::int64_t> token, second_token;
    std::vector<std::int32_t> ids;
    bool has_vocabulary = false;
    std::shared_ptr<const RoutingContent> content;
  };
  std::optional<Made> made;
  // What is made aside.
  Aside<Rolled> rolling;
  Aside<Made> making;
};

// Locked: layer, head, token and second token of the frame. While sums are made aside the run is kept busy
// and the picture is Loading; for another window alone it has the last split, whose sums are the same.
RoutingPicture routing_query(const QueryFrame& frame, const RoutingSettings& settings,
                             const RoutingWindow& window, RoutingMemory& memory,
                             RoutingWork work = RoutingWork::Here);
// The whole sequence without a memory: for one look.
RoutingPicture routing_picture(const QueryFrame& frame, const RoutingSettings& settings);

// One row a visible mark, sums as integers; the readouts stand in the lines above.
Table table(const RoutingPicture& picture);
Twin twin_of(const RoutingPicture& picture);
// Visible, hidden and recorded sums as integers, one a line.
std::vector<std::string> sum_lines(const RoutingContent& content);

// A mark in words: who reads whom in which layer, then one sentence a line.
std::string mark_title(const RoutingPicture& picture, const RoutingMark& mark);
std::vector<std::string> mark_lines(const RoutingPicture& picture, const RoutingMark& mark);
// A node: its text, what it reads and who reads it, of the visible marks.
std::string node_title(const RoutingPicture& picture, std::size_t node);
std::vector<std::string> node_lines(const RoutingPicture& picture, std::size_t node);
// The row of the table that a mark has, tab-separated.
std::string mark_row(const RoutingPicture& picture, const RoutingMark& mark);

}  // namespace sparsescope::viz

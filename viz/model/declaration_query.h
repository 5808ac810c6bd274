// The declaration map: what each past token announces, and since when, as plain data. Rows declare, columns
// are declared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/aside.h"
#include "viz/model/cells.h"
#include "viz/model/declaration_history.h"
#include "viz/model/declaration_order.h"
#include "viz/model/picture_head.h"
#include "viz/model/query_frame.h"

namespace sparsescope::viz {

enum class DeclarationRows { Positions, Ids };
// Margin: score - theta, of the best-scored ids. Count: how many declarations. HitRate: share of them that
// came true. FirstStep: the first recorded probe that has one.
enum class DeclarationValue { Margin, Count, HitRate, FirstStep };
// Against an earlier (or later) step of the run, or against the pinned baseline run at the same step.
enum class DeclarationAgainst { Nothing, Step, Baseline };
// What the comparison shows: the difference, or this step's values of what is declared now and was not, or
// the other way round.
enum class DeclarationChange { Difference, OnlyChanged };
// Which ids are columns: those of the sequence, or also others among the best-scored ones.
enum class DeclarationIds { OfSequence, WithOthers };

struct DeclarationSettings {
  DeclarationRows rows = DeclarationRows::Positions;
  DeclarationValue value = DeclarationValue::Margin;
  DeclarationOrder order = DeclarationOrder::Frequency;
  DeclarationIds ids = DeclarationIds::OfSequence;
  std::int64_t layer = -1;   // -1: the last one; a locked layer goes before
  std::int64_t window = 32;  // N later tokens in which a declaration may come true; 0: all that follow
  DeclarationAgainst against = DeclarationAgainst::Nothing;
  DeclarationChange change = DeclarationChange::Difference;
  std::uint64_t against_step = 0;
  std::string search;  // a token to look for
  // End of the colours of scores, counts and differences (both ends, of these); 0: that of the data.
  double limit = 0;
  double common_limit = 0;  // of this picture and others it is seen with; 0: none. A limit of its own goes before
  bool operator==(const DeclarationSettings&) const = default;
};

struct DeclarationRow {
  std::int64_t position = -1;  // rows by position; else -1
  std::int64_t id = -1;        // -1: not known
  std::string word;
  std::int64_t occurrences = 1;  // positions it stands for
  std::int64_t declared = 0, came_true = 0;
  std::int64_t covered = 0;  // of its positions: somebody before declared its id
  double hit_rate() const;   // not a number: declares nothing
};

struct DeclarationColumn {
  std::int64_t id = -1;
  std::string word;
  bool is_of_sequence = true;
  std::int64_t occurrences = 0;              // in the sequence
  std::int64_t declared = 0, came_true = 0;  // by positions, of the sequence's ids
  double hit_rate() const;
};

// How the values are to be coloured.
struct DeclarationScale {
  double low = 0, high = 1;
  bool is_logarithmic = false, is_difference = false;
  std::string unit;
  double data_limit = 0;  // end of the colours as the data alone have it; 0: the scale is a fixed one
};

// What a typed or locked token is: who declares it, since when, how often it came true.
struct DeclaredToken {
  std::int64_t id = -1;
  std::string word;
  std::int64_t column = -1;  // of the map, or -1
  std::int64_t occurrences = 0;
  std::vector<std::int64_t> declarers;  // positions, rising
  std::int64_t came_true = 0;
  bool is_of_sequence = false;              // else only its best-scored declarers are known
  std::optional<std::uint64_t> first_step;  // over the probes read so far
  std::string sentence;
};

struct DeclarationContent;

struct HistoryProgress {
  bool is_wanted = false, is_cancelled = false;
  std::size_t read = 0, total = 0, missing = 0;
  std::string message;  // why some are missing
  bool is_done() const { return read + missing >= total; }
};

struct DeclarationPicture : PictureHead {
  DeclarationSettings settings;  // as they were understood
  std::int64_t layer = -1, layers = 0;
  std::uint64_t step = 0;                   // of the probe shown
  std::optional<std::uint64_t> other_step;  // of the probe it is compared with
  std::uint64_t newest_step = 0;            // of the run
  double theta = 0;                         // not a number: not recorded
  std::vector<DeclarationRow> rows;
  std::vector<DeclarationColumn> columns;
  CellsPtr cells;  // rows x columns; null until something was read
  DeclarationScale scale;
  std::string value_name;            // "score − θ"
  std::string coverage;              // density, coverage and empty rows in words
  DeclarationCounts counts;          // of the whole layer
  std::vector<DeclaredToken> found;  // by the search, best first; else the locked id
  std::string search_words;          // "no piece of the vocabulary contains 'foo'", else empty
  HistoryProgress history;
  std::string no_baseline;                            // why the pinned run cannot be compared; empty: it can
  std::int64_t unread_rows = 0;                       // from the last one upwards: still being read
  CellBlock visible;                                  // the part the table tells
  std::shared_ptr<const DeclarationContent> content;  // what cell_facts() looks up
};

// Where a map is put together: a large one takes up to a second, which a window does not wait for.
enum class DeclarationWork { Here, AsideWhenLarge };

// What a view keeps between pictures: the walk through the probes, the map it made last, and the one that is
// being made on a thread of its own.
struct DeclarationMemory {
  DeclarationWork work = DeclarationWork::Here;
  DeclarationHistory history;
  std::shared_ptr<const DeclarationContent> content;
  Aside<std::shared_ptr<const DeclarationContent>> making;
};

// Locked: layer and vocabulary_id of the frame. `visible`: the rows and columns that the table tells; all
// when it is empty.
DeclarationPicture declaration_query(const QueryFrame& frame, const DeclarationSettings& settings,
                                     DeclarationMemory& memory, const CellBlock& visible = {});
// The same without a memory: for one look.
DeclarationPicture declaration_picture(const QueryFrame& frame, const DeclarationSettings& settings);

// One line a visible mark: cells that have a value, and the strips. Where cells are more than kTableCells,
// the strips alone.
inline constexpr std::int64_t kTableCells = 20'000;
Table table(const DeclarationPicture& picture);
Twin twin_of(const DeclarationPicture& picture);
// One row of the map, tab-separated: position, id, token, ids declared, share that came true, covered.
std::string row_text(const DeclarationPicture& picture, std::int64_t row);

// Everything known about one cell, exact.
struct CellFacts {
  std::int64_t declared = 0, of = 0;  // positions of the row that declare the id, and how many there are
  bool is_recorded = true;            // false: an id outside the sequence, of which no bits are recorded
  std::optional<double> margin;       // the largest one recorded
  std::optional<double> there;        // the value at the other step, when it is compared
  std::optional<std::int64_t> next;   // rows by position: where the id stands next
  std::optional<std::uint64_t> first_step;  // over the probes read so far
};
CellFacts cell_facts(const DeclarationPicture& picture, const DeclarationHistory& history, CellIndex cell);
// The cell in words: who and whom, the value, then one sentence a line.
std::string cell_title(const DeclarationPicture& picture, CellIndex cell);
std::vector<std::string> cell_lines(const DeclarationPicture& picture, const DeclarationHistory& history,
                                    CellIndex cell);
// "score − θ 0.42", "no declaration".
std::string value_words(const DeclarationPicture& picture, CellIndex cell);
// The row that holds a position, and the column of an id; -1: none.
std::int64_t row_of_position(const DeclarationPicture& picture, std::int64_t position);
std::int64_t column_of_id(const DeclarationPicture& picture, std::int64_t id);

}  // namespace sparsescope::viz

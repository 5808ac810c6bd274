// Texts that a model wrote while it was trained: read from the channel `text_samples`, what repeats in them,
// and the picture of the view. Collapse often shows here first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "viz/model/picture_head.h"
#include "viz/model/probe_text.h"
#include "viz/model/query_frame.h"

namespace sparsescope::viz {

// One element of the channel. Its text may lie in the channel `text_sample_payloads` of the same frame.
struct TextSample {
  std::uint64_t step = 0;
  std::string reason;  // "schedule", "asked"
  std::string prompt, text;
  std::vector<std::int64_t> ids;  // of what was generated
  std::optional<double> temperature;
  std::optional<std::uint64_t> seed;
  std::int64_t tokens = 0;
  std::optional<double> distinct_share;  // distinct 4-grams by all 4-grams of ids
  std::optional<std::pair<std::size_t, std::size_t>>
      payload;          // bytes [begin, end) that hold the whole object
  std::string problem;  // it could not be read: one sentence
};
TextSample text_sample_from_json(std::string_view json, std::uint64_t frame_step);

inline constexpr std::size_t kRepeatLength = 4;
// For every id, whether it is part of a run of kRepeatLength ids that occurs at least twice in `ids`.
std::vector<bool> repeated_ids(const std::vector<std::int64_t>& ids);

// A stretch of a text that is marked throughout or not at all.
struct TextPiece {
  std::string text;
  bool is_repeated = false;
};
// The text behind ids, cut where the mark changes; bytes that are no UTF-8 stand as \xNN.
std::vector<TextPiece> marked_text(const ProbeText& words, const std::vector<std::int64_t>& ids,
                                   const std::vector<bool>& is_repeated);

// Samples that were read, by run and position in the row index: rows come one by one.
class TextSampleStore {
 public:
  using Place = std::pair<std::size_t, std::size_t>;  // position in the row index, element of the row
  // Reads what the cache has and asks for one more: first what stands at or before `step`, then the others,
  // newest first. Samples by place, and how many rows are still to be read.
  struct Answer {
    const std::map<Place, TextSample>* samples = nullptr;
    std::size_t unread = 0;
    std::string problem;  // of a row that could not be read
  };
  Answer read(Run& run, std::uint64_t step);

 private:
  std::uint32_t run_ = UINT32_MAX;
  std::set<std::size_t> read_;  // positions
  std::map<Place, TextSample> samples_;
};

struct TextSampleSettings {
  std::optional<TextSampleStore::Place> chosen;  // of several at the step of the cursor, this one
};

struct TextSampleEntry {
  TextSampleStore::Place place;
  TextSample sample;  // without its text when that lies in a payload
  bool is_shown = false;
};

struct TextSamplePicture : PictureHead {
  std::vector<TextSampleEntry> list;  // newest first
  std::optional<TextSample> shown;    // whole
  std::vector<TextPiece> pieces;      // of its generated part
  double repeated_share = 0;          // of its tokens; not a number: ids or vocabulary were not recorded
  std::string remark;                 // why nothing is marked, or that its text is being read; else empty
  Range steps{0, 1};                  // of the list
  bool is_reading = false;            // a row or a text is still on its way
};

TextSamplePicture text_sample_query(const QueryFrame& frame, const TextSampleSettings& settings,
                                    TextSampleStore& store);
// The same with a store of its own, for a description in words.
TextSamplePicture text_sample_query(const QueryFrame& frame, const TextSampleSettings& settings);
Twin twin_of(const TextSamplePicture& picture);

}  // namespace sparsescope::viz

// The words behind ids: the vocabulary of a run, and the tokens of its probe sequence at a step, with a
// needle where one was injected. Read once per run through its heavy rows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/row_cache.h"
#include "viz/model/run.h"

namespace sparsescope::viz {

class ProbeText {
 public:
  // Asks `run` for its once-written channels; cheap when they are in its cache. While they are being read
  // state() is Loading and ids show as numbers.
  ProbeText(Run& run, std::uint64_t step);

  // Of the probe ids; the vocabulary may be missing all the same.
  RowCache::State state() const { return state_; }
  const std::string& message() const { return message_; }
  bool has_vocabulary() const { return !ends_.empty(); }

  // Tokens of probe sequence 0 at the step; empty until Ready.
  const std::vector<std::int32_t>& ids() const { return ids_; }
  // The needle in it, where one was injected at or before the step.
  struct Needle {
    std::uint64_t step = 0;               // of the injection
    std::vector<std::int32_t> ids;        // cue and answer
    std::vector<std::int64_t> positions;  // first tokens of its copies in the sequence
    std::vector<std::int32_t> sequence;   // the whole text with it; empty: the event does not hold it
  };
  const std::optional<Needle>& needle() const { return needle_; }

  // The bytes of a vocabulary id as they stand in the text; empty without a vocabulary.
  std::string bytes_of(std::int64_t id) const;
  // For people: white space visible ("␣the", "⏎"), bytes that are no UTF-8 as \xNN; "#17" without vocabulary.
  std::string word(std::int64_t id) const;
  // The words of `text` found in the vocabulary: ids whose bytes contain it, exact matches first, at most
  // `most`. "#17" finds the id itself.
  std::vector<std::int64_t> find(const std::string& text, std::size_t most) const;
  std::size_t vocabulary() const { return ends_.size(); }

 private:
  RowCache::State state_ = RowCache::State::Missing;
  std::string message_;
  ChannelDataPtr pieces_;
  std::vector<std::uint32_t> ends_;
  std::vector<std::int32_t> ids_;
  std::optional<Needle> needle_;
};

// Bytes made readable: "␣" for a space, "⏎" for a line end, "⇥" for a tab, "\xNN" for what is no UTF-8.
std::string visible_text(const std::string& bytes);

}  // namespace sparsescope::viz

// Since when each position declares each id: a walk over all recorded probes of one layer, one row after the
// other, because a run reads one heavy row of a channel at a time. Goes on a little with every picture.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/declaration_counts.h"
#include "viz/model/run.h"

namespace sparsescope::viz {

class DeclarationHistory {
 public:
  // Takes in what is at hand of the samples not yet read and asks for the next one that is not; starts over
  // for another run or layer. Call it after the row at the cursor is at hand, or the two wishes chase each
  // other. At most kBytesPerCall of bits a call; then the run is kept busy, so that another frame comes.
  void advance(Run& run, std::int64_t layer);
  static constexpr std::size_t kBytesPerCall = std::size_t{32} << 20;

  std::size_t read() const { return read_; }               // samples taken in
  std::size_t total() const { return total_; }             // samples there are
  std::size_t missing() const { return missing_; }         // samples that could not be had
  const std::string& message() const { return message_; }  // why the last of them could not
  bool is_done() const { return next_ >= total_; }
  bool is_cancelled() const { return is_cancelled_; }
  void cancel() { is_cancelled_ = true; }
  void resume() { is_cancelled_ = false; }
  // Forgets all, so that failed rows are asked for again.
  void restart() { *this = {}; }
  std::uint64_t version() const { return version_; }  // grows when a declaration becomes known earlier

  bool matches(const DeclaredLayer& layer) const {
    return rows_ == layer.rows() && positions_ == layer.positions();
  }
  // The first sample read at which `position` declares the id of `row`; nothing: never so far.
  std::optional<std::uint64_t> first(std::int64_t position, std::int64_t row) const;
  // The first at which any position declares it.
  std::optional<std::uint64_t> first(std::int64_t row) const;
  // Steps of the first and the last sample there is.
  std::uint64_t first_step() const { return first_step_; }
  std::uint64_t last_step() const { return last_step_; }

 private:
  void take(const DeclaredLayer& layer, std::uint64_t step);

  std::optional<std::uint32_t> run_;
  std::int64_t layer_ = -1, rows_ = 0, positions_ = 0;
  std::vector<std::uint32_t> first_;  // by row, then position: 1 + index into steps_; 0: never
  std::vector<std::uint64_t> steps_;  // of the samples taken in
  std::vector<std::uint8_t> seen_;    // bits as in the channel
  std::size_t next_ = 0, read_ = 0, total_ = 0, missing_ = 0;
  std::uint64_t first_step_ = 0, last_step_ = 0, version_ = 0;
  bool is_cancelled_ = false;
  std::string message_;
};

}  // namespace sparsescope::viz

// Reads recorded rows back, asynchronously and cancellably: the one interface behind scrubbing, live or
// replayed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/trace/frame.h"

namespace sparsescope::trace {

struct ReadRequest {
  std::uint64_t first_row = 0;
  std::uint64_t last_row = 0;           // inclusive
  std::vector<std::uint32_t> channels;  // ids
};

struct ReadAnswer {
  enum class Kind { Row, Done, Cancelled, Failed };
  std::uint64_t tag = 0;
  Kind kind = Kind::Done;
  FramePtr frame;       // Row: the requested channels of one row
  std::string message;  // Failed: one sentence
};

// Nothing here blocks. Every request is answered by any number of Row and exactly one of Done, Cancelled,
// Failed.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // Queues a read and returns its tag.
  virtual std::uint64_t request(ReadRequest request) = 0;
  // Drops a request that has not been answered yet; the newest wish wins, scrubbing never queues.
  virtual void cancel(std::uint64_t tag) = 0;
  // Answers since the last call.
  virtual std::vector<ReadAnswer> poll() = 0;
};

}  // namespace sparsescope::trace

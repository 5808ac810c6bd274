// Rows out of an open recording: which row of which dataset, bulk reads of light channels, single heavy rows,
// checks of what is read. Used on files and, by the writer, on its own handles. No thread of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/record/layout.h"
#include "engine/trace/frame.h"

namespace sparsescope::record {

// How many rows each channel has before a given row of the run: one set of counts per chunk of the index.
class RowCounts {
 public:
  explicit RowCounts(std::size_t channels) : counts_(channels, 0) {}
  // The next row of the run.
  void add(const trace::Presence& present);
  std::uint64_t rows() const { return rows_; }
  // Counts before row `chunk` * 256.
  std::span<const std::uint32_t> before_chunk(std::uint64_t chunk) const;

 private:
  std::uint64_t rows_ = 0;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> at_chunks_;
};

class RecordingReader {
 public:
  // Both outlive the reader.
  RecordingReader(const trace::Schema& schema, const Layout& layout);

  // Rows known so far. A file's rows become known by index_more, the writer's by row_committed.
  std::uint64_t rows() const { return counts_.rows(); }
  // Reads and checks up to `limit` more rows of the index; false at its end. Throws Error at the first row
  // that cannot be.
  bool index_more(std::uint64_t limit);
  void row_committed(const IndexRow& row);

  // One row with those of `channels` it has; nullptr when it has none of them although some were asked for.
  // Throws Error when something is damaged or a channel does not exist.
  trace::FramePtr read_row(std::uint64_t row, std::span<const std::uint32_t> channels);

  // Rows [first, first + count) with all packed channels and the ragged rows of at most `light_row_bytes`,
  // many rows per access; fewer rows, at least one, when ragged ones would take more than 32 MiB. Throws
  // Error when anything in them is damaged; rows before the damage are found by asking for fewer.
  std::vector<trace::FramePtr> read_light(std::uint64_t first, std::uint64_t count,
                                          std::size_t light_row_bytes);
  // One row as read_light gives it, after reading all of it and checking its checksum: for files that lost
  // their end.
  trace::FramePtr read_light_checked(std::uint64_t row, std::size_t light_row_bytes);
  // Whether the last row the file claims to have looks like one: what was found before is then damage in the
  // middle.
  bool has_good_last_row(std::size_t light_row_bytes);
  // Rows of read_light that take about `bytes` of memory.
  std::uint64_t light_rows_for(std::size_t bytes) const;

  // The step that the index gives a row; nothing: that part of the index cannot be read.
  std::optional<std::uint64_t> step_of(std::uint64_t row);

  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  struct Span {
    std::uint64_t begin = 0, end = 0;
  };
  std::span<const IndexRow> index_chunk(std::uint64_t chunk);
  const IndexRow& index_row(std::uint64_t row);
  // Rows of `channel` before `row`.
  std::uint64_t ordinal(std::uint64_t row, std::uint32_t channel);
  void check_index_row(const IndexRow& row, std::uint64_t number);

  void read_packed(const h5::Handle& set, std::size_t rank, std::uint64_t first, std::uint64_t count,
                   std::size_t row_bytes, std::uint64_t chunk_rows, std::byte* out);
  std::vector<Span> read_spans(const trace::Channel& channel, std::uint64_t first, std::uint64_t count);
  // Rows (dense) or elements (ragged) [begin, end) of `values`.
  std::vector<std::byte> read_values(const trace::Channel& channel, std::uint64_t begin, std::uint64_t end);
  void read_dense_once(const trace::Channel& channel, std::uint64_t row, std::byte* out);
  std::vector<std::byte> read_part(const trace::Channel& channel, std::uint64_t ordinal);
  // Where the rows of one channel lie that a block of frames has, in order.
  struct LightRows {
    const trace::Channel* channel = nullptr;
    std::vector<std::size_t> places;  // of the frames within the block
    std::vector<Span> spans;          // rows (dense) or elements (ragged) of `values`, one per place
  };
  LightRows find_light(const trace::Channel& channel, std::uint64_t first, std::span<const IndexRow> rows);
  std::size_t affordable_rows(std::span<const LightRows> channels, std::size_t count,
                              std::size_t light_row_bytes) const;
  void read_light_channel(const LightRows& light, std::size_t light_row_bytes,
                          std::vector<trace::Frame>& frames);
  bool is_light(const trace::Channel& channel, std::size_t row_bytes, std::size_t light_row_bytes) const;
  void check_frame(const trace::Frame& frame, const IndexRow& row);
  // "; its data lie in bytes 4,096 to 4,207 of the file ('scalars')": where the parts of a frame are, as far
  // as the file still tells; else empty.
  std::string places_of(const trace::Frame& frame);

  const trace::Schema& schema_;
  const Layout& layout_;
  RowCounts counts_;
  std::uint64_t last_step_ = 0;
  std::vector<IndexRow> chunk_rows_;  // of the index chunk read last
  std::uint64_t chunk_number_ = 0;
  std::vector<std::byte> chunk_buffer_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace sparsescope::record

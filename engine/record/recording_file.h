// One recording file while it is written: frames go in, commits put them on disk in the order that survives a
// kill. Used by the I/O thread alone; the clock, the mailbox and the policy on failures are the recording
// writer's.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/record/chunk_codec.h"
#include "engine/record/layout.h"
#include "engine/record/packed_column.h"
#include "engine/record/recording_reader.h"
#include "engine/record/sync_thread.h"
#include "engine/record/worker_pool.h"

namespace sparsescope::record {

// Whether this process is recording into `path`.
bool is_written_here(const std::string& path);

class RecordingFile {
 public:
  // Creates the file. Throws Error when that is not possible; a file that exists is left alone.
  RecordingFile(const std::string& path, trace::SchemaPtr schema, const std::string& schema_json,
                int workers);
  ~RecordingFile();

  // Takes a frame that fits the schema; compression begins at once on the workers.
  void add(trace::FramePtr frame);
  std::size_t pending_bytes() const { return pending_bytes_; }
  std::size_t pending_frames() const { return pending_.size(); }
  // A frame that was added and not committed, or nullptr.
  trace::FramePtr pending(std::uint64_t row) const;

  // Writes all pending frames: data first, index rows last. Throws Error; the file is then to be abandoned.
  void commit();
  // Clean close after the last commit, synced to the disk. Throws Error.
  void close();
  // After a failure: lets go of what can be let go of. Frames committed before stay readable.
  void abandon() noexcept;

  std::uint64_t committed_frames() const { return reader_->rows(); }
  std::uint64_t committed_step() const { return committed_step_; }
  std::uint64_t bytes_on_disk() const { return bytes_on_disk_; }
  // Reads committed rows through the writer's own handles.
  RecordingReader& reader() { return *reader_; }

 private:
  struct OncePart {
    std::uint32_t channel = 0;
    std::uint64_t end = 0;  // rows or elements of `values` after this part
    std::vector<std::vector<hsize_t>> offsets;
    std::vector<EncodedChunk> chunks;  // filled by a worker
  };
  struct Pending {
    trace::FramePtr frame;
    IndexRow row;  // filled by a worker
    std::vector<std::unique_ptr<OncePart>> parts;
  };
  struct Columns {
    std::unique_ptr<PackedColumn> values, step, spans;  // values: packed channels only
    std::uint64_t once_end = 0;                         // once: rows or elements handed to the workers so far
  };

  void add_part(Pending& pending, const trace::ChannelData& part);
  void add_once(Pending& pending, const trace::Channel& channel, const trace::ChannelData& part,
                std::uint64_t begin);
  void write_once(const OncePart& part);
  void write_channels();
  void write_index();
  void check_still_ours();

  std::string path_;
  trace::SchemaPtr schema_;
  Layout layout_;
  std::vector<Columns> columns_;
  std::unique_ptr<PackedColumn> index_;
  std::unique_ptr<RecordingReader> reader_;
  std::deque<std::unique_ptr<Pending>> pending_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t committed_step_ = 0, bytes_on_disk_ = 0;
  bool is_taken_away_ = false;
  std::unique_ptr<SyncThread> sync_;
  std::unique_ptr<WorkerPool> workers_;  // last: its jobs use the pending frames
};

}  // namespace sparsescope::record

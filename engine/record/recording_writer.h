// Writes one run into one HDF5 file (recording.md 2 and 3): blocks rather than drops, commits on a clock,
// survives kills.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/record/recording_place.h"
#include "engine/trace/frame.h"
#include "engine/trace/row_source.h"

namespace sparsescope::record {

struct WriterStats {
  std::uint64_t frames_received = 0;
  std::uint64_t frames_committed = 0;
  std::uint64_t last_committed_step = 0;
  std::uint64_t bytes_on_disk = 0;
  std::int64_t blocked_nanos = 0;  // the sender waited for the recorder
  std::string failure;             // empty, or "recording stopped at step 48,210: disk full; 3 frames lost"
  std::uint64_t frames_lost = 0;   // received, not committed, after a failure
  bool is_closed = false;
  std::string path;  // where the recording lies now
  std::string
      note;  // empty, or one sentence on a recording that is written elsewhere than asked, and its move
};

struct WriterOptions {
  std::string path;  // must not exist
  // Where to record while the folder of `path` lies on a network file system; the closed file is moved to
  // `path`. Empty: such a folder is refused.
  std::string local_folder;
  NetworkProbe is_on_network;               // empty: asks the system
  std::int64_t commit_nanos = 500'000'000;  // recording.md 3.4
  std::size_t commit_bytes = 32 << 20;
  std::size_t mailbox_bytes = 128 << 20;
  int workers = 2;                                 // compression threads
  std::uint64_t free_bytes_at_start = 1ull << 30;  // refuse to start below this
  std::uint64_t free_bytes_while_running =
      64ull << 20;  // stop below this or below 30 s of the run's rate; 0: never
  std::function<std::uint64_t(const std::string& folder)>
      free_bytes;  // what is free there while running; empty: asks the system
  std::function<void(const WriterStats&)>
      on_commit;  // called on the I/O thread after each commit; may be slow
};

// Owns the I/O thread, the only caller of libhdf5 that writes. The sink functions may be called from one
// thread. As a RowSource it reads committed rows back through its own handles, so a live run can be scrubbed;
// commits go first.
class RecordingWriter final : public trace::FrameSink, public trace::RowSource {
 public:
  // Refuses at once what cannot work: path exists, folder missing or read-only, too little space. Throws
  // Error.
  explicit RecordingWriter(WriterOptions options);
  ~RecordingWriter() override;  // closes as if stopped, when on_end never came

  // Creates the file and returns when it stands and followers may open it. Throws Error when it cannot be
  // made.
  void on_schema(trace::SchemaPtr schema) override;
  // Throws std::logic_error for a frame that does not fit the schema. Blocks while the recorder is behind,
  // never drops.
  void on_frame(trace::FramePtr frame) override;
  void on_end(const trace::RunEnd& end) override;

  // Rows that were received; also after the end, then from the closed file.
  std::uint64_t request(trace::ReadRequest request) override;
  void cancel(std::uint64_t tag) override;
  std::vector<trace::ReadAnswer> poll() override;

  // Waits until the file is closed, which on_end or a failure begins; returns the final numbers. A failure is
  // in them, never thrown.
  WriterStats wait_closed();
  WriterStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sparsescope::record

// Opens a recording without blocking: schema, then every row with its light channels, then the end; heavy
// rows on request. Today it works on its own I/O thread in this process; later behind a sandboxed child, and
// nobody above notices.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/trace/error.h"
#include "engine/trace/frame.h"
#include "engine/trace/row_source.h"

namespace sparsescope::record {

// Byte 11 of the superblock and what it means (recording.md 1), read without libhdf5.
enum class FileState { Closed, Unclosed, NeverStarted, NotHdf5, Missing, Unreadable };
FileState file_state(const std::string& path);

struct OpenProgress {
  std::uint64_t rows_read = 0, rows_total = 0;
  std::uint64_t bytes_read = 0;
  std::string path;
};

class ReaderClient : public trace::RowSource {
 public:
  // Loading goes on in the background until the sink saw on_end; then only requests are served.
  virtual OpenProgress progress() const = 0;
  // Stops loading; the sink sees on_end with what was read. Later requests still work for the rows read.
  virtual void cancel_loading() = 0;
  // What loading has found so far: Done, DamagedTail (all rows up to the damage are good) or DamagedMiddle
  // (there are good rows behind it, too). Final once the sink saw on_end.
  virtual ExitCode damage() const = 0;
};

struct OpenOptions {
  // Channels whose whole history is sent while loading: every Packed channel and ragged ones up to this row
  // size.
  std::size_t light_row_bytes = 16 << 10;
};

// `sink` is called from the reader's thread and outlives the client; one that blocks (a Mailbox with
// Overflow::Block) also holds requests up, and is closed before the client goes. Frames carry only their
// light channels in `data`, all in `present`. Requests answer Row for rows that have one of the channels, or
// when no channel was asked for. Throws Error at once for what is no recording (Refused), a newer major
// version (NewerVersion) or a file that cannot be opened; what shows later arrives as RunEnd. on_end carries
// Unclosed when the file was never closed: "being written, or its writer died".
std::unique_ptr<ReaderClient> open_recording(const std::string& path, trace::FrameSink& sink,
                                             OpenOptions options = {});

}  // namespace sparsescope::record

// Walks through a recording in order, waiting for the reader: what headless commands need and a window must
// not do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/record/reader_client.h"
#include "engine/trace/mailbox.h"

namespace sparsescope::app {

class RecordingWalk {
 public:
  // Opens the file and waits for its schema. Throws Error as open_recording does.
  explicit RecordingWalk(const std::string& path);
  ~RecordingWalk();

  const trace::Schema& schema() const { return *schema_; }
  // Calls `visit` for every row with its light channels, in order; returns how the recording ended.
  trace::RunEnd each_row(const std::function<void(const trace::Frame&)>& visit);
  // What each_row found: Done, DamagedTail or DamagedMiddle.
  ExitCode damage() const { return client_->damage(); }
  // Reads one channel of one row. Throws Error when the file is damaged there.
  std::vector<std::byte> read(std::uint64_t row, std::uint32_t channel);

 private:
  trace::Mailbox mailbox_;
  std::unique_ptr<record::ReaderClient> client_;
  trace::SchemaPtr schema_;
  std::vector<trace::Message> waiting_;
};

}  // namespace sparsescope::app

// What the recording tests share: a folder of their own, a sink that keeps everything, recording and reading
// in one call.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/record/reader_client.h"
#include "engine/record/recording_writer.h"
#include "engine/trace/frame.h"
#include "engine/trace/synthetic_source.h"

namespace sparsescope::testing {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  const std::filesystem::path& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Keeps a run and notes every breach of the order schema, frames in running number, exactly one end.
class Collector final : public trace::FrameSink {
 public:
  void on_schema(trace::SchemaPtr schema) override;
  void on_frame(trace::FramePtr frame) override;
  void on_end(const trace::RunEnd& end) override;

  void wait_end();
  // Read these after wait_end.
  trace::SchemaPtr schema;
  std::vector<trace::FramePtr> frames;
  trace::RunEnd end;
  std::vector<std::string> breaches;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  int ends_ = 0;
};

// Options without limits on free space, so that a small machine can run the tests.
record::WriterOptions writer_options(const std::string& path);
// Writes the whole run; returns the final numbers.
record::WriterStats record_run(const trace::SyntheticSource& source, record::WriterOptions options);

// Answers of one request, complete. Fails the test after ten seconds.
struct Answers {
  std::vector<trace::FramePtr> rows;
  trace::ReadAnswer last;
};
Answers read_rows(trace::RowSource& source, std::uint64_t first, std::uint64_t last,
                  std::vector<std::uint32_t> channels);
std::vector<std::uint32_t> all_channels(const trace::Schema& schema);

// Equal in everything a frame carries.
bool same_frame(const trace::Frame& a, const trace::Frame& b);
bool same_schema(const trace::Schema& a, const trace::Schema& b);

// Reads `path` whole, light channels and then every row with all its channels, and compares with the first
// `rows` frames of the source. Returns "" or what differs, the word that it is a recovered copy included.
enum class RecordedAs { Run, RecoveredCopy };
std::string difference(const std::string& path, const trace::SyntheticSource& source, std::uint64_t rows,
                       RecordedAs recorded_as = RecordedAs::Run);

// The sentence and the code of the Error that opening `path` throws; fails the test when it opens.
struct Refusal {
  std::string sentence;
  ExitCode code = ExitCode::Done;
};
Refusal refusal_of(const std::string& path);

}  // namespace sparsescope::testing

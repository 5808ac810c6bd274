// The reader's thread: requests first, loading in small blocks between them, one end.
#include "engine/record/reader_client.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/record/open_file.h"
#include "engine/record/request_queue.h"

namespace sparsescope::record {
namespace {

constexpr std::uint64_t kIndexBlockRows = 1 << 14;
constexpr std::uint64_t kFirstBlockRows = 64;  // the first picture should not wait for more
constexpr std::size_t kBlockBytes = 4 << 20;

class InProcessReader final : public ReaderClient {
 public:
  InProcessReader(std::string path, std::unique_ptr<OpenFile> file, trace::FrameSink& sink,
                  OpenOptions options)
      : path_(std::move(path)), file_(std::move(file)), sink_(sink), options_(options), thread_([this] {
          run();
        }) {}
  ~InProcessReader() override {
    requests_.stop();
    thread_.join();
  }

  std::uint64_t request(trace::ReadRequest request) override { return requests_.push(std::move(request)); }
  void cancel(std::uint64_t tag) override { requests_.cancel(tag); }
  std::vector<trace::ReadAnswer> poll() override { return requests_.poll(); }
  OpenProgress progress() const override {
    return {rows_read_, file_->opened.layout.index_rows, bytes_read_, path_};
  }
  void cancel_loading() override { is_cancelled_ = true; }
  ExitCode damage() const override { return damage_; }

 private:
  void run();
  void load();
  void load_index();
  void load_rows();
  void find_damage(std::uint64_t first, std::uint64_t count);
  void serve_waiting();
  void serve(const RequestQueue::Work& work);
  bool is_to_stop() const { return is_cancelled_ || requests_.is_stopped(); }
  trace::RunEnd end() const;

  const std::string path_;
  const std::unique_ptr<OpenFile> file_;
  trace::FrameSink& sink_;
  const OpenOptions options_;
  RequestQueue requests_;
  std::atomic<bool> is_cancelled_ = false;
  std::atomic<std::uint64_t> rows_read_ = 0, bytes_read_ = 0;
  std::atomic<ExitCode> damage_ = ExitCode::Done;
  // The reader's thread only.
  std::string damage_words_;
  std::optional<std::uint64_t> damage_step_;  // from which on nothing is shown
  std::thread thread_;                        // last: it uses all of the above
};

void InProcessReader::run() {
  trace::RunEnd ended;
  try {
    sink_.on_schema(std::make_shared<const trace::Schema>(file_->opened.schema));
    load();
    ended = end();
  } catch (const std::exception& error) {
    ended = {trace::RunStatus::Failed, "reading '" + path_ + "' stopped after " + std::to_string(rows_read_) +
                                           " frames: " + error.what()};
  }
  sink_.on_end(ended);
  while (!requests_.is_stopped()) {
    serve_waiting();
    requests_.wait();
  }
}

void InProcessReader::load() {
  load_index();
  load_rows();
  if (file_->is_cut_short && damage_ == ExitCode::Done) damage_ = ExitCode::DamagedTail;
}

// The whole index first, 64 bytes a row: from then on every row can be asked for.
void InProcessReader::load_index() {
  try {
    while (!is_to_stop() && file_->reader.index_more(kIndexBlockRows)) {
    }
  } catch (const Error& error) {
    damage_words_ = error.what();
    damage_ = file_->reader.has_good_last_row(options_.light_row_bytes) ? ExitCode::DamagedMiddle
                                                                        : ExitCode::DamagedTail;
  }
}

void InProcessReader::load_rows() {
  RecordingReader& reader = file_->reader;
  const std::uint64_t block = file_->is_cut_short ? 1 : reader.light_rows_for(kBlockBytes);
  for (std::uint64_t row = 0; row < reader.rows() && !is_to_stop();) {
    const std::uint64_t count = std::min({reader.rows() - row, block, row == 0 ? kFirstBlockRows : block});
    std::vector<trace::FramePtr> frames;
    try {
      if (file_->is_cut_short) {
        frames.push_back(reader.read_light_checked(row, options_.light_row_bytes));
      } else {
        frames = reader.read_light(row, count, options_.light_row_bytes);
      }
    } catch (const Error&) {
      return find_damage(row, count);
    }
    bytes_read_ = reader.bytes_read();
    for (trace::FramePtr& frame : frames) {
      if (is_to_stop()) return;
      sink_.on_frame(std::move(frame));
      ++rows_read_;
    }
    row += frames.size();
    serve_waiting();
  }
}

// Row by row through a block that cannot be read as one; everything before the first bad row is sent.
void InProcessReader::find_damage(std::uint64_t first, std::uint64_t count) {
  RecordingReader& reader = file_->reader;
  for (std::uint64_t row = first; row < first + count; ++row) {
    try {
      trace::FramePtr frame = file_->is_cut_short
                                  ? reader.read_light_checked(row, options_.light_row_bytes)
                                  : reader.read_light(row, 1, options_.light_row_bytes).front();
      sink_.on_frame(std::move(frame));
      ++rows_read_;
    } catch (const Error& error) {
      damage_words_ = error.what();
      damage_step_ = reader.step_of(row);
      damage_ = reader.has_good_last_row(options_.light_row_bytes) ? ExitCode::DamagedMiddle
                                                                   : ExitCode::DamagedTail;
      return;
    }
  }
}

void InProcessReader::serve_waiting() {
  while (!requests_.is_stopped()) {
    const std::optional<RequestQueue::Work> work = requests_.next();
    if (!work) return;
    serve(*work);
  }
}

void InProcessReader::serve(const RequestQueue::Work& work) {
  try {
    if (work.row >= file_->reader.rows())
      throw Error("the recording has " + std::to_string(file_->reader.rows()) + " rows");
    requests_.answer(work, file_->reader.read_row(work.row, work.channels));
  } catch (const std::exception& error) {
    const std::optional<std::uint64_t> step = file_->reader.step_of(work.row);
    requests_.fail(work, "row " + std::to_string(work.row) +
                             (step ? ", step " + std::to_string(*step) + "," : std::string()) +
                             " cannot be read: " + error.what());
  }
}

trace::RunEnd InProcessReader::end() const {
  const std::string read = std::to_string(rows_read_), all = std::to_string(file_->opened.layout.index_rows);
  const std::string damage =
      damage_words_.empty()
          ? ""
          : "; the frames behind them" +
                (damage_step_ ? ", from step " + std::to_string(*damage_step_) + " on," : std::string()) +
                " are damaged (" + damage_words_ + ")";
  if (is_cancelled_ && damage.empty())
    return {trace::RunStatus::Stopped, "loading was stopped after " + read + " of " + all + " frames"};
  if (file_->is_unclosed) {
    return {trace::RunStatus::Unclosed, "this recording is being written, or its writer died: its first " +
                                            read + " frames are shown" + damage};
  }
  if (file_->is_cut_short)
    return {trace::RunStatus::Failed,
            "this recording lost its end: its first " + read + " frames are shown" + damage};
  if (!damage.empty())
    return {trace::RunStatus::Failed,
            "this recording is damaged: its first " + read + " of " + all + " frames are shown" + damage};
  return {trace::RunStatus::Finished, ""};
}

}  // namespace

std::unique_ptr<ReaderClient> open_recording(const std::string& path, trace::FrameSink& sink,
                                             OpenOptions options) {
  return std::make_unique<InProcessReader>(path, open_file(path), sink, options);
}

}  // namespace sparsescope::record

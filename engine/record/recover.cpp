// Reads as the window does and writes as a trainer does: nothing here knows the format.
#include "engine/record/recover.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "engine/record/reader_client.h"
#include "engine/record/recording_writer.h"
#include "engine/trace/error.h"
#include "engine/trace/mailbox.h"

namespace sparsescope::record {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMailboxBytes = 32 << 20;
constexpr std::int64_t kWaitNanos = 100'000'000;
constexpr std::uint64_t kRowsAtOnce = 32;
constexpr std::uint64_t kFreeBytes = 64ull << 20;

// Waits for the whole index: how many rows are good, and the schema.
class Source {
 public:
  explicit Source(const std::string& path) : mailbox_(kMailboxBytes, trace::Overflow::Block) {
    client_ = open_recording(path, mailbox_);
    for (bool has_ended = false; !has_ended;) {
      for (const trace::Message& message : mailbox_.wait_and_drain(kWaitNanos)) {
        if (const auto* schema = std::get_if<trace::SchemaPtr>(&message)) schema_ = *schema;
        if (std::holds_alternative<trace::FramePtr>(message)) ++rows_;
        if (const auto* end = std::get_if<trace::RunEnd>(&message)) {
          has_ended = true;
          if (rows_ == 0) throw refused("nothing in it can be recovered: " + end->message);
        }
      }
    }
  }
  ~Source() { mailbox_.close(); }
  Source(const Source&) = delete;

  const trace::SchemaPtr& schema() const { return schema_; }
  std::uint64_t rows() const { return rows_; }
  std::uint64_t claimed() const { return std::max(rows_, client_->progress().rows_total); }

  // The rows [first, last] up to the first that cannot be read, with all their channels.
  std::vector<trace::FramePtr> read(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint32_t> channels;
    for (const trace::Channel& channel : schema_->channels) channels.push_back(channel.id);
    const std::uint64_t tag = client_->request({first, last, std::move(channels)});
    std::vector<trace::FramePtr> rows;
    for (;;) {
      for (const trace::ReadAnswer& answer : client_->poll()) {
        if (answer.tag != tag) continue;
        if (answer.kind != trace::ReadAnswer::Kind::Row) return rows;
        rows.push_back(answer.frame);
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

 private:
  trace::Mailbox mailbox_;
  std::unique_ptr<ReaderClient> client_;
  trace::SchemaPtr schema_;
  std::uint64_t rows_ = 0;
};

WriterOptions options_for(const std::string& path) {
  WriterOptions options;
  options.path = path;
  options.free_bytes_at_start = kFreeBytes;
  return options;
}

Recovered copy(Source& source, RecordingWriter& writer, const RecoveryProgress& progress) {
  Recovered done{0, source.claimed(), 0};
  writer.on_schema(source.schema());
  while (done.frames < source.rows()) {
    const std::uint64_t last = std::min(done.frames + kRowsAtOnce, source.rows()) - 1;
    const std::vector<trace::FramePtr> rows = source.read(done.frames, last);
    for (const trace::FramePtr& row : rows) {
      writer.on_frame(row);
      ++done.frames;
      done.last_step = row->step;
    }
    // The light part of a row was good and its heavy part is not: what lies before it is the good prefix.
    if (done.frames <= last) break;
    if (progress && !progress(static_cast<double>(done.frames) / static_cast<double>(source.rows())))
      throw Error("the recovery was stopped; nothing was kept of it");
  }
  return done;
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

}  // namespace

std::string words_of(const Recovered& recovered) {
  return "recovered " + with_commas(recovered.frames) + " of " + with_commas(recovered.of) +
         " frames, last step " + with_commas(recovered.last_step);
}

std::string recovered_path(const std::string& recording) {
  const fs::path path(recording);
  const std::string stem = path.stem().string();
  std::error_code failure;
  fs::path free = path.parent_path() / (stem + ".recovered.h5");
  for (int i = 2; fs::exists(free, failure); ++i)
    free = path.parent_path() / (stem + ".recovered-" + std::to_string(i) + ".h5");
  return free.string();
}

Recovered recover(const std::string& from, const std::string& to, const RecoveryProgress& progress) {
  std::error_code failure;
  if (fs::exists(to, failure)) throw refused("'" + to + "' is there already; give another name");
  const std::string part = to + ".part";
  fs::remove(part, failure);  // of a recovery that was killed
  Source source(from);
  try {
    Recovered done;
    {
      RecordingWriter writer(options_for(part));
      done = copy(source, writer, progress);
      if (done.frames == 0)
        throw refused("nothing in '" + from + "' can be recovered: its first frame is damaged");
      writer.on_end({trace::RunStatus::Stopped, ""});
      if (const WriterStats stats = writer.wait_closed(); !stats.failure.empty()) throw Error(stats.failure);
    }
    fs::rename(part, to, failure);
    if (failure) throw Error("'" + part + "' cannot be renamed to '" + to + "': " + failure.message());
    return done;
  } catch (...) {
    fs::remove(part, failure);
    throw;
  }
}

}  // namespace sparsescope::record

// Reads as the window does and writes as a trainer does: nothing here knows the format.
#include "engine/record/recover.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "engine/record/reader_client.h"
#include "engine/record/recording_place.h"
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
constexpr const char* kPart = ".part-";  // and the process that writes it
constexpr const char* kStopped = "the recovery was stopped; nothing was kept of it";

// Waits for the whole index: how many rows are good, and the schema.
class Source {
 public:
  explicit Source(const std::string& path) : mailbox_(kMailboxBytes, trace::Overflow::Block) {
    client_ = open_recording(path, mailbox_);
    for (bool has_ended = false; !has_ended;) {
      for (const trace::Message& message : mailbox_.wait_and_drain(kWaitNanos)) {
        if (const auto* schema = std::get_if<trace::SchemaPtr>(&message)) schema_ = *schema;
        if (const auto* frame = std::get_if<trace::FramePtr>(&message)) steps_.push_back((*frame)->step);
        if (const auto* end = std::get_if<trace::RunEnd>(&message)) {
          has_ended = true;
          if (steps_.empty()) throw refused("nothing in it can be recovered: " + end->message);
        }
      }
    }
  }
  ~Source() { mailbox_.close(); }
  Source(const Source&) = delete;

  const trace::SchemaPtr& schema() const { return schema_; }
  std::uint64_t rows() const { return steps_.size(); }
  std::uint64_t step(std::uint64_t row) const { return steps_[row]; }
  std::uint64_t claimed() const { return std::max(rows(), client_->progress().rows_total); }

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
  std::vector<std::uint64_t> steps_;  // of the rows whose light part is good
};

// What recoveries to the same name left that were killed; those that go on keep theirs.
void remove_left_parts(const std::string& to) {
  const fs::path target(to);
  const std::string beginning = target.filename().string() + kPart;
  std::error_code failure;
  std::vector<fs::path> left;
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(beginning)) continue;
    const int process = std::atoi(name.c_str() + beginning.size());
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) left.push_back(it->path());
  }
  for (const fs::path& path : left) fs::remove(path, failure);
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

WriterOptions options_for(const std::string& path) {
  WriterOptions options;
  options.path = path;
  options.free_bytes_at_start = kFreeBytes;
  return options;
}

// The frames before the first that cannot be read, or all that can: which, is found by reading all of them.
std::vector<bool> good_rows(Source& source, BadFrames bad, const RecoveryProgress& progress) {
  std::vector<bool> good(source.rows(), false);
  for (std::uint64_t row = 0; row < source.rows();) {
    const std::uint64_t last = std::min(row + kRowsAtOnce, source.rows()) - 1;
    const std::uint64_t read = source.read(row, last).size();
    std::fill_n(good.begin() + static_cast<std::ptrdiff_t>(row), read, true);
    row += read;
    if (row <= last) {
      // The light part of this row was good and its heavy part is not.
      if (bad == BadFrames::EndTheCopy) break;
      ++row;
    }
    if (progress && !progress(0.5 * static_cast<double>(row) / static_cast<double>(source.rows())))
      throw Error(kStopped);
  }
  return good;
}

Recovered recovery_of(const Source& source, const std::vector<bool>& good) {
  Recovered recovery;
  recovery.from_uuid = source.schema()->run_uuid;
  recovery.of = source.claimed();
  for (std::uint64_t row = 0; row < good.size(); ++row) {
    if (!good[row]) continue;
    recovery.has_gap |= recovery.frames++ < row;
    recovery.last_step = source.step(row);
  }
  return recovery;
}

// The frame with an event that says what lay before it.
trace::FramePtr after_gap(const trace::Schema& schema, const trace::Frame& frame, std::uint64_t missing) {
  trace::Frame told = frame;
  told.flags |= trace::kFlagAfterGap;
  const trace::Channel* events = schema.find("events");
  if (events == nullptr) return std::make_shared<const trace::Frame>(std::move(told));
  const nlohmann::ordered_json event = {
      {"kind", "warning"},
      {"step", frame.step},
      {"what", "recovery"},
      {"text", with_commas(missing) + (missing == 1 ? " frame" : " frames") +
                   " before this one could not be read and were left out"}};
  std::vector<std::byte> element(events->unit_bytes());
  const std::string text = event.dump();
  check(text.size() < element.size(), "the event of a recovery is short");
  std::memcpy(element.data(), text.data(), text.size());
  const auto at = std::ranges::lower_bound(told.data, events->id, {}, &trace::ChannelData::channel);
  if (at != told.data.end() && at->channel == events->id) {
    at->bytes.insert(at->bytes.begin(), element.begin(), element.end());
  } else {
    told.data.insert(at, {events->id, std::move(element)});
    told.present.add(events->id);
  }
  return std::make_shared<const trace::Frame>(std::move(told));
}

// Frames are numbered anew: a recording has no holes.
void copy(Source& source, const std::vector<bool>& good, RecordingWriter& writer,
          const RecoveryProgress& progress) {
  std::uint64_t written = 0, missing = 0;
  for (std::uint64_t row = 0; row < good.size(); ++row) {
    if (!good[row]) {
      ++missing;
      continue;
    }
    std::uint64_t last = row;
    while (last + 1 < good.size() && good[last + 1] && last + 1 - row < kRowsAtOnce) ++last;
    const std::vector<trace::FramePtr> frames = source.read(row, last);
    if (frames.size() != last - row + 1) throw Error("the recording changed while it was being recovered");
    for (const trace::FramePtr& read : frames) {
      trace::FramePtr frame = missing > 0 ? after_gap(*source.schema(), *read, missing) : read;
      missing = 0;
      if (frame->row != written) {
        trace::Frame numbered = *frame;
        numbered.row = written;
        frame = std::make_shared<const trace::Frame>(std::move(numbered));
      }
      writer.on_frame(frame);
      ++written;
    }
    row = last;
    if (progress && !progress(0.5 + 0.5 * static_cast<double>(row + 1) / static_cast<double>(good.size())))
      throw Error(kStopped);
  }
}

}  // namespace

std::string words_of(const trace::Recovery& recovered) {
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

Recovered recover(const std::string& from, const std::string& to, const RecoveryProgress& progress,
                  BadFrames bad) {
  std::error_code failure;
  if (fs::exists(to, failure)) throw refused("'" + to + "' is there already; give another name");
  remove_left_parts(to);
  const std::string part = to + kPart + std::to_string(::getpid());
  Source source(from);
  const std::vector<bool> good = good_rows(source, bad, progress);
  const Recovered recovery = recovery_of(source, good);
  if (recovery.frames == 0)
    throw refused("nothing in '" + from + "' can be recovered: its first frame is damaged");
  try {
    RecordingWriter writer(options_for(part));
    trace::Schema schema = *source.schema();
    schema.recovered = recovery;
    writer.on_schema(std::make_shared<const trace::Schema>(std::move(schema)));
    copy(source, good, writer, progress);
    writer.on_end({trace::RunStatus::Stopped, ""});
    if (const WriterStats stats = writer.wait_closed(); !stats.failure.empty()) throw Error(stats.failure);
    name_without_replacing(part, to);
    return recovery;
  } catch (...) {
    fs::remove(part, failure);
    throw;
  }
}

}  // namespace sparsescope::record

// The I/O thread: mailbox, commit clock, reading back, and what happens when the disk does not want any more.
#include "engine/record/recording_writer.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "engine/record/frame_check.h"
#include "engine/record/free_space.h"
#include "engine/record/open_file.h"
#include "engine/record/recording_file.h"
#include "engine/record/request_queue.h"
#include "engine/record/schema_json.h"
#include "engine/trace/mailbox.h"

namespace sparsescope::record {
namespace {

using Clock = std::chrono::steady_clock;
using trace::FramePtr;
using trace::SchemaPtr;

// The promise is that a kill loses at most a second; the oldest frame is as old as the period plus the
// pipeline.
constexpr std::int64_t kLongestCommitNanos = 1'000'000'000;

std::string with_thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string words_of(const std::exception& error) {
  if (const auto* failure = dynamic_cast<const h5::Failure*>(&error)) {
    if (failure->system_error() == ENOSPC) return "disk full";
    if (failure->system_error() == EDQUOT) return "disk quota used up";
  }
  return error.what();
}

// Whether one of the frame's events says "kind":"warning".
bool has_warning(const trace::Frame& frame, const trace::Schema& schema) {
  const trace::Channel* events = schema.find("events");
  const trace::ChannelData* data =
      events == nullptr || events->dtype != trace::DType::Text ? nullptr : frame.find(events->id);
  if (data == nullptr) return false;
  const std::string_view texts(reinterpret_cast<const char*>(data->bytes.data()), data->bytes.size());
  return texts.find("\"kind\":\"warning\"") != std::string_view::npos;
}

}  // namespace

struct RecordingWriter::Impl {
  Impl(WriterOptions from, RecordingPlace at)
      : options(std::move(from)),
        place(std::move(at)),
        mailbox(options.mailbox_bytes, trace::Overflow::Block),
        guard(place.written, options.free_bytes_while_running, options.free_bytes) {
    options.commit_nanos = std::min(options.commit_nanos, kLongestCommitNanos);
    numbers.path = place.written;
    numbers.note = place.words();
  }

  void run(SchemaPtr run_schema, const std::string& json, std::promise<void> started);
  void record_until_end();
  void take(trace::Message& message);
  bool is_commit_due() const;
  void commit();
  void stop_when_nearly_full();
  void fail(const std::string& reason);
  void close_cleanly();
  void serve_until_stopped();
  void serve_one();
  FramePtr row_for(const RequestQueue::Work& work);
  void serve_closed(const RequestQueue::Work& work);
  WriterStats current_stats() const;

  WriterOptions options;
  const RecordingPlace place;
  trace::Mailbox mailbox;
  RequestQueue requests;
  FreeSpaceGuard guard;

  // The sender's thread.
  SchemaPtr schema;
  std::uint64_t next_row = 0, last_step = 0;
  bool has_ended = false;

  // The I/O thread.
  std::unique_ptr<RecordingFile> file;
  std::unique_ptr<OpenFile> closed_file;  // for requests after the end
  Clock::time_point oldest_pending;       // when the oldest frame that is not committed was taken
  bool is_urgent = false, saw_non_finite = false, saw_end = false;

  mutable std::mutex mutex;
  std::condition_variable closed;
  WriterStats numbers;  // all but the blocked time and what follows from a failure
  std::string failure_reason;

  std::thread thread;
};

// The I/O thread.
void RecordingWriter::Impl::run(SchemaPtr run_schema, const std::string& json, std::promise<void> started) {
  try {
    file = std::make_unique<RecordingFile>(place.written, std::move(run_schema), json, options.workers);
    {
      std::scoped_lock lock(mutex);
      numbers.bytes_on_disk = file->bytes_on_disk();
    }
    started.set_value();
  } catch (...) {
    {
      std::scoped_lock lock(mutex);
      failure_reason = "the file could not be made";
      numbers.is_closed = true;
    }
    mailbox.close();
    closed.notify_all();
    started.set_exception(std::current_exception());
    return;
  }
  try {
    record_until_end();
  } catch (const std::exception& error) {
    fail(words_of(error));
  }
  serve_until_stopped();
}

void RecordingWriter::Impl::record_until_end() {
  while (file) {
    std::int64_t wait = 0;
    if (!requests.next()) {
      const auto due = oldest_pending + std::chrono::nanoseconds(options.commit_nanos) - Clock::now();
      wait = file->pending_frames() == 0 ? kLongestCommitNanos
                                         : std::max<std::int64_t>(1, std::chrono::nanoseconds(due).count());
    }
    for (trace::Message& message : mailbox.wait_and_drain(wait)) {
      if (file) take(message);
    }
    if (!file) return;
    if (saw_end) return close_cleanly();
    if (is_commit_due()) {
      commit();
    } else {
      serve_one();
    }
  }
}

void RecordingWriter::Impl::take(trace::Message& message) {
  if (std::holds_alternative<trace::RunEnd>(message)) saw_end = true;
  auto* frame = std::get_if<FramePtr>(&message);
  if (frame == nullptr) return;
  if (file->pending_frames() == 0) oldest_pending = Clock::now();
  // The first value that is not finite and every warning are worth a commit at once: what follows may be a
  // crash.
  if (((*frame)->flags & trace::kFlagNonFinite) != 0 && !saw_non_finite) is_urgent = saw_non_finite = true;
  if (has_warning(**frame, *schema)) is_urgent = true;
  file->add(std::move(*frame));
  if (is_commit_due()) commit();
}

bool RecordingWriter::Impl::is_commit_due() const {
  if (file->pending_frames() == 0) return false;
  return is_urgent || file->pending_bytes() >= options.commit_bytes ||
         Clock::now() - oldest_pending >= std::chrono::nanoseconds(options.commit_nanos);
}

void RecordingWriter::Impl::commit() {
  is_urgent = false;
  if (file->committed_frames() + file->pending_frames() > kMaxRows)
    return fail("a recording holds at most 16,777,216 frames");
  file->commit();
  {
    std::scoped_lock lock(mutex);
    numbers.frames_committed = file->committed_frames();
    numbers.last_committed_step = file->committed_step();
    numbers.bytes_on_disk = file->bytes_on_disk();
  }
  if (options.on_commit) options.on_commit(current_stats());
  stop_when_nearly_full();
}

// Looked at after the commit: the pending frames are safe, the file closes as after a whole run.
void RecordingWriter::Impl::stop_when_nearly_full() {
  if (saw_end || guard.missing(file->bytes_on_disk()) == 0) return;
  {
    std::scoped_lock lock(mutex);
    failure_reason = "less than " + bytes_in_words(options.free_bytes_while_running) +
                     " or 30 s of this run's data are free on the disk";
  }
  mailbox.close();
  close_cleanly();
}

void RecordingWriter::Impl::fail(const std::string& reason) {
  {
    std::scoped_lock lock(mutex);
    if (failure_reason.empty()) failure_reason = reason;
  }
  mailbox.close();
  if (file) file->abandon();
  file.reset();
  {
    std::scoped_lock lock(mutex);
    if (place.is_apart())
      numbers.note = "the recording was not closed and stays at " + place.written + ", not at " + place.asked;
    numbers.is_closed = true;
  }
  closed.notify_all();
}

void RecordingWriter::Impl::close_cleanly() {
  if (file->pending_frames() > 0) commit();
  if (!file) return;  // the last commit found the disk nearly full and closed
  file->close();
  {
    std::scoped_lock lock(mutex);
    numbers.bytes_on_disk = file->bytes_on_disk();
  }
  file.reset();
  if (place.is_apart()) {
    const MoveResult moved = move_to_asked(place);
    std::scoped_lock lock(mutex);
    numbers.path = moved.path;
    numbers.note = moved.words;
  }
  {
    std::scoped_lock lock(mutex);
    numbers.is_closed = true;
  }
  mailbox.close();
  closed.notify_all();
}

// Reading back.
void RecordingWriter::Impl::serve_one() {
  const std::optional<RequestQueue::Work> work = requests.next();
  if (!work) return;
  try {
    if (work->row >= file->committed_frames() && !file->pending(work->row)) {
      std::scoped_lock lock(mutex);
      // Received and still in the mailbox: the next turn of the loop takes it.
      if (work->row >= numbers.frames_received)
        requests.fail(*work, "row " + std::to_string(work->row) + " is not recorded yet");
      return;
    }
    requests.answer(*work, row_for(*work));
  } catch (const std::exception& error) {
    requests.fail(*work, "row " + std::to_string(work->row) + " cannot be read back: " + error.what());
  }
}

FramePtr RecordingWriter::Impl::row_for(const RequestQueue::Work& work) {
  const FramePtr pending = file->pending(work.row);
  if (!pending) return file->reader().read_row(work.row, work.channels);
  trace::Frame part = *pending;
  std::erase_if(part.data, [&](const trace::ChannelData& data) {
    return std::find(work.channels.begin(), work.channels.end(), data.channel) == work.channels.end();
  });
  if (part.data.empty() && !work.channels.empty()) return nullptr;
  return std::make_shared<const trace::Frame>(std::move(part));
}

void RecordingWriter::Impl::serve_closed(const RequestQueue::Work& work) {
  try {
    if (!closed_file) {
      closed_file = open_file(current_stats().path);
      while (closed_file->reader.index_more(1 << 14)) {
      }
    }
    if (work.row >= closed_file->reader.rows()) throw Error("it is not in the recording");
    requests.answer(work, closed_file->reader.read_row(work.row, work.channels));
  } catch (const std::exception& error) {
    requests.fail(work, "row " + std::to_string(work.row) + " cannot be read back: " + error.what());
  }
}

void RecordingWriter::Impl::serve_until_stopped() {
  while (true) {
    requests.wait();
    if (requests.is_stopped()) return;
    if (const std::optional<RequestQueue::Work> work = requests.next()) serve_closed(*work);
  }
}

WriterStats RecordingWriter::Impl::current_stats() const {
  const trace::Mailbox::Counts counts = mailbox.counts();
  std::scoped_lock lock(mutex);
  WriterStats stats = numbers;
  stats.blocked_nanos = counts.blocked_nanos;
  if (!failure_reason.empty()) {
    stats.frames_lost = stats.frames_received - stats.frames_committed;
    const std::string where = stats.frames_committed == 0
                                  ? "before its first frame"
                                  : "at step " + with_thousands(stats.last_committed_step);
    stats.failure = "recording stopped " + where + ": " + failure_reason + "; " +
                    with_thousands(stats.frames_lost) +
                    (stats.frames_lost == 1 ? " frame lost" : " frames lost");
  }
  return stats;
}

// The sender's thread.
RecordingWriter::RecordingWriter(WriterOptions options) {
  RecordingPlace place =
      choose_place(options.path, options.local_folder, options.free_bytes_at_start, options.is_on_network);
  impl_ = std::make_unique<Impl>(std::move(options), std::move(place));
}

RecordingWriter::~RecordingWriter() {
  if (impl_->schema && !impl_->has_ended) impl_->mailbox.on_end({trace::RunStatus::Stopped, ""});
  impl_->requests.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void RecordingWriter::on_schema(SchemaPtr schema) {
  check(!impl_->schema, "a run has one schema");
  check(schema != nullptr, "a schema");
  const std::string json = schema_to_json(*schema);
  impl_->schema = schema;
  std::promise<void> started;
  std::future<void> done = started.get_future();
  impl_->thread = std::thread(&Impl::run, impl_.get(), schema, json, std::move(started));
  try {
    done.get();
  } catch (const std::exception& error) {
    impl_->thread.join();
    throw Error("cannot record into '" + impl_->place.written + "': " + words_of(error), ExitCode::Refused);
  }
}

void RecordingWriter::on_frame(FramePtr frame) {
  check(impl_->schema && !impl_->has_ended, "frames come after the schema and before the end");
  check(frame->row == impl_->next_row, "frames come in running number");
  check(frame->step >= impl_->last_step, "the step of frames never falls");
  check_frame_fits(*frame, *impl_->schema);
  impl_->last_step = frame->step;
  ++impl_->next_row;
  {
    std::scoped_lock lock(impl_->mutex);
    ++impl_->numbers.frames_received;
  }
  impl_->mailbox.on_frame(std::move(frame));
}

void RecordingWriter::on_end(const trace::RunEnd& end) {
  check(!impl_->has_ended, "a run has one end");
  impl_->has_ended = true;
  impl_->mailbox.on_end(end);
}

std::uint64_t RecordingWriter::request(trace::ReadRequest request) {
  const std::uint64_t tag = impl_->requests.push(std::move(request));
  impl_->mailbox.wake();
  return tag;
}

void RecordingWriter::cancel(std::uint64_t tag) { impl_->requests.cancel(tag); }
std::vector<trace::ReadAnswer> RecordingWriter::poll() { return impl_->requests.poll(); }

WriterStats RecordingWriter::wait_closed() {
  if (impl_->schema) {
    std::unique_lock lock(impl_->mutex);
    impl_->closed.wait(lock, [&] { return impl_->numbers.is_closed; });
  }
  return impl_->current_stats();
}

WriterStats RecordingWriter::stats() const { return impl_->current_stats(); }

}  // namespace sparsescope::record

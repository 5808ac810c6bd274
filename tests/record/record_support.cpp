#include "tests/record/record_support.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <thread>

#include "engine/record/schema_json.h"

// The library's exit handler stays off, because it crashes after a failed flush; what it would free is no
// leak of ours.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace sparsescope::testing {

TempFolder::TempFolder() {
  std::string name = std::filesystem::temp_directory_path() / "sparsescope-record-XXXXXX";
  check(::mkdtemp(name.data()) != nullptr, "a temporary folder");
  path_ = name;
}
TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Collector::on_schema(trace::SchemaPtr from) {
  std::scoped_lock lock(mutex_);
  if (schema) breaches.push_back("a second schema");
  schema = std::move(from);
}
void Collector::on_frame(trace::FramePtr frame) {
  std::scoped_lock lock(mutex_);
  if (!schema) breaches.push_back("a frame before the schema");
  if (ends_ > 0) breaches.push_back("a frame after the end");
  if (frame->row != frames.size())
    breaches.push_back("row " + std::to_string(frame->row) + " in place " + std::to_string(frames.size()));
  if (!frames.empty() && frame->step < frames.back()->step) breaches.push_back("the step falls");
  frames.push_back(std::move(frame));
}
void Collector::on_end(const trace::RunEnd& from) {
  std::scoped_lock lock(mutex_);
  if (++ends_ > 1) breaches.push_back("a second end");
  end = from;
  ended_.notify_all();
}
void Collector::wait_end() {
  std::unique_lock lock(mutex_);
  ASSERT_TRUE(ended_.wait_for(lock, std::chrono::seconds(60), [&] { return ends_ > 0; }))
      << "no end within a minute";
}

record::WriterOptions writer_options(const std::string& path) {
  record::WriterOptions options;
  options.path = path;
  options.free_bytes_at_start = 0;
  options.free_bytes_while_running = 0;
  return options;
}

record::WriterStats record_run(const trace::SyntheticSource& source, record::WriterOptions options) {
  record::RecordingWriter writer(std::move(options));
  source.run(writer);
  return writer.wait_closed();
}

Answers read_rows(trace::RowSource& source, std::uint64_t first, std::uint64_t last,
                  std::vector<std::uint32_t> channels) {
  Answers answers;
  const std::uint64_t tag = source.request({first, last, std::move(channels)});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    for (trace::ReadAnswer& answer : source.poll()) {
      if (answer.tag != tag) continue;
      if (answer.kind == trace::ReadAnswer::Kind::Row) {
        answers.rows.push_back(answer.frame);
      } else {
        answers.last = answer;
        return answers;
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ADD_FAILURE() << "no answer within ten seconds";
  return answers;
}

std::vector<std::uint32_t> all_channels(const trace::Schema& schema) {
  std::vector<std::uint32_t> ids;
  for (const trace::Channel& channel : schema.channels) ids.push_back(channel.id);
  return ids;
}

bool same_frame(const trace::Frame& a, const trace::Frame& b) {
  return a.row == b.row && a.step == b.step && a.mono_nanos == b.mono_nanos && a.unix_nanos == b.unix_nanos &&
         a.flags == b.flags && a.present == b.present && a.data == b.data;
}

bool same_schema(const trace::Schema& a, const trace::Schema& b) {
  return record::schema_to_json(a) == record::schema_to_json(b);
}

std::string difference(const std::string& path, const trace::SyntheticSource& source, std::uint64_t rows,
                       RecordedAs recorded_as) {
  Collector collector;
  const auto client = record::open_recording(path, collector);
  collector.wait_end();
  if (!collector.breaches.empty()) return collector.breaches.front();
  const bool is_copy = recorded_as == RecordedAs::RecoveredCopy;
  if (collector.schema->recovered.has_value() != is_copy)
    return is_copy ? "no word that it is a recovered copy" : "it calls itself a recovered copy";
  trace::Schema schema = *collector.schema;
  schema.recovered.reset();
  if (!same_schema(schema, *source.schema())) return "the schema differs";
  if (collector.frames.size() < rows)
    return std::to_string(collector.frames.size()) + " rows of " + std::to_string(rows) + "; " +
           collector.end.message;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const trace::FramePtr sent = source.frame(row);
    const trace::Frame& loaded = *collector.frames[row];
    if (loaded.present != sent->present || loaded.step != sent->step)
      return "head of loaded row " + std::to_string(row);
    for (const trace::ChannelData& part : loaded.data) {
      if (sent->find(part.channel) == nullptr || sent->find(part.channel)->bytes != part.bytes)
        return "loaded bytes of row " + std::to_string(row);
    }
    const Answers answers =
        read_rows(*client, row, row,
                  sent->data.empty() ? std::vector<std::uint32_t>{} : all_channels(*source.schema()));
    if (answers.rows.size() != 1) return "row " + std::to_string(row) + ": " + answers.last.message;
    if (!same_frame(*answers.rows.front(), *sent)) return "row " + std::to_string(row) + " differs";
  }
  return "";
}

Refusal refusal_of(const std::string& path) {
  Collector collector;
  try {
    const auto client = record::open_recording(path, collector);
    collector.wait_end();
  } catch (const Error& error) {
    return {error.what(), error.code()};
  }
  ADD_FAILURE() << path << " opened";
  return {};
}

}  // namespace sparsescope::testing

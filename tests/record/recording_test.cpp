// Laws of recording and replay: order, round trip bit for bit, nothing lost, reading while writing.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "engine/record/open_file.h"
#include "engine/trace/text.h"
#include "tests/record/record_support.h"

namespace sparsescope {
namespace {

using testing::Collector;
using testing::TempFolder;
using testing::writer_options;
using trace::SyntheticOptions;
using trace::SyntheticSource;

SyntheticSource every_dtype(std::uint64_t frames = 48) {
  return SyntheticSource({SyntheticOptions::Kind::EveryDtype, frames, 7});
}
SyntheticSource spark(std::uint64_t frames = 600) {
  return SyntheticSource({SyntheticOptions::Kind::Spark, frames, 3});
}

TEST(Recording, EveryDtypeComesBackBitForBit) {
  const TempFolder folder;
  const SyntheticSource source = every_dtype();
  const record::WriterStats stats = testing::record_run(source, writer_options(folder.file("run.h5")));
  EXPECT_EQ(stats.failure, "");
  EXPECT_EQ(stats.frames_committed, source.frames());
  EXPECT_EQ(testing::difference(folder.file("run.h5"), source, source.frames()), "");
}

TEST(Recording, ASparkRunComesBackBitForBit) {
  const TempFolder folder;
  const SyntheticSource source = spark();
  testing::record_run(source, writer_options(folder.file("run.h5")));
  EXPECT_EQ(testing::difference(folder.file("run.h5"), source, source.frames()), "");
}

TEST(Recording, TheWayItIsCutIntoCommitsDoesNotShow) {
  const TempFolder folder;
  const SyntheticSource source = every_dtype();
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.commit_bytes = 1;  // a commit per frame: packed chunks are written again and again
  testing::record_run(source, options);
  EXPECT_EQ(testing::difference(folder.file("run.h5"), source, source.frames()), "");
}

TEST(Recording, ReplayCallsTheSinkInOrderAndEndsOnce) {
  const TempFolder folder;
  const SyntheticSource source = spark();
  testing::record_run(source, writer_options(folder.file("run.h5")));
  Collector collector;
  const auto client = record::open_recording(folder.file("run.h5"), collector);
  collector.wait_end();
  EXPECT_TRUE(collector.breaches.empty()) << collector.breaches.front();
  EXPECT_EQ(collector.frames.size(), source.frames());
  EXPECT_EQ(collector.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(client->progress().rows_read, source.frames());
  EXPECT_EQ(client->progress().rows_total, source.frames());
  EXPECT_EQ(client->damage(), ExitCode::Done);
}

TEST(Recording, LoadingBringsLightChannelsAndSaysWhichHeavyOnesThereAre) {
  const TempFolder folder;
  SyntheticOptions wanted;
  wanted.frames = 60;
  wanted.pooled = 64;  // 128 KiB a row: heavy
  const SyntheticSource source(wanted);
  testing::record_run(source, writer_options(folder.file("run.h5")));
  Collector collector;
  const auto client = record::open_recording(folder.file("run.h5"), collector);
  collector.wait_end();
  const std::uint32_t heavy = source.schema()->find("scope_pooled")->id,
                      light = source.schema()->find("threshold")->id;
  ASSERT_EQ(collector.frames.size(), source.frames());
  EXPECT_TRUE(collector.frames[0]->present.has(heavy));
  EXPECT_EQ(collector.frames[0]->find(heavy), nullptr);
  EXPECT_NE(collector.frames[0]->find(light), nullptr);
  const testing::Answers answers = testing::read_rows(*client, 0, 40, {heavy});
  EXPECT_EQ(answers.last.kind, trace::ReadAnswer::Kind::Done);
  ASSERT_EQ(answers.rows.size(), 5u);  // steps 0, 10, 20, 30, 40
  EXPECT_EQ(*answers.rows[3]->find(heavy), *source.frame(30)->find(heavy));
}

TEST(Recording, ASlowDiskThreadBlocksTheSenderAndLosesNothing) {
  const TempFolder folder;
  const SyntheticSource source = spark(300);
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.mailbox_bytes = 64 << 10;
  options.commit_bytes = 64 << 10;
  options.on_commit = [](const record::WriterStats&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  const record::WriterStats stats = testing::record_run(source, options);
  EXPECT_GT(stats.blocked_nanos, 0);
  EXPECT_EQ(stats.frames_received, source.frames());
  EXPECT_EQ(stats.frames_committed, source.frames());
  EXPECT_EQ(stats.frames_lost, 0u);
  EXPECT_EQ(testing::difference(folder.file("run.h5"), source, source.frames()), "");
}

TEST(Recording, FramesAreCommittedWithinTheClock) {
  const TempFolder folder;
  const SyntheticSource source = spark(3);
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.commit_nanos = 50'000'000;
  record::RecordingWriter writer(options);
  writer.on_schema(source.schema());
  for (std::uint64_t row = 0; row < 3; ++row) writer.on_frame(source.frame(row));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (writer.stats().frames_committed < 3 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(writer.stats().frames_committed, 3u);
  EXPECT_FALSE(writer.stats().is_closed);
}

TEST(Recording, RowsAreReadBackWhileTheRunIsWrittenAndAfterItsEnd) {
  const TempFolder folder;
  const SyntheticSource source = every_dtype(40);
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.commit_bytes = 1 << 20;
  record::RecordingWriter writer(options);
  writer.on_schema(source.schema());
  const std::vector<std::uint32_t> all = testing::all_channels(*source.schema());
  for (std::uint64_t row = 0; row < source.frames(); ++row) {
    writer.on_frame(source.frame(row));
    // The newest row may wait in memory, older ones lie in the file.
    for (const std::uint64_t asked : {row, row / 2}) {
      const testing::Answers answers = testing::read_rows(writer, asked, asked, all);
      if (source.frame(asked)->data.empty()) continue;
      ASSERT_EQ(answers.rows.size(), 1u) << answers.last.message;
      ASSERT_TRUE(testing::same_frame(*answers.rows[0], *source.frame(asked))) << "row " << asked;
    }
  }
  EXPECT_EQ(testing::read_rows(writer, 40, 40, all).last.kind, trace::ReadAnswer::Kind::Failed);
  writer.on_end({trace::RunStatus::Finished, ""});
  writer.wait_closed();
  for (std::uint64_t row = 0; row < source.frames(); ++row) {
    const testing::Answers answers = testing::read_rows(writer, row, row, all);
    if (source.frame(row)->data.empty()) continue;
    ASSERT_EQ(answers.rows.size(), 1u) << answers.last.message;
    EXPECT_TRUE(testing::same_frame(*answers.rows[0], *source.frame(row)));
  }
}

TEST(Recording, AWarningAndTheFirstNonFiniteValueAreCommittedAtOnce) {
  const TempFolder folder;
  const SyntheticSource source = spark(4);
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.commit_nanos = 1'000'000'000;
  record::RecordingWriter writer(options);
  writer.on_schema(source.schema());
  const auto committed_soon = [&](std::uint64_t frames) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (writer.stats().frames_committed < frames && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return writer.stats().frames_committed >= frames;
  };
  trace::Frame warning;
  trace::add_texts(warning, source.schema()->find("events")->id,
                   std::vector<std::string>{"{\"step\":0,\"kind\":\"warning\",\"text\":\"!\"}"});
  writer.on_frame(std::make_shared<const trace::Frame>(warning));
  EXPECT_TRUE(committed_soon(1));
  for (const bool is_first : {true, false}) {
    trace::Frame not_finite;
    not_finite.row = is_first ? 1 : 2;
    not_finite.flags = trace::kFlagNonFinite;
    writer.on_frame(std::make_shared<const trace::Frame>(not_finite));
    EXPECT_EQ(committed_soon(not_finite.row + 1), is_first);
  }
}

TEST(Recording, AnotherRecordingIsReadWhileOneIsWritten) {
  const TempFolder folder;
  const SyntheticSource old_run = every_dtype(30), new_run = spark(400);
  testing::record_run(old_run, writer_options(folder.file("old.h5")));
  record::WriterOptions options = writer_options(folder.file("new.h5"));
  options.commit_bytes = 32 << 10;
  std::thread recording([&] { testing::record_run(new_run, options); });
  for (int round = 0; round < 3; ++round)
    EXPECT_EQ(testing::difference(folder.file("old.h5"), old_run, old_run.frames()), "");
  recording.join();
  EXPECT_EQ(testing::difference(folder.file("new.h5"), new_run, new_run.frames()), "");
}

TEST(Recording, LargeRaggedRowsDoNotGatherInMemoryWhileLoading) {
  const TempFolder folder;
  trace::Schema schema;
  schema.run_uuid = "u";
  schema.channels.resize(1);
  schema.channels[0].name = "words";
  schema.channels[0].dtype = trace::DType::U8;
  schema.channels[0].kind = trace::ChannelKind::Ragged;
  const auto finished = std::make_shared<const trace::Schema>(trace::finish_schema(schema));
  record::RecordingWriter writer(writer_options(folder.file("run.h5")));
  writer.on_schema(finished);
  std::vector<trace::FramePtr> sent;
  for (std::uint64_t row = 0; row < 24; ++row) {
    trace::Frame frame;
    frame.row = row;
    trace::add_values<std::uint8_t>(
        frame, 0, std::vector<std::uint8_t>(row % 3 == 0 ? 9 << 20 : row, static_cast<std::uint8_t>(row)));
    sent.push_back(std::make_shared<const trace::Frame>(std::move(frame)));
    writer.on_frame(sent.back());
  }
  writer.on_end({});
  writer.wait_closed();
  Collector collector;
  const auto client = record::open_recording(folder.file("run.h5"), collector);
  collector.wait_end();
  ASSERT_EQ(collector.frames.size(), sent.size());
  for (std::size_t row = 0; row < sent.size(); ++row)
    EXPECT_TRUE(testing::same_frame(*collector.frames[row], *sent[row])) << row;
  const auto file = record::open_file(folder.file("run.h5"));
  while (file->reader.index_more(1000)) {
  }
  EXPECT_EQ(file->reader.read_light(0, sent.size(), 0).size(), 9u)
      << "9 MiB in rows 0, 3 and 6; row 9 would be more than 32 MiB";
}

TEST(Recording, ACancelledRequestIsAnsweredOnceAndNotRead) {
  const TempFolder folder;
  SyntheticOptions wanted;
  wanted.frames = 800;
  wanted.probe_every = 1;
  wanted.pooled = 48;
  const SyntheticSource source(wanted);
  testing::record_run(source, writer_options(folder.file("run.h5")));
  Collector collector;
  const auto client = record::open_recording(folder.file("run.h5"), collector);
  collector.wait_end();
  const std::uint32_t heavy = source.schema()->find("scope_pooled")->id;
  const std::uint64_t long_wish = client->request({0, 799, {heavy}});
  client->cancel(long_wish);
  const std::uint64_t short_wish = client->request({5, 5, {heavy}});
  std::size_t rows_of_long = 0, ends_of_long = 0, rows_of_short = 0;
  bool is_done = false;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!is_done && std::chrono::steady_clock::now() < deadline) {
    for (const trace::ReadAnswer& answer : client->poll()) {
      const bool is_row = answer.kind == trace::ReadAnswer::Kind::Row;
      if (answer.tag == long_wish) {
        ++(is_row ? rows_of_long : ends_of_long);
        EXPECT_TRUE(is_row || answer.kind == trace::ReadAnswer::Kind::Cancelled);
      }
      if (answer.tag == short_wish) {
        if (is_row) ++rows_of_short;
        is_done = is_done || answer.kind == trace::ReadAnswer::Kind::Done;
      }
    }
  }
  EXPECT_TRUE(is_done);
  EXPECT_EQ(ends_of_long, 1u);
  EXPECT_LT(rows_of_long, 700u);
  EXPECT_EQ(rows_of_short, 1u);
}

TEST(Recording, LoadingCanBeStoppedAndWhatWasReadCanBeAskedFor) {
  const TempFolder folder;
  const SyntheticSource source = spark(4000);
  testing::record_run(source, writer_options(folder.file("run.h5")));
  struct Gate final : trace::FrameSink {
    void on_schema(trace::SchemaPtr schema) override { inner.on_schema(std::move(schema)); }
    void on_frame(trace::FramePtr frame) override {
      if (frame->row == 10) {
        reached.set_value();
        open.get_future().wait();
      }
      inner.on_frame(std::move(frame));
    }
    void on_end(const trace::RunEnd& end) override { inner.on_end(end); }
    Collector inner;
    std::promise<void> reached, open;
  } gate;
  const auto client = record::open_recording(folder.file("run.h5"), gate);
  gate.reached.get_future().wait();
  client->cancel_loading();
  gate.open.set_value();
  gate.inner.wait_end();
  EXPECT_TRUE(gate.inner.breaches.empty());
  EXPECT_EQ(gate.inner.frames.size(), 11u);
  EXPECT_EQ(gate.inner.end.status, trace::RunStatus::Stopped);
  EXPECT_EQ(testing::read_rows(*client, 3, 3, {0}).rows.size(), 1u);
}

TEST(Recording, ARunWithoutAnEndIsClosedWhenTheWriterGoes) {
  const TempFolder folder;
  const SyntheticSource source = spark(20);
  {
    record::RecordingWriter writer(writer_options(folder.file("run.h5")));
    writer.on_schema(source.schema());
    for (std::uint64_t row = 0; row < source.frames(); ++row) writer.on_frame(source.frame(row));
  }
  EXPECT_EQ(record::file_state(folder.file("run.h5")), record::FileState::Closed);
  EXPECT_EQ(testing::difference(folder.file("run.h5"), source, source.frames()), "");
}

TEST(Recording, AFrameThatDoesNotFitTheSchemaIsTheProducersError) {
  const TempFolder folder;
  const SyntheticSource source = spark(10);
  record::RecordingWriter writer(writer_options(folder.file("run.h5")));
  EXPECT_THROW(writer.on_frame(source.frame(0)), std::logic_error) << "before the schema";
  writer.on_schema(source.schema());
  EXPECT_THROW(writer.on_frame(source.frame(1)), std::logic_error) << "out of order";
  trace::Frame short_row = *source.frame(0);
  short_row.data[0].bytes.pop_back();
  EXPECT_THROW(writer.on_frame(std::make_shared<const trace::Frame>(short_row)), std::logic_error);
  trace::Frame liar = *source.frame(0);
  liar.present.add(source.schema()->find("needle")->id);
  EXPECT_THROW(writer.on_frame(std::make_shared<const trace::Frame>(liar)), std::logic_error);
  trace::Frame event;
  EXPECT_THROW(trace::add_texts(event, source.schema()->find("events")->id,
                                std::vector<std::string>{std::string(1025, 'x')}),
               std::logic_error);
  EXPECT_TRUE(event.data.empty()) << "nothing was cut";
  trace::Frame half_letter;
  trace::add_values<std::uint8_t>(half_letter, source.schema()->find("events")->id,
                                  std::vector<std::uint8_t>(1024, 0xc3));
  EXPECT_THROW(writer.on_frame(std::make_shared<const trace::Frame>(half_letter)), std::logic_error);
  writer.on_frame(source.frame(0));
  writer.on_end({trace::RunStatus::Finished, ""});
  EXPECT_EQ(writer.wait_closed().frames_committed, 1u);
}

TEST(Recording, AnEmptyRunIsAWholeRecording) {
  const TempFolder folder;
  const SyntheticSource source = spark(0);
  testing::record_run(source, writer_options(folder.file("run.h5")));
  Collector collector;
  const auto client = record::open_recording(folder.file("run.h5"), collector);
  collector.wait_end();
  EXPECT_EQ(collector.frames.size(), 0u);
  EXPECT_EQ(collector.end.status, trace::RunStatus::Finished);
}

}  // namespace
}  // namespace sparsescope

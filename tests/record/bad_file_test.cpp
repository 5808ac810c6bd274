// Files that are no recordings, or no whole ones: one sentence, the right code, never a crash, a hang or a
// wrong value.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <regex>

#include "engine/record/h5.h"
#include "engine/trace/text.h"
#include "tests/record/record_support.h"

namespace sparsescope {
namespace {

using testing::Collector;
using testing::Refusal;
using testing::refusal_of;
using testing::TempFolder;
using testing::writer_options;
using trace::SyntheticOptions;
using trace::SyntheticSource;

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

SyntheticSource every_dtype(std::uint64_t frames = 40) {
  return SyntheticSource({SyntheticOptions::Kind::EveryDtype, frames, 11});
}

// A closed recording, changed with the library's own means.
class Tampered {
 public:
  explicit Tampered(const std::string& path) : path_(path) {
    testing::record_run(every_dtype(10), writer_options(path));
    const record::h5::Lock lock;
    file_ = record::h5::opened(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), "opening to tamper");
  }
  hid_t file() const { return file_.get(); }
  Refusal refusal() {
    file_.reset();
    return refusal_of(path_);
  }

 private:
  std::string path_;
  record::h5::Handle file_;
};

// What a reader got out of a damaged file is never wrong: loaded bytes and whole rows equal what was
// recorded.
enum class Loaded { Exact, Unchecked };
void expect_nothing_wrong(const std::string& path, const SyntheticSource& source, Loaded loaded,
                          const std::string& what) {
  const auto begin = std::chrono::steady_clock::now();
  Collector collector;
  try {
    const auto client = record::open_recording(path, collector);
    collector.wait_end();
    EXPECT_TRUE(collector.breaches.empty()) << what;
    EXPECT_LE(collector.frames.size(), source.frames()) << what;
    for (const trace::FramePtr& frame : collector.frames) {
      const trace::FramePtr sent = source.frame(frame->row);
      // A row that was cut off is not to be taken for zeros; one flipped byte in a light channel shows only
      // in a whole row.
      for (const trace::ChannelData& part : frame->data) {
        EXPECT_TRUE(loaded == Loaded::Unchecked || part.bytes == sent->find(part.channel)->bytes)
            << what << ", row " << frame->row;
      }
      const testing::Answers answers =
          testing::read_rows(*client, frame->row, frame->row, testing::all_channels(*source.schema()));
      for (const trace::FramePtr& row : answers.rows) {
        EXPECT_TRUE(testing::same_frame(*row, *sent)) << what << ", row " << frame->row;
      }
    }
    if (collector.frames.size() < source.frames()) {
      EXPECT_NE(collector.end.status, trace::RunStatus::Finished) << what;
      EXPECT_FALSE(collector.end.message.empty()) << what;
    }
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ExitCode::Failed) << what << ": " << error.what();
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << what;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5)) << what;
}

TEST(BadFile, WhatIsNoRecordingIsRefusedInOneSentence) {
  const TempFolder folder;
  write_bytes(folder.file("empty"), "");
  write_bytes(folder.file("text"), "step,loss\n1,2.5\n");
  write_bytes(folder.file("head"), std::string("\x89HDF\r\n\x1a\n", 8));
  write_bytes(folder.file("noise"),
              std::string("\x89HDF\r\n\x1a\n\x03\x08\x08\x00", 12) + std::string(4000, '\x5a'));
  std::filesystem::create_directory(folder.file("folder"));
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  const std::pair<const char*, const char*> cases[] = {{"missing", "there is no such file"},
                                                       {"empty", "empty"},
                                                       {"text", "not a Sparsescope recording"},
                                                       {"head", "not a Sparsescope recording"},
                                                       {"noise", "cannot be read"},
                                                       {"folder", "folder"},
                                                       {"pipe", "not an ordinary file"}};
  for (const auto& [name, word] : cases) {
    const Refusal refusal = refusal_of(folder.file(name));
    EXPECT_EQ(refusal.code, ExitCode::Refused) << name;
    EXPECT_NE(refusal.sentence.find(word), std::string::npos) << refusal.sentence;
    EXPECT_NE(refusal.sentence.find(folder.file(name)), std::string::npos) << refusal.sentence;
    EXPECT_EQ(refusal.sentence.find('\n'), std::string::npos) << refusal.sentence;
  }
}

TEST(BadFile, TheStateOfAFileIsReadWithoutTheLibrary) {
  const TempFolder folder;
  testing::record_run(every_dtype(3), writer_options(folder.file("run.h5")));
  std::string bytes = read_bytes(folder.file("run.h5"));
  const auto state_with = [&](char flags) {
    bytes[11] = flags;
    write_bytes(folder.file("changed.h5"), bytes);
    return record::file_state(folder.file("changed.h5"));
  };
  EXPECT_EQ(state_with(0), record::FileState::Closed);
  EXPECT_EQ(state_with(5), record::FileState::Unclosed);
  EXPECT_EQ(state_with(1), record::FileState::NeverStarted);
  EXPECT_EQ(record::file_state(folder.file("none")), record::FileState::Missing);
  EXPECT_EQ(record::file_state(folder.path()), record::FileState::Unreadable);
  EXPECT_EQ(refusal_of(folder.file("changed.h5")).code, ExitCode::Refused);
}

TEST(BadFile, AnHdf5FileOfAnotherProgramIsRefused) {
  const TempFolder folder;
  {
    const record::h5::Lock lock;
    const auto file = record::h5::opened(
        H5Fcreate(folder.file("other.h5").c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT), "creating");
    const auto group = record::h5::opened(
        H5Gcreate2(file.get(), "weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "creating");
  }
  const Refusal refusal = refusal_of(folder.file("other.h5"));
  EXPECT_EQ(refusal.code, ExitCode::Refused);
  EXPECT_NE(refusal.sentence.find("another program"), std::string::npos) << refusal.sentence;
}

TEST(BadFile, ANewerMajorVersionIsNamed) {
  const TempFolder folder;
  testing::record_run(every_dtype(3), writer_options(folder.file("run.h5")));
  std::string bytes = read_bytes(folder.file("run.h5"));
  const std::string now = "\"version\":[1,0]";
  const std::size_t at = bytes.find(now);
  ASSERT_NE(at, std::string::npos);
  write_bytes(folder.file("newer.h5"), bytes.replace(at, now.size(), "\"version\":[2,7]"));
  const Refusal refusal = refusal_of(folder.file("newer.h5"));
  EXPECT_EQ(refusal.code, ExitCode::NewerVersion);
  EXPECT_NE(refusal.sentence.find("format 2.7"), std::string::npos) << refusal.sentence;
}

TEST(BadFile, ACopyOfALiveRecordingShowsItsCommittedFrames) {
  const TempFolder folder;
  const SyntheticSource source = every_dtype();
  record::WriterOptions options = writer_options(folder.file("run.h5"));
  options.commit_nanos = 1;
  record::RecordingWriter writer(options);
  writer.on_schema(source.schema());
  for (std::uint64_t row = 0; row < 25; ++row) writer.on_frame(source.frame(row));
  while (writer.stats().frames_committed < 25) std::this_thread::yield();
  std::filesystem::copy_file(folder.file("run.h5"), folder.file("copy.h5"));
  EXPECT_EQ(testing::difference(folder.file("copy.h5"), source, 25), "");
  // A repair tool cuts the file at the end that its superblock names: each commit brings that up to date.
  std::uint64_t end_address = 0;
  std::memcpy(&end_address, read_bytes(folder.file("copy.h5")).data() + 28, sizeof end_address);
  EXPECT_EQ(end_address, std::filesystem::file_size(folder.file("copy.h5")));
  Collector collector;
  const auto client = record::open_recording(folder.file("copy.h5"), collector);
  collector.wait_end();
  EXPECT_EQ(collector.frames.size(), 25u);
  EXPECT_EQ(collector.end.status, trace::RunStatus::Unclosed);
}

TEST(BadFile, TheRecordingThatThisProgramWritesIsNotOpenedASecondTime) {
  const TempFolder folder;
  record::RecordingWriter writer(writer_options(folder.file("run.h5")));
  writer.on_schema(every_dtype().schema());
  const Refusal refusal = refusal_of(folder.file("run.h5"));
  EXPECT_EQ(refusal.code, ExitCode::Refused);
  EXPECT_NE(refusal.sentence.find("recording into it right now"), std::string::npos) << refusal.sentence;
}

TEST(BadFile, ATruncatedRecordingShowsAPrefixOrIsRefused) {
  const TempFolder folder;
  const SyntheticSource source = every_dtype();
  testing::record_run(source, writer_options(folder.file("run.h5")));
  const std::string bytes = read_bytes(folder.file("run.h5"));
  int shown = 0;
  for (int percent = 0; percent < 100; percent += 3) {
    write_bytes(folder.file("cut.h5"),
                bytes.substr(0, bytes.size() * static_cast<std::size_t>(percent) / 100));
    expect_nothing_wrong(folder.file("cut.h5"), source, Loaded::Exact, std::to_string(percent) + " percent");
    try {
      Collector collector;
      const auto client = record::open_recording(folder.file("cut.h5"), collector);
      collector.wait_end();
      EXPECT_EQ(collector.end.status, trace::RunStatus::Failed) << percent;
      EXPECT_NE(collector.end.message.find("lost its end"), std::string::npos) << collector.end.message;
      EXPECT_EQ(client->damage(), ExitCode::DamagedTail) << percent;
      if (!collector.frames.empty()) ++shown;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(shown, 5);
}

TEST(BadFile, AFlippedByteNeverBecomesAWrongValue) {
  const TempFolder folder;
  const SyntheticSource source = every_dtype(24);
  testing::record_run(source, writer_options(folder.file("run.h5")));
  const std::string bytes = read_bytes(folder.file("run.h5"));
  std::mt19937_64 random(5);
  for (int round = 0; round < 80; ++round) {
    std::string changed = bytes;
    // Half of them in the first 64 KiB, where the metadata is dense.
    const std::size_t at =
        12 +
        random() % ((round % 2 == 0 ? std::min<std::size_t>(bytes.size(), 64 << 10) : bytes.size()) - 12);
    changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
    write_bytes(folder.file("flip.h5"), changed);
    expect_nothing_wrong(folder.file("flip.h5"), source, Loaded::Unchecked, "byte " + std::to_string(at));
  }
}

TEST(BadFile, DamageBeforeGoodFramesIsCalledDamageInTheMiddle) {
  const TempFolder folder;
  const SyntheticSource source({SyntheticOptions::Kind::Spark, 1500, 2});
  testing::record_run(source, writer_options(folder.file("run.h5")));
  std::string bytes = read_bytes(folder.file("run.h5"));
  const std::string wanted(reinterpret_cast<const char*>(source.frame(700)->find(0)->bytes.data()), 112);
  const std::size_t at = bytes.find(wanted);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 0x10);
  write_bytes(folder.file("middle.h5"), bytes);
  Collector collector;
  const auto client = record::open_recording(folder.file("middle.h5"), collector);
  collector.wait_end();
  EXPECT_EQ(collector.frames.size(), 700u);
  EXPECT_EQ(collector.end.status, trace::RunStatus::Failed);
  // The sentence says which step, which bytes of the file, and from where on nothing is shown.
  const std::string& words = collector.end.message;
  const std::string step = std::to_string(source.frame(700)->step);
  EXPECT_NE(words.find("checksum of frame 700, step " + step + ", does not match"), std::string::npos)
      << words;
  EXPECT_NE(words.find(", from step " + step + " on, are damaged"), std::string::npos) << words;
  std::smatch place;
  ASSERT_TRUE(std::regex_search(words, place, std::regex("bytes ([0-9,]+) to ([0-9,]+) of the file")))
      << words;
  const auto number = [](std::string text) {
    std::erase(text, ',');
    return std::stoull(text);
  };
  EXPECT_LE(number(place[1]), at + 3) << words;
  EXPECT_GE(number(place[2]), at + 3) << words;
  EXPECT_EQ(client->damage(), ExitCode::DamagedMiddle);
}

TEST(BadFile, LinksThatLeadElsewhereAreRefused) {
  const TempFolder folder;
  for (const char* place : {"/channels/noise/values", "/channels/noise", "/index", "/channels"}) {
    const std::string name = folder.file(std::string("soft") + std::to_string(std::string(place).size()));
    Tampered file(name);
    {
      const record::h5::Lock lock;
      ASSERT_GE(H5Lmove(file.file(), place, file.file(), "/moved", H5P_DEFAULT, H5P_DEFAULT), 0);
      ASSERT_GE(H5Lcreate_soft("/moved", file.file(), place, H5P_DEFAULT, H5P_DEFAULT), 0);
    }
    EXPECT_NE(file.refusal().sentence.find("is a link to somewhere else"), std::string::npos) << place;
  }
  Tampered outside(folder.file("outside"));
  {
    const record::h5::Lock lock;
    ASSERT_GE(H5Ldelete(outside.file(), "/channels/noise/values", H5P_DEFAULT), 0);
    ASSERT_GE(H5Lcreate_external("/etc/passwd", "/x", outside.file(), "/channels/noise/values", H5P_DEFAULT,
                                 H5P_DEFAULT),
              0);
  }
  EXPECT_EQ(outside.refusal().code, ExitCode::Refused);
}

struct Impostor {
  const char* what;
  hid_t type;
  std::vector<hsize_t> dims;
  bool is_chunked, has_checksum;
  const char* word;
};
TEST(BadFile, DatasetsThatAreNotTheDeclaredOnesAreRefused) {
  const TempFolder folder;
  (void)refusal_of(folder.file("starts-the-library"));
  const std::vector<Impostor> impostors = {
      {"contiguous", H5T_STD_U8LE, {10, 20000}, false, false, "not stored in chunks"},
      {"big-endian", H5T_STD_U16BE, {10, 20000}, true, false, "another type"},
      {"other shape", H5T_STD_U8LE, {10, 19999}, true, false, "another shape"},
      {"other rank", H5T_STD_U8LE, {10}, true, false, "another shape"},
      {"fletcher32", H5T_STD_U8LE, {10, 20000}, true, true, "other filters"},
  };
  for (const Impostor& impostor : impostors) {
    Tampered file(folder.file(impostor.what));
    {
      const record::h5::Lock lock;
      ASSERT_GE(H5Ldelete(file.file(), "/channels/noise/values", H5P_DEFAULT), 0);
      const auto plan = record::h5::opened(H5Pcreate(H5P_DATASET_CREATE), "plan");
      std::vector<hsize_t> chunk = impostor.dims, limit = impostor.dims;
      chunk[0] = 1;
      if (impostor.is_chunked) limit[0] = H5S_UNLIMITED;
      if (impostor.is_chunked) H5Pset_chunk(plan.get(), static_cast<int>(chunk.size()), chunk.data());
      if (impostor.has_checksum) H5Pset_fletcher32(plan.get());
      const auto space = record::h5::opened(
          H5Screate_simple(static_cast<int>(chunk.size()), impostor.dims.data(), limit.data()), "space");
      record::h5::opened(H5Dcreate2(file.file(), "/channels/noise/values", impostor.type, space.get(),
                                    H5P_DEFAULT, plan.get(), H5P_DEFAULT),
                         "set");
    }
    const Refusal refusal = file.refusal();
    EXPECT_NE(refusal.sentence.find(impostor.word), std::string::npos)
        << impostor.what << ": " << refusal.sentence;
    EXPECT_EQ(refusal.code, ExitCode::Refused);
  }
}

}  // namespace
}  // namespace sparsescope

// Other programs read a closed recording without a plug-in: h5py of the distribution, h5dump.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "tests/record/record_support.h"

namespace sparsescope {
namespace {

using testing::TempFolder;
using trace::SyntheticOptions;
using trace::SyntheticSource;

struct Ran {
  int status = -1;
  std::string output;  // both streams
};
Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer;
  for (std::size_t count; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    ran.output.append(buffer.data(), count);
  ran.status = ::pclose(pipe);
  return ran;
}

std::string expected_bytes(const SyntheticSource& source, std::uint32_t channel) {
  std::string bytes;
  for (std::uint64_t row = 0; row < source.frames(); ++row) {
    const trace::FramePtr frame = source.frame(row);
    if (const trace::ChannelData* part = frame->find(channel))
      bytes.append(reinterpret_cast<const char*>(part->bytes.data()), part->bytes.size());
  }
  return bytes;
}

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void compare_with_h5py(const SyntheticSource& source) {
  if (run("/usr/bin/python3 -c 'import h5py'").status != 0)
    GTEST_SKIP() << "h5py of the distribution (python3-h5py) is not installed";
  const TempFolder folder;
  testing::record_run(source, testing::writer_options(folder.file("run.h5")));
  std::filesystem::create_directory(folder.file("expected"));
  for (const trace::Channel& channel : source.schema()->channels) {
    std::ofstream(folder.file("expected/" + channel.name), std::ios::binary)
        << expected_bytes(source, channel.id);
  }
  const Ran ran = run("/usr/bin/python3 " SPARSESCOPE_SOURCE_DIR "/tests/record/read_with_h5py.py " +
                      folder.file("run.h5") + " " + folder.file("expected"));
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(ran.output.find(std::to_string(source.schema()->channels.size()) + " channels"), 0u)
      << ran.output;
}

TEST(Interop, H5pyReadsEveryDtype) {
  compare_with_h5py(SyntheticSource({SyntheticOptions::Kind::EveryDtype, 40, 21}));
}

TEST(Interop, H5pyReadsASparkRun) {
  compare_with_h5py(SyntheticSource({SyntheticOptions::Kind::Spark, 120, 22}));
}

TEST(Interop, H5dumpReadsEveryDataset) {
  if (run("h5dump --version").status != 0) GTEST_SKIP() << "h5dump (hdf5-tools) is not installed";
  const TempFolder folder;
  const SyntheticSource source({SyntheticOptions::Kind::EveryDtype, 24, 23});
  testing::record_run(source, testing::writer_options(folder.file("run.h5")));
  const Ran heads = run("h5dump -H " + folder.file("run.h5"));
  EXPECT_EQ(heads.status, 0) << heads.output;
  for (const trace::Channel& channel : source.schema()->channels) {
    EXPECT_NE(heads.output.find("GROUP \"" + channel.name + "\""), std::string::npos) << channel.name;
    const std::string out = folder.file("out.bin");
    const Ran dumped = run("h5dump -d /channels/" + channel.name + "/values -b FILE -o " + out + " " +
                           folder.file("run.h5"));
    EXPECT_EQ(dumped.status, 0) << channel.name << ": " << dumped.output;
    EXPECT_EQ(dumped.output.find("unable to"), std::string::npos) << channel.name << ": " << dumped.output;
    const bool has_padding =
        channel.kind == trace::ChannelKind::Ragged && channel.storage == trace::StorageClass::Once;
    if (!has_padding && channel.dtype != trace::DType::Record) {
      EXPECT_TRUE(read_bytes(out) == expected_bytes(source, channel.id)) << channel.name;
    }
  }
  const Ran events = run("h5dump -d /channels/ragged_packed_text/values " + folder.file("run.h5"));
  EXPECT_NE(events.output.find("\"text\":\""), std::string::npos) << events.output.substr(0, 500);
}

}  // namespace
}  // namespace sparsescope

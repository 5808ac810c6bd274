// The program as a command: pictures of a recording, and every refusal in one sentence with its exit code.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/record/recording_writer.h"
#include "engine/trace/synthetic_source.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

namespace fs = std::filesystem;

// Settings and data go to a folder of the test; no display is inherited.
ProcessResult sparsescope(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SPARSESCOPE_PROGRAM);
  ProcessOptions options;
  options.environment = {"DISPLAY=", "WAYLAND_DISPLAY=", "XDG_DATA_HOME=" + folder.path(),
                         "XDG_CONFIG_HOME=" + folder.path()};
  return run_process(arguments, options);
}

std::string make_recording(const TemporaryFolder& folder) {
  record::WriterOptions options;
  options.path = folder / "run.h5";
  options.free_bytes_at_start = 1 << 20;
  record::RecordingWriter writer(options);
  trace::SyntheticOptions synthetic;
  synthetic.frames = 200;
  trace::SyntheticSource(synthetic).run(writer);
  EXPECT_EQ(writer.wait_closed().failure, "");
  return options.path;
}

bool is_png(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char head[8] = {};
  file.read(head, 8);
  return std::string(head, 8) == std::string("\x89PNG\r\n\x1a\n", 8) && fs::file_size(path) > 5000;
}

void expect_one_sentence(const ProcessResult& result, int exit_code, const std::string& contains) {
  EXPECT_EQ(result.exit_code, exit_code) << result.errors;
  EXPECT_NE(result.errors.find(contains), std::string::npos) << result.errors;
  EXPECT_EQ(result.errors.rfind("sparsescope: ", 0), 0u) << result.errors;
  EXPECT_EQ(std::count(result.errors.begin(), result.errors.end(), '\n'), 1) << result.errors;
}

TEST(Program, DrawsTheWindowAndEachViewOfARecording) {
  TemporaryFolder folder;
  const std::string recording = make_recording(folder);
  const ProcessResult result = sparsescope(folder, {recording, "--offscreen", "800x600", "--view", "all",
                                                    "--step", "50", "--screenshot", folder / "shot.png"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* name : {"shot.png", "shot.drift.png", "shot.density.png", "shot.loss.png"}) {
    EXPECT_TRUE(is_png(folder / name)) << name;
    EXPECT_NE(result.output.find(name), std::string::npos);
  }
}

TEST(Program, ThePictureDependsOnThemeScaleAndStepAlone) {
  TemporaryFolder folder;
  const std::string recording = make_recording(folder);
  const auto bytes = [&](std::vector<std::string> more) {
    const std::string path = folder / "shot.png";
    std::vector<std::string> arguments = {recording, "--offscreen", "640x480", "--screenshot", path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = sparsescope(folder, arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string once = bytes({});
  EXPECT_EQ(once, bytes({}));
  EXPECT_NE(once, bytes({"--theme", "light"}));
  EXPECT_NE(once, bytes({"--step", "20"}));
}

TEST(Program, DoesCommandsBeforeThePicture) {
  TemporaryFolder folder;
  const std::string recording = make_recording(folder);
  const auto bytes = [&](const std::vector<std::string>& commands) {
    const std::string path = folder / "shot.png";
    std::vector<std::string> arguments = {recording, "--offscreen", "640x480", "--screenshot", path};
    for (const std::string& command : commands) {
      arguments.push_back("--command");
      arguments.push_back(command);
    }
    const ProcessResult result = sparsescope(folder, arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string plain = bytes({});
  EXPECT_NE(plain, bytes({"layout.stock.talk"}));
  EXPECT_NE(plain, bytes({"window.keys"}));
  EXPECT_NE(bytes({"window.scale=75"}), bytes({"window.scale=75", "window.keys"}));
  expect_one_sentence(
      sparsescope(folder, {recording, "--offscreen", "640x480", "--command", "window.nonsense"}), 2,
      "window.nonsense");
}

TEST(Program, SaysWhyAFileCannotBeOpened) {
  TemporaryFolder folder;
  expect_one_sentence(sparsescope(folder, {folder / "missing.h5", "--offscreen", "640x480"}), 3,
                      "there is no such file");
  const std::string text = folder.write("notes.h5", "no recording at all, but longer than a signature");
  expect_one_sentence(sparsescope(folder, {text, "--offscreen", "640x480"}), 3, "notes.h5");
  const std::string empty = folder.write("empty.h5", "");
  expect_one_sentence(sparsescope(folder, {empty, "--offscreen", "640x480"}), 3, "empty.h5");
}

TEST(Program, SaysWhyThereIsNoWindow) {
  TemporaryFolder folder;
  expect_one_sentence(sparsescope(folder, {}), 1, "no display");
  expect_one_sentence(sparsescope(folder, {make_recording(folder)}), 1, "--offscreen");
}

TEST(Program, RefusesWhatMakesNoSense) {
  TemporaryFolder folder;
  const std::string recording = make_recording(folder);
  expect_one_sentence(sparsescope(folder, {"--nonsense"}), 2, "--nonsense");
  expect_one_sentence(sparsescope(folder, {recording, "--offscreen", "wide"}), 2, "1920x1080");
  expect_one_sentence(sparsescope(folder, {recording, "--offscreen", "10x10"}), 2, "320x240");
  expect_one_sentence(sparsescope(folder, {recording, "--offscreen", "640x480", "--view", "nope"}), 2,
                      "drift, density, loss");
  expect_one_sentence(sparsescope(folder, {recording, "--offscreen", "640x480", "--step", "5000"}), 2,
                      "steps 0 to");
  expect_one_sentence(sparsescope(folder, {recording, "--view", "loss"}), 2, "--offscreen");
  expect_one_sentence(sparsescope(folder, {recording, "--command", "window.keys"}), 2, "--offscreen");
  expect_one_sentence(sparsescope(folder, {recording, "--offscreen", "640x480", "--theme", "pink"}), 2,
                      "theme");
  expect_one_sentence(sparsescope(folder, {recording, "--offscreen", "640x480", "--screenshot",
                                           folder / "no/such/folder.png"}),
                      1, "could not be written");
}

TEST(Program, HelpNamesEveryOption) {
  TemporaryFolder folder;
  const ProcessResult result = sparsescope(folder, {"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* option : {"FILE", "--offscreen", "--view", "--step", "--theme", "--scale", "--screenshot",
                             "--command", "drift", "Exit codes"}) {
    EXPECT_NE(result.output.find(option), std::string::npos) << option;
  }
}

TEST(Program, DrawsASequenceOfPicturesAndNamesTheLineForAFilm) {
  TemporaryFolder folder;
  const std::string recording = make_recording(folder);
  const std::vector<std::string> common = {recording, "--offscreen", "640x480", "--view", "drift"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    return sparsescope(folder, more);
  };
  const ProcessResult result = with({"--steps", "10:50:20", "--frames", folder / "film"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* name : {"frame_000000.png", "frame_000001.png", "frame_000002.png"})
    EXPECT_TRUE(is_png(folder / ("film/" + std::string(name)))) << name;
  EXPECT_EQ(result.output.rfind("ffmpeg ", 0), 0u) << result.output;
  expect_one_sentence(with({"--own-colors"}), 2, "--own-colors");
  expect_one_sentence(with({"--steps", "10:50:20"}), 2, "--frames");
  expect_one_sentence(with({"--steps", "50:10:1", "--frames", folder / "film"}), 2, "FIRST:LAST:EVERY");
  expect_one_sentence(with({"--steps", "0:9999999:1", "--frames", folder / "film"}), 2,
                      "the recording has steps");
}

}  // namespace
}  // namespace sparsescope::test

// Settings: one table behind the dialog, the file and the palette; and the file's fate.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/desktop_session.h"
#include "app/desktop_settings.h"
#include "tests/app/bench.h"
#include "tests/support/process.h"
#include "viz/widgets/color_vision.h"

namespace sparsescope::test {
namespace {

TEST(Settings, AreKeptWhenTheyChangeAndComeBackAtTheNextStart) {
  Bench bench;
  bench.draw(5);
  EXPECT_EQ(bench.host.settings_kept, 0) << "nothing was changed";
  bench.run("setting.appearance.theme", "light");
  bench.run("setting.appearance.scale", "125");
  bench.run("setting.time.smoothing_window", "20");
  EXPECT_GE(bench.host.settings_kept, 3);
  EXPECT_NE(bench.host.settings.find("// "), std::string::npos) << "it explains itself";
  bench.reset();
  EXPECT_EQ(bench.state().appearance.theme, Theme::Light);
  EXPECT_FLOAT_EQ(bench.state().appearance.scale, 1.25f);
  EXPECT_EQ(bench.state().settings.find("time.smoothing_window")->get(), "20");
}

TEST(Settings, EachHasASentenceACommandAStandardValueAndAReset) {
  Bench bench;
  for (const viz::Setting& setting : bench.state().settings.all()) {
    EXPECT_GT(setting.text.size(), 10u) << setting.id;
    EXPECT_NE(bench.commands().find("setting." + setting.id), nullptr) << setting.id;
    EXPECT_EQ(bench.state().settings.set(setting.id, setting.standard), "") << setting.id;
    EXPECT_TRUE(setting.is_standard()) << setting.id << " is " << setting.get();
  }
  bench.run("setting.appearance.color_vision", "protanopia");
  EXPECT_EQ(color_vision(), ColorVision::Protanopia);
  bench.run("setting.reset.appearance.color_vision");
  EXPECT_EQ(color_vision(), ColorVision::Normal);
}

TEST(Settings, OfRecordingAreUndoneLikeTheLook) {
  Bench bench;
  bench.draw(20);
  bench.run("setting.recording.free_space", "2048");
  bench.run("setting.appearance.scale", "120");
  for (int i = 0; i < 2; ++i) bench.run("window.undo");
  EXPECT_EQ(bench.state().settings.find("recording.free_space")->get(), "1024");
  EXPECT_EQ(bench.state().settings.find("appearance.scale")->get(), "100");
  bench.run("window.redo");
  EXPECT_EQ(bench.state().settings.find("recording.free_space")->get(), "2048");
}

TEST(Settings, RefuseWhatWillNotDoInWords) {
  Bench bench;
  EXPECT_EQ(bench.commands().run("setting.appearance.scale", "900"),
            "Interface scale goes from 50 % to 300 %");
  EXPECT_NE(bench.commands().run("setting.appearance.theme", "neon").find("dark"), std::string::npos);
  EXPECT_NE(bench.commands().run("setting.recording.folder", "/nowhere/at all"), "");
}

TEST(Settings, OfAnotherKindInTheFileAreNamedAndLeftAtTheirValue) {
  Bench bench;
  bench.host.settings =
      R"({"appearance.scale": 9000, "appearance.theme": 7, "time.smoothing": false, "unknown": 1})";
  bench.reset();
  EXPECT_FLOAT_EQ(bench.state().appearance.scale, 1);
  EXPECT_EQ(bench.state().settings.find("time.smoothing")->get(), "off");
  EXPECT_EQ(bench.state().notes.size(), 2u);
}

TEST(Settings, ThatCannotBeReadAreKeptAsideAndNamed) {
  TemporaryFolder folder;
  const std::string path = folder.write("settings.json", "{ broken");
  std::string note;
  EXPECT_EQ(app::load_settings(folder / "", note), "");
  EXPECT_NE(note.find("settings.json.unreadable"), std::string::npos) << note;
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(path + ".unreadable"));
}

TEST(Settings, OfEveryFileAreKeptAsideUnderANameThatIsFree) {
  TemporaryFolder folder;
  for (int i = 1; i <= 3; ++i) {
    folder.write("window.json", "broken " + std::to_string(i));
    std::string note;
    EXPECT_EQ(app::load_memory(folder / "", note), "");
    EXPECT_NE(note, "");
  }
  std::string kept;
  for (const char* name :
       {"window.json.unreadable", "window.json.unreadable-2", "window.json.unreadable-3"}) {
    std::ifstream file(folder / name);
    kept += std::string(std::istreambuf_iterator<char>(file), {}) + ";";
  }
  EXPECT_EQ(kept, "broken 1;broken 2;broken 3;") << "nothing that a person had is lost";
  std::string note;
  folder.write("window.json", "[1]");
  EXPECT_EQ(app::load_memory(folder / "", note), "") << "JSON of another kind is none of ours";
  EXPECT_EQ(app::save_memory(folder / "", R"({"recent_commands": []})"), "");
  note.clear();
  EXPECT_NE(app::load_memory(folder / "", note), "");
  EXPECT_EQ(note, "");
  EXPECT_NE(app::save_memory(folder / "no such folder", "{}"), "");
}

TEST(Settings, WithCommentsAreReadBack) {
  TemporaryFolder folder;
  Bench bench;
  const std::string text = bench.state().settings.file_text();
  EXPECT_EQ(app::save_settings(folder / "", text), "");
  std::string note;
  EXPECT_EQ(app::load_settings(folder / "", note), text);
  EXPECT_EQ(note, "");
  EXPECT_TRUE(bench.state().settings.read(text).empty());
  EXPECT_EQ(app::recording_settings(text).free_mib, 1024u);
}

TEST(Settings, AreIgnoredAndLeftAloneInSafeMode) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder / "sparsescope");
  const std::string path = folder.write("sparsescope/settings.json", R"({"appearance.theme": "light"})");
  const char* before = std::getenv("XDG_CONFIG_HOME");
  const std::string kept = before != nullptr ? before : "";
  setenv("XDG_CONFIG_HOME", (folder / "").c_str(), 1);
  viz::Timeline timeline;
  app::DesktopOptions options;
  EXPECT_EQ(app::DesktopSession(options, timeline, app::DesktopSession::Remember::Yes).settings_text(),
            R"({"appearance.theme": "light"})");
  options.is_safe_mode = true;
  app::DesktopSession safe(options, timeline, app::DesktopSession::Remember::Yes);
  EXPECT_EQ(safe.settings_text(), "");
  EXPECT_FALSE(safe.settings_note().empty());
  EXPECT_EQ(safe.keep_settings("{}"), "");
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), R"({"appearance.theme": "light"})");
  before != nullptr ? setenv("XDG_CONFIG_HOME", kept.c_str(), 1) : unsetenv("XDG_CONFIG_HOME");
}

TEST(Settings, OpenByKeySearchAndCloseByEscape) {
  Bench bench;
  bench.press(viz::chord_from_text("Ctrl+,"));
  bench.draw(4);
  EXPECT_TRUE(bench.state().settings_dialog.is_open);
  EXPECT_EQ(bench.state().settings.search("smooth").size(), 2u);
  EXPECT_TRUE(bench.state().settings.search("xyzzy").empty());
  bench.press(viz::chord_from_text("Escape"));
  bench.draw(2);
  EXPECT_FALSE(bench.state().settings_dialog.is_open);
}

}  // namespace
}  // namespace sparsescope::test

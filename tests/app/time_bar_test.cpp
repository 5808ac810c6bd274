// The timeline under a person's hands: minimap, tracks, bookmarks and notes.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/sidecar.h"
#include "tests/app/journey.h"
#include "tests/app/scripted_host.h"
#include "tests/support/process.h"
#include "viz/frame/bookmarks.h"

namespace sparsescope::test {
namespace {

namespace fs = std::filesystem;

// A run of 500 steps at rest, and the window before it.
struct Desk {
  viz::Timeline timeline;
  ScriptedHost host{timeline};
  std::unique_ptr<Journey> journey;

  explicit Desk(const std::string& recording = "") {
    host.recording = recording;
    host.start_training("spark-collapse");
    host.scripted->advance(500);
    journey = std::make_unique<Journey>(host, timeline);
  }
  const viz::Annotations& annotations() {
    return journey->frame().state().book.by_run.at(timeline.runs()[0]->uuid()).annotations;
  }
};

ImRect box_of(ImGuiTestContext* ctx, const char* item) {
  ctx->SetRef("//time");
  return ctx->ItemInfo(item).RectFull;
}

void drag(ImGuiTestContext* ctx, ImVec2 from, ImVec2 to) {
  ctx->MouseMoveToPos(from);
  ctx->MouseDown(0);
  ctx->MouseMoveToPos(to);
  ctx->Yield(2);
  ctx->MouseUp(0);
  ctx->Yield(2);
}

// The minimap's plot is its item less the room for handles on either side.
float minimap_x(const ImRect& box, float share) {
  return box.Min.x + px(12) + (box.GetWidth() - px(24)) * share;
}

TEST(TimeBar, TheEndsOfTheMinimapsWindowAreDraggedToShowAPart) {
  Desk desk;
  const std::string trouble = desk.journey->run("resize", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    const ImRect box = box_of(ctx, "minimap");
    const float y = box.GetCenter().y;
    IM_CHECK(box.GetHeight() >= px(24));
    const viz::Range whole = desk.timeline.whole();
    drag(ctx, {minimap_x(box, 0), y}, {minimap_x(box, 0.25f), y});
    IM_CHECK(desk.timeline.window().chosen().has_value());
    const viz::Range first = *desk.timeline.window().chosen();
    IM_CHECK(std::abs(first.minimum - whole.width() * 0.25) < whole.width() * 0.01);
    IM_CHECK_EQ(first.maximum, whole.maximum);
    drag(ctx, {minimap_x(box, 1), y}, {minimap_x(box, 0.5f), y});
    const viz::Range second = *desk.timeline.window().chosen();
    IM_CHECK_EQ(second.minimum, first.minimum);
    IM_CHECK(std::abs(second.maximum - whole.width() * 0.5) < whole.width() * 0.01);

    // Its body moves it and keeps its width.
    const std::uint64_t cursor = desk.timeline.cursor().step();
    drag(ctx, {minimap_x(box, 0.4f), y}, {minimap_x(box, 0.6f), y});
    const viz::Range moved = *desk.timeline.window().chosen();
    IM_CHECK(std::abs(moved.width() - second.width()) < 1e-6);
    IM_CHECK(moved.minimum > second.minimum);
    IM_CHECK_EQ(desk.timeline.cursor().step(), cursor);

    // A click on it goes there, and dragging outside of it moves the cursor.
    ctx->MouseMoveToPos({minimap_x(box, 0.05f), y});
    ctx->MouseClick(0);
    ctx->Yield(2);
    IM_CHECK(!desk.timeline.cursor().is_following());
    IM_CHECK(std::abs(static_cast<double>(desk.timeline.cursor().step()) - whole.width() * 0.05) <
             whole.width() * 0.01);
    IM_CHECK(*desk.timeline.window().chosen() == moved);
  });
  EXPECT_EQ(trouble, "");
}

TEST(TimeBar, ItsTargetsAreAtLeast24PixelsAtEveryScale) {
  Desk desk;
  for (const float scale : {1.f, 2.f}) {
    desk.journey->frame().set_monitor_scale(scale);
    desk.journey->frames(4);
    const std::string trouble = desk.journey->run("targets", [&](ImGuiTestContext* ctx) {
      for (const char* item : {"minimap", "###axis", "###live", "###speed"}) {
        const ImRect box = box_of(ctx, item);
        IM_CHECK(box.GetHeight() >= 24 * scale);
        IM_CHECK(box.GetWidth() >= 24 * scale);
      }
      // Eleven pixels beside its middle a handle still answers.
      const ImRect box = box_of(ctx, "minimap");
      desk.timeline.window().fit();
      drag(ctx, {minimap_x(box, 0) + 11 * scale, box.GetCenter().y},
           {minimap_x(box, 0.5f), box.GetCenter().y});
      IM_CHECK(desk.timeline.window().chosen().has_value());
    });
    EXPECT_EQ(trouble, "") << scale;
  }
}

TEST(TimeBar, TheTracksSeekAndTheLoopHasHandles) {
  Desk desk;
  const std::string trouble = desk.journey->run("tracks", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    const ImRect box = box_of(ctx, "tracks");
    viz::Cursor& cursor = desk.timeline.cursor();
    const float left = box.Min.x + px(8), width = box.GetWidth() - px(16), y = box.Min.y + px(60);
    const double whole = desk.timeline.whole().width();
    ctx->MouseMoveToPos({left + width * 0.1f, y});
    ctx->MouseClick(0);
    ctx->Yield(2);
    IM_CHECK(std::abs(static_cast<double>(cursor.step()) - whole * 0.1) < whole * 0.01);

    ctx->KeyPress(ImGuiKey_I);
    ctx->Yield(2);
    IM_CHECK(cursor.loop().has_value());
    IM_CHECK_EQ(cursor.loop()->first, cursor.step());
    ctx->MouseMoveToPos({left + width * 0.14f, y});
    ctx->MouseClick(0);
    ctx->Yield(2);
    ctx->KeyPress(ImGuiKey_O);
    ctx->Yield(2);
    IM_CHECK_EQ(cursor.loop()->last, cursor.step());

    // The first handle, in the row of the ruler.
    const std::uint64_t last = cursor.loop()->last;
    drag(ctx, {left + width * 0.1f, box.Min.y + px(12)}, {left + width * 0.05f, box.Min.y + px(12)});
    IM_CHECK(std::abs(static_cast<double>(cursor.loop()->first) - whole * 0.05) < whole * 0.01);
    IM_CHECK_EQ(cursor.loop()->last, last);
  });
  EXPECT_EQ(trouble, "");
}

TEST(TimeBar, TheWheelZoomsFinelyWithCtrlAndFastWithShiftAndTheMiddleButtonZoomsToARange) {
  Desk desk;
  const std::string trouble = desk.journey->run("wheel", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    viz::TimeWindow& window = desk.timeline.window();
    const double whole = desk.timeline.whole().width();
    for (const char* item : {"tracks", "minimap"}) {
      const ImRect box = box_of(ctx, item);
      const float y = box.Max.y - px(8);
      ctx->MouseMoveToPos({box.GetCenter().x, y});
      std::vector<double> widths;
      for (const ImGuiKey modifier : {ImGuiKey_None, ImGuiKey(ImGuiMod_Ctrl), ImGuiKey(ImGuiMod_Shift)}) {
        window.fit();
        if (modifier != ImGuiKey_None) ctx->KeyDown(modifier);
        ctx->MouseWheelY(1);
        ctx->Yield(2);
        if (modifier != ImGuiKey_None) ctx->KeyUp(modifier);
        IM_CHECK(window.chosen().has_value());
        widths.push_back(window.chosen()->width());
      }
      IM_CHECK(widths[1] > widths[0] && widths[1] < whole);
      IM_CHECK(widths[2] < widths[0]);

      window.fit();
      const float left = box.Min.x, width = box.GetWidth();
      ctx->MouseMoveToPos({left + width * 0.2f, y});
      ctx->MouseDown(2);
      ctx->MouseMoveToPos({left + width * 0.6f, y});
      ctx->Yield(2);
      IM_CHECK(!window.chosen().has_value());  // only once it is let go
      ctx->MouseUp(2);
      ctx->Yield(2);
      IM_CHECK(window.chosen().has_value());
      IM_CHECK(std::abs(window.chosen()->minimum - 0.2 * whole) < 0.02 * whole);
      IM_CHECK(std::abs(window.chosen()->maximum - 0.6 * whole) < 0.02 * whole);
    }
  });
  EXPECT_EQ(trouble, "");
}

TEST(TimeBar, GoingLiveAsksWhoHasChosenARangeAndKeepsTheZoomOrShowsTheNewest) {
  Desk desk;
  desk.journey->between_frames([&] { desk.host.advance(1); });
  const std::string trouble = desk.journey->run("live", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    viz::Cursor& cursor = desk.timeline.cursor();
    viz::TimeWindow& window = desk.timeline.window();
    cursor.seek(50);
    const viz::Range mine{40, 90};
    window.choose(mine);
    ctx->Yield(2);
    ctx->ItemClick("//time/###live");
    ctx->Yield(2);
    IM_CHECK(!cursor.is_following());  // asked first
    ctx->ItemClick("//$FOCUSED/Keep my zoom");
    ctx->Yield(3);
    IM_CHECK(cursor.is_following());
    IM_CHECK(*window.chosen() == mine);

    cursor.seek(50);
    ctx->Yield(2);
    ctx->ItemClick("//time/###live");
    ctx->Yield(2);
    ctx->ItemClick("//$FOCUSED/Show the newest");
    ctx->Yield(30);
    IM_CHECK(cursor.is_following());
    IM_CHECK(std::abs(window.chosen()->width() - mine.width()) < 1e-6);
    IM_CHECK_EQ(static_cast<std::uint64_t>(window.chosen()->maximum), desk.timeline.runs()[0]->newest_step());

    // A range that a person moves stays where it was put.
    window.choose(mine);
    ctx->Yield(10);
    IM_CHECK(*window.chosen() == mine);
  });
  EXPECT_EQ(trouble, "");
}

TEST(TimeBar, LeavingLiveFreezesAViewThatWouldGrowAndGoingLiveFreesIt) {
  Desk desk;
  desk.journey->between_frames([&] { desk.host.advance(1); });
  const std::string trouble = desk.journey->run("freeze", [&](ImGuiTestContext* ctx) {
    desk.timeline.window().set_axis(viz::TimeAxis::WallTime);
    ctx->Yield(5);
    const viz::Range growing = desk.timeline.visible();
    ctx->Yield(5);
    IM_CHECK(desk.timeline.visible().maximum > growing.maximum);
    ctx->KeyPress(ImGuiKey_Home);
    ctx->Yield(2);
    const viz::Range frozen = desk.timeline.visible();
    ctx->Yield(10);
    IM_CHECK(desk.timeline.visible() == frozen);
    ctx->ItemClick("//time/###live");
    ctx->Yield(3);
    IM_CHECK(!desk.timeline.window().chosen().has_value());
    IM_CHECK(desk.timeline.cursor().is_following());
  });
  EXPECT_EQ(trouble, "");
}

TEST(TimeBar, TracksAreChosenFromEverythingThatIsRecorded) {
  Desk desk;
  const std::string trouble = desk.journey->run("charts", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    ctx->ItemClick("//time/###charts");
    ctx->Yield(2);
    ctx->MenuClick("//$FOCUSED/scalars/gradient norm");
    ctx->Yield(2);
    const auto& charts = desk.journey->frame().state().time_bar.charts;
    IM_CHECK(charts.has_value());
    IM_CHECK(charts->back().labels == std::vector<std::string>{"gradient_norm"});
    ctx->PopupCloseAll();
    const float with_tracks = ctx->ItemInfo("//time/minimap").RectFull.Min.y;
    ctx->KeyPress(ImGuiMod_Shift | ImGuiKey_T);
    ctx->Yield(3);
    IM_CHECK(!ctx->ItemExists("//time/tracks"));
    IM_CHECK(ctx->ItemExists("//time/minimap"));
    IM_CHECK_EQ(with_tracks, ctx->ItemInfo("//time/minimap").RectFull.Min.y);
  });
  EXPECT_EQ(trouble, "");
}

TEST(Bookmarks, AreSetByKeyRecalledByNumberRemovedAndBroughtBack) {
  Desk desk;
  const std::string trouble = desk.journey->run("bookmarks", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    viz::Cursor& cursor = desk.timeline.cursor();
    cursor.seek(100);
    ctx->KeyPress(ImGuiKey_M);
    ctx->Yield(2);
    cursor.seek(200);
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_5);
    ctx->Yield(2);
    IM_CHECK_EQ(desk.annotations().numbered(1)->step, 100u);
    IM_CHECK_EQ(desk.annotations().numbered(5)->step, 200u);
    ctx->KeyPress(ImGuiKey_1);
    ctx->Yield(2);
    IM_CHECK_EQ(cursor.step(), 100u);
    ctx->KeyPress(ImGuiKey_PageDown);
    ctx->Yield(2);
    IM_CHECK_EQ(cursor.step(), 200u);
    ctx->KeyPress(ImGuiKey_PageUp);
    ctx->Yield(2);
    IM_CHECK_EQ(cursor.step(), 100u);
    ctx->KeyPress(ImGuiKey_M);  // removes it
    ctx->Yield(2);
    IM_CHECK(desk.annotations().numbered(1) == nullptr);
    ctx->Yield(8);
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_Z);
    ctx->Yield(8);
    IM_CHECK_EQ(desk.annotations().numbered(1)->step, 100u);
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Z);
    ctx->Yield(8);
    IM_CHECK(desk.annotations().numbered(1) == nullptr);
    IM_CHECK(desk.annotations().numbered(5) != nullptr);
  });
  EXPECT_EQ(trouble, "");
}

TEST(Bookmarks, ANoteIsWrittenAtTheCursorAndItsLettersAreNoCommands) {
  Desk desk;
  const std::string trouble = desk.journey->run("note", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    desk.timeline.cursor().seek(120);
    ctx->Yield(2);
    ctx->KeyPress(ImGuiKey_N);
    ctx->Yield(3);
    ctx->KeyChars("time to stop");
    ctx->KeyPress(ImGuiKey_Enter);
    ctx->Yield(3);
    IM_CHECK_EQ(desk.annotations().notes().size(), 1u);
    IM_CHECK(desk.annotations().notes()[0].text == "time to stop");
    IM_CHECK_EQ(desk.annotations().notes()[0].step, 120u);
    IM_CHECK(desk.host.scripted->posted.empty());
    // Escape leaves without one.
    ctx->KeyPress(ImGuiKey_N);
    ctx->Yield(3);
    ctx->KeyChars("no");
    ctx->KeyPress(ImGuiKey_Escape);
    ctx->Yield(3);
    IM_CHECK_EQ(desk.annotations().notes().size(), 1u);
  });
  EXPECT_EQ(trouble, "");
}

TEST(Bookmarks, TheListJumpsRenamesAndRemoves) {
  Desk desk;
  const std::string trouble = desk.journey->run("list", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    for (const std::uint64_t step : {50u, 150u, 250u}) {
      desk.timeline.cursor().seek(step);
      ctx->KeyPress(ImGuiKey_M);
      ctx->Yield(2);
    }
    const std::uint32_t id = desk.annotations().numbered(2)->id;
    ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_M);
    ctx->Yield(3);
    const std::string row = popup_path() + "/**/" + std::to_string(id);
    ctx->ItemClick((row + "/jump").c_str());
    ctx->Yield(2);
    IM_CHECK_EQ(desk.timeline.cursor().step(), 150u);
    ctx->ItemClick((row + "/###rename").c_str());
    ctx->Yield(2);
    ctx->ItemInputValue((row + "/##name").c_str(), "before the collapse");
    ctx->Yield(2);
    IM_CHECK(desk.annotations().numbered(2)->title == "before the collapse");
    ctx->ItemClick((row + "/###remove").c_str());
    ctx->Yield(2);
    IM_CHECK(desk.annotations().numbered(2) == nullptr);
    ctx->Yield(8);
    ctx->ItemClick((popup_path() + "/###Undo (Ctrl+Z)").c_str());
    ctx->Yield(2);
    IM_CHECK(desk.annotations().numbered(2)->title == "before the collapse");
  });
  EXPECT_EQ(trouble, "");
}

// Opens `recording` in a window of its own and gives its bookmarks and notes.
viz::Annotations reopened(const std::string& recording, std::vector<std::string>* said = nullptr) {
  viz::Timeline timeline;
  ScriptedHost host(timeline);
  host.open_recording(recording);
  Journey journey(host, timeline);
  for (int i = 0; i < 500 && (timeline.runs()[0]->end() == nullptr); ++i) {
    journey.frames(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  journey.frames(2);
  if (said != nullptr) {
    for (const frame::Toast& toast : journey.frame().state().toasts) said->push_back(toast.text);
  }
  return journey.frame().state().book.by_run.at(timeline.runs()[0]->uuid()).annotations;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Bookmarks, OfALiveRunStandBesideItsRecordingAndSurviveReopening) {
  TemporaryFolder folder;
  const std::string recording = folder / "run.h5";
  {
    Desk desk(recording);
    const std::string trouble = desk.journey->run("mark", [&](ImGuiTestContext* ctx) {
      ctx->Yield(5);
      desk.timeline.cursor().seek(77);
      ctx->KeyPress(ImGuiMod_Ctrl | ImGuiKey_3);
      ctx->Yield(2);
    });
    ASSERT_EQ(trouble, "");
    desk.host.scripted->close();
  }
  EXPECT_TRUE(fs::exists(folder / "run.notes.json"));
  const std::string before = bytes_of(recording);
  const viz::Annotations annotations = reopened(recording);
  ASSERT_NE(annotations.numbered(3), nullptr);
  EXPECT_EQ(annotations.numbered(3)->step, 77u);
  EXPECT_EQ(bytes_of(recording), before) << "replay writes no recording";
}

TEST(Bookmarks, AnUnreadableFileIsKeptAsideAndNamed) {
  TemporaryFolder folder;
  const std::string recording = folder / "run.h5";
  {
    Desk desk(recording);
    desk.journey->frames(3);
    desk.host.scripted->close();
  }
  EXPECT_FALSE(fs::exists(folder / "run.notes.json")) << "nothing marked, nothing written";
  folder.write("run.notes.json", "{ torn");
  std::vector<std::string> said;
  EXPECT_TRUE(reopened(recording, &said).empty());
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("run.notes.unreadable.json"), std::string::npos) << said[0];
  EXPECT_EQ(bytes_of(folder / "run.notes.unreadable.json"), "{ torn");
  EXPECT_FALSE(fs::exists(folder / "run.notes.json"));
  // A second one does not write over the first.
  folder.write("run.notes.json", "[]");
  reopened(recording);
  EXPECT_EQ(bytes_of(folder / "run.notes.unreadable.json"), "{ torn");
  EXPECT_EQ(bytes_of(folder / "run.notes.unreadable-2.json"), "[]");
}

TEST(Bookmarks, ThatCannotBeKeptAreSaidOnceAndStay) {
  Desk desk;
  desk.host.no_notes = "the disk is full; free some space";
  const std::string trouble = desk.journey->run("full", [&](ImGuiTestContext* ctx) {
    ctx->Yield(5);
    desk.timeline.cursor().seek(10);
    ctx->KeyPress(ImGuiKey_M);
    ctx->Yield(10);
  });
  EXPECT_EQ(trouble, "");
  ASSERT_EQ(desk.journey->frame().state().toasts.size(), 1u);
  EXPECT_EQ(desk.journey->frame().state().toasts[0].text, desk.host.no_notes);
  EXPECT_EQ(desk.annotations().bookmarks().size(), 1u);
}

}  // namespace
}  // namespace sparsescope::test

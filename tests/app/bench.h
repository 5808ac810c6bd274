// A window that nobody sees, with a scripted trainer behind it: what tests of commands stand on.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "imgui.h"
#include "tests/app/scripted_host.h"
#include "tests/app/surfaces.h"
#include "viz/frame/frame.h"
#include "viz/views/draw_hash.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::test {

// A window with a running, scripted trainer, so that most commands may run.
struct Bench {
  GuiContext gui;
  std::unique_ptr<render::Surface> surface;
  viz::Timeline timeline;
  ScriptedHost host{timeline};
  std::unique_ptr<frame::Frame> frame;

  // Drawn on a surface that shows nothing, or on one of `make`.
  using MakeSurface = std::function<std::unique_ptr<render::Surface>(int width, int height)>;
  explicit Bench(bool with_run = true, const MakeSurface& make = {})
      : surface(make ? make(1600, 900) : std::make_unique<NullSurface>(1600, 900)) {
    if (with_run) host.start_training("spark-collapse");
    reset();
  }
  void reset() {
    ImGui::GetIO().ClearInputKeys();
    ImGui::GetIO().ConfigFlags &= ~ImGuiConfigFlags_NavEnableKeyboard;
    frame::Appearance appearance;
    appearance.show_frame_rate = false;
    frame = std::make_unique<frame::Frame>(host, timeline, appearance);
    draw(3);
  }
  void draw(int count) {
    for (int i = 0; i < count; ++i) {
      host.advance(2);
      frame->prepare();
      surface->begin_frame();
      frame->draw(1.0 / 60);
      surface->end_frame();
    }
  }
  const viz::CommandTable& commands() { return frame->commands(); }
  frame::State& state() { return const_cast<frame::State&>(frame->state()); }
  // Runs a command that must run, and lets its effect come to rest.
  void run(const std::string& id) {
    EXPECT_EQ(commands().run(id), "") << id;
    draw(8);
  }
  void run(const std::string& id, const std::string& value) {
    EXPECT_EQ(commands().run(id, value), "") << id;
    draw(8);
  }
  // What is on screen, once nothing moves any more.
  std::uint64_t hash() {
    draw(6);
    return viz::hash_draw_data(*ImGui::GetDrawData()).value;
  }
  void press(const viz::KeyChord& chord) {
    ImGuiIO& io = ImGui::GetIO();
    if (chord.key == "?") {
      io.AddInputCharacter('?');
      return draw(1);
    }
    const auto modifiers = [&](bool down) {
      if (chord.control) io.AddKeyEvent(ImGuiMod_Ctrl, down);
      if (chord.shift) io.AddKeyEvent(ImGuiMod_Shift, down);
      if (chord.alt) io.AddKeyEvent(ImGuiMod_Alt, down);
    };
    modifiers(true);
    io.AddKeyEvent(frame::imgui_key(chord), true);
    draw(1);
    io.AddKeyEvent(frame::imgui_key(chord), false);
    modifiers(false);
    draw(2);
  }
};

}  // namespace sparsescope::test

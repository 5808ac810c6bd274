// The whole window of one program, drawn once per frame between a surface's begin_frame() and end_frame(). It
// knows no files, no trainer and no screen: those are behind Host.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "viz/frame/host.h"
#include "viz/frame/state.h"

namespace sparsescope::frame {

class Frame {
 public:
  // The views are made from the views' table. `notes`: what to say about this installation (missing fonts).
  Frame(Host& host, viz::Timeline& timeline, Appearance appearance, std::vector<std::string> notes = {});

  // Between frames: applies a changed theme or scale.
  void prepare();
  void draw(double seconds);
  // Only one view, over the whole surface: for pictures. Throws Error (Usage) naming the views when there is
  // no such one.
  void draw_view(std::string_view id, double seconds);

  // Something moves or comes in: draw another frame soon.
  bool is_busy() const;
  bool is_training() const;

  const viz::CommandTable& commands() const { return state_->commands; }
  viz::Selection& selection() { return state_->selection; }
  std::vector<std::string> view_ids() const;
  // By view, where colours end as the data that were drawn last have it; and where they end from now on,
  // unless a limit was chosen: pictures that belong together have one scale. Views that are not named keep
  // their own.
  using ColorLimits = std::map<std::string, double>;
  ColorLimits data_limits() const;
  void set_common_limits(const ColorLimits& limits);
  std::vector<std::string> view_titles() const;
  void set_monitor_scale(float scale);
  const Appearance& appearance() const { return state_->appearance; }

  // `wall` seconds went by, in which the thread that draws was at work for `busy` seconds. Called at each
  // turn of the window's loop, also where nothing is drawn: what a crash would lose is kept here.
  void spent(double wall, double busy);

  // How large the window is when the program ends, in screen units; kept for the next start.
  void remember_window_size(std::array<int, 2> size);

  void open(const std::string& path);
  // The first kMostAtOnce of them.
  void open_all(const std::vector<std::string>& paths);
  void ask_to_quit();
  void notify(std::string text, ui::Tone tone) { state_->notify(std::move(text), tone); }
  // For tests: what a person would have to read from the screen.
  const State& state() const { return *state_; }

 private:
  void begin(double seconds);

  std::unique_ptr<State> state_;
};

}  // namespace sparsescope::frame

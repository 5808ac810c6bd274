// When the next picture is due, so that an idle window leaves the machine to training. Knows no window and no
// clock: times are handed in, in seconds.
#pragma once

#include <algorithm>

namespace sparsescope::app {

// What moves without the person. Still: nothing. Ticks: numbers that come in by themselves. Reads: something
// is on its way from a file. Moves: an animation or a picture that is not finished.
enum class Activity { Still, Ticks, Reads, Moves };

class FramePacer {
 public:
  static constexpr int kFramesAfterInput = 3;      // ImGui settles within this many
  static constexpr double kTickSeconds = 0.2;      // five pictures a second while only numbers come in
  static constexpr double kReadSeconds = 1 / 60.;  // looks for what is read
  static constexpr double kIdleSeconds = 0.5;      // how often an idle window looks for a stop signal

  // The person did something, or the window must be drawn anew.
  void input() { frames_left_ = kFramesAfterInput; }

  // How long to sleep before asking draws(); an event ends the sleep earlier.
  double wait_seconds(Activity activity, bool is_hidden, double now) const {
    if (is_hidden) return kIdleSeconds;
    if (frames_left_ > 0) return 0;
    if (activity == Activity::Still) return kIdleSeconds;
    return std::clamp(last_ + interval(activity) - now, 0.0, kIdleSeconds);
  }

  // Whether a picture is due; when true, it counts as drawn at `now`.
  bool draws(Activity activity, bool is_hidden, double now) {
    // What stopped moving gets the frames that settle it.
    if (activity == Activity::Still && before_ != Activity::Still) input();
    before_ = activity;
    if (is_hidden) return false;
    constexpr double kEarly = 1e-3;  // sleeping is not that exact
    const bool due = activity != Activity::Still && now >= last_ + interval(activity) - kEarly;
    if (frames_left_ == 0 && !due) return false;
    if (frames_left_ > 0) --frames_left_;
    last_ = now;
    return true;
  }

 private:
  static double interval(Activity activity) {
    return activity == Activity::Ticks ? kTickSeconds : activity == Activity::Reads ? kReadSeconds : 0;
  }

  int frames_left_ = kFramesAfterInput;
  Activity before_ = Activity::Still;
  double last_ = -1;
};

}  // namespace sparsescope::app

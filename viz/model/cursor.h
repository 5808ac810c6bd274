// Where we are in time: a step, whether it follows the newest, and the replay's speed and loop.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sparsescope::viz {

class Run;

inline constexpr double kSlowestSpeed = 0.25, kFastestSpeed = 64;

class Cursor {
 public:
  enum class Mode {
    Follow,
    Hold,
    Play
  };  // at the newest step | where it was put | moving through recorded time

  Mode mode() const { return mode_; }
  bool is_following() const { return mode_ == Mode::Follow; }
  bool is_playing() const { return mode_ == Mode::Play; }
  std::uint64_t step() const { return step_; }

  void follow() { mode_ = Mode::Follow; }
  // Puts the cursor somewhere and holds it there; playing goes on from the new place.
  void seek(std::uint64_t step);
  // Plays recorded time from here; at the end of what is there, from the start (or the loop's start).
  void play();
  void hold();
  void toggle_play() { is_playing() ? hold() : play(); }

  double speed() const { return speed_; }  // 1/4, 1/2, 1, 2, ... 64 times recorded time
  void set_speed(double speed);            // to the nearest of these
  void faster() { set_speed(speed_ * 2); }
  void slower() { set_speed(speed_ / 2); }

  struct Loop {
    std::uint64_t first = 0, last = 0;
  };
  const std::optional<Loop>& loop() const { return loop_; }
  void set_loop(std::optional<Loop> loop);

  // Moves by `rows` frames with another step, in either direction.
  void move(const Run& run, std::int64_t rows);
  // Moves with the run: to its newest step when following, through recorded time when playing. Waits longer
  // than a second in the recording (pauses) are cut to a second. True when the step changed.
  bool advance(const Run& run, double seconds);

 private:
  Mode mode_ = Mode::Follow;
  std::uint64_t step_ = 0;
  double speed_ = 1;
  double carried_seconds_ = 0;  // recorded time passed since the row under the cursor
  bool rewind_ = false;         // play was pressed at the end
  std::optional<Loop> loop_;
};

}  // namespace sparsescope::viz

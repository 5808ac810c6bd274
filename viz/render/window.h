// A window on the screen, through GLFW. Main thread only, except wake().
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "viz/render/surface.h"

namespace sparsescope::render {

class Window final : public Surface {
 public:
  // Whether a display can be reached; when not, in one sentence why.
  static bool display_available(std::string* reason = nullptr);

  // Needs a current ImGui context. Throws Error "no display ...: run with --offscreen WxH".
  Window(const std::string& title, int width, int height);
  ~Window() override;

  void begin_frame() override;
  void end_frame() override;
  Pixels read_pixels() override;
  float monitor_scale() const override;
  std::string description() const override;

  // Sleeps until an event comes, wake() is called or `timeout_seconds` have passed; true when the person did
  // something.
  bool wait_events(double timeout_seconds);
  // Ends a wait_events() from any thread.
  static void wake();

  bool close_requested() const;
  void cancel_close();
  bool is_hidden() const;  // minimised: nothing needs drawing
  void toggle_full_screen();
  // Width and height in screen units; while it is full screen, those it goes back to.
  std::array<int, 2> size() const;
  void resize(std::array<int, 2> size);
  void set_title(const std::string& title);
  void on_drop(std::function<void(const std::vector<std::string>& paths)> handler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sparsescope::render

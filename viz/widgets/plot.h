// Two-dimensional plots in our look: fixed gutters, thin grid, our lines; ImPlot underneath supplies axes,
// pan and zoom. No data handling: series arrive decimated to about one point a pixel column (viz/model).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "imgui.h"
#include "viz/model/format.h"
#include "viz/widgets/theme.h"

namespace sparsescope::plot {

enum class Scale { Linear, Log };
enum class Dash { Solid, Dashed, Dotted };

// Drawn and left out along a line, in units of line_px(). Solid: all drawn.
struct DashLengths {
  float on = 1, off = 0;
};
DashLengths dash_lengths(Dash dash);

using Range = viz::Range;

// What a plot shows of one axis. A view keeps it; plots that share time share one AxisRange.
struct AxisRange {
  Range shown{0, 1};
  bool follows =
      true;  // takes the fitted range each frame until the person pans or zooms; a double click follows again
};

struct Axis {
  Scale scale = Scale::Linear;
  Range fit{0, 1};              // where to go while `follows`
  Range limits{-1e300, 1e300};  // pan and zoom stay inside
  std::string unit;             // appended to the topmost / last tick label: "nats", "σ"
  std::function<std::string(double)>
      label;  // a tick in words; none: thousands separated, as many digits as the step needs
  bool show_labels = true;
  bool is_locked = false;  // pan and zoom leave this axis alone
  bool runs_down = false;  // y: the smallest on top, as the rows of a map
};

struct Options {
  const char* id = "plot";  // unique within the window
  ImVec2 size{-1, -1};      // framebuffer pixels; -1 = what is left
  Axis x, y;
  float left_gutter = 52;    // for y labels; lengths at scale 1
  float right_gutter = 12;   // for labels at line ends
  float bottom_gutter = 24;  // for x labels
  float top_gutter = 8;
};

// Starts a plot; when true, draw into it and call end(). Reads and updates `x` and `y`.
bool begin(const Options& options, AxisRange& x, AxisRange& y);
void end();

struct Stroke {
  ImU32 ink = 0;
  float width = 1.5f;  // at scale 1
  Dash dash = Dash::Solid;
};

// A line through the points; not-a-number leaves a gap. xs and ys have one length; xs rises.
void line(std::span<const double> xs, std::span<const double> ys, const Stroke& stroke);
// The area between two curves over the same xs; gaps as in line().
void band(std::span<const double> xs, std::span<const double> low, std::span<const double> high, ImU32 ink);
// The closed rectangle x0..x1 over the whole height: loop range, brush.
void span(double x0, double x1, ImU32 ink);
// Diagonal hatching over x0..x1: not recorded, invalid.
void hatch(double x0, double x1, ImU32 ink);
// Lines across the whole plot.
void vertical(double x, const Stroke& stroke);
void horizontal(double y, const Stroke& stroke);
// A handle on a line across the plot, which the person may move up and down. Draws nothing.
struct Drag {
  bool is_hovered = false, is_held = false;
  bool is_released = false;  // in this frame; `y` is where
  double y = 0;
};
Drag drag_horizontal(int id, double y);
// A dot, and a short tick on the bottom axis (not-a-number, events).
void dot(double x, double y, float radius, ImU32 ink);
void tick(double x, ImU32 ink);

// A label right of the plot beside the end of a line. Collected and drawn by end() so that none overlap and
// each stays near its line; what finds no room is left out and counted in the last one ("+3").
void end_label(double x, double y, const std::string& text, ImU32 ink);
// A label inside the plot beside a vertical line, at the top; flips to the left near the right border.
void flag_label(double x, const std::string& text, ImU32 ink);

// The pointer: whether it is over the plot, and where, in plot coordinates.
bool hovered();
double mouse_x();
double mouse_y();
bool clicked();  // a press and release without a drag
// From coordinates of the plot to framebuffer pixels, exact to the double; linear axes only.
struct Mapping {
  double origin_x = 0, per_x = 1, origin_y = 0, per_y = 1;
  double pixel_x(double x) const { return origin_x + per_x * x; }
  double pixel_y(double y) const { return origin_y + per_y * y; }
};
Mapping mapping();
// Pixels of a point, and the width of the plotting area: ask for that many columns of a series.
ImVec2 pixels(double x, double y);
float columns();
Range shown_x();
Range shown_y();

// One entry of a legend row under or over a plot: a short stroke in its dash, then the label. Advances on the
// same line.
void legend_entry(const char* label, const Stroke& stroke);

// Tick positions: about `most` of them, round (Linear, viz::nice_ticks) or at decades (Log).
std::vector<viz::Tick> ticks(Range range, int most, Scale scale);

}  // namespace sparsescope::plot

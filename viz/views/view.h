// What a view is: immediate, reading timeline, selection and its own settings, keeping nothing derived but
// caches. It decides from the schema whether it applies and never asks whether a run is live.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/trace/command.h"
#include "imgui.h"
#include "viz/model/cell_walk.h"
#include "viz/model/selection.h"
#include "viz/model/timeline.h"
#include "viz/model/twin.h"

namespace sparsescope::viz {

class Annotations;

enum class Motion { Normal, Reduced };

// The trainer of the selected run while it runs: what a view may offer to change or to measure.
struct AttachedTrainer {
  std::vector<trace::Control> controls;  // with their present values
  struct Evaluation {
    int context_multiple = 1;
    double seconds = 0;
    bool is_measured = false;  // from an earlier evaluation of it
  };
  std::vector<Evaluation> evaluations;  // what the run can evaluate, ascending
  double held_out_seconds = 0;          // of the held-out loss, with which each evaluation begins
  bool is_evaluating = false;
  std::string progress_text;
  double progress = -1;  // 0..1; negative: unknown

  const trace::Control* control(std::string_view name) const;
};

struct ViewContext {
  Timeline& timeline;
  Selection& selection;
  ImVec2 size{0, 0};  // of the view's content, in ImGui units; drawn at the cursor position
  Motion motion = Motion::Normal;
  std::function<void(trace::Command)> post;              // empty: no trainer is attached
  std::function<void(std::string_view id)> run_command;  // a command of the table; may be empty
  // The same with the value that the command asks for; may be empty.
  std::function<void(std::string_view id, const std::string& value)> run_command_with = {};
  std::function<std::string(std::string_view id)> why_disabled;  // of a command; may be empty
  const AttachedTrainer* trainer = nullptr;  // nullptr: the selected run is not being trained here
  const Annotations* annotations = nullptr;  // bookmarks and notes of the selected run; nullptr: none
  std::optional<std::uint64_t> step = {};    // instead of the cursor's: one of two panes side by side
};

struct Applies {
  bool does = true;
  std::string reason;  // when it does not: which channel is missing and which preset records it
};

class View {
 public:
  virtual ~View() = default;
  virtual std::string_view id() const = 0;     // "loss", for --view and layouts
  virtual std::string_view title() const = 0;  // "Loss and throughput"
  virtual Applies applies(const Run& run) const = 0;
  // Draws into the current ImGui window, at most context.size large. Every state of its data is drawn here,
  // the not-applicable one too.
  virtual void draw(ViewContext& context) = 0;
  // What is shown in words and numbers: title, takeaway, limits and one row per visible mark.
  virtual Twin twin(ViewContext& context) const = 0;
  // The twin as tab-separated text.
  std::string text_twin(ViewContext& context) const { return text_of(twin(context)); }
  // What stands at the place under the pointer, else at the locked one, else at the cursor: the place, then
  // one tab-separated line per visible mark.
  virtual std::string values_text(ViewContext& context) const = 0;
  // Keys walk through its cells or tokens: Enter takes hold of one, arrows move it, Enter locks it, Esc
  // leaves. False: there is nothing to walk through, or nothing is held and the key is not Enter.
  virtual bool walk(ViewContext&, Walk) { return false; }
  virtual bool has_cells() const { return false; }   // walk() would take hold of one now
  virtual bool is_walking() const { return false; }  // the arrows are its own
  // It zooms and pans on axes of its own; those of time are everybody's.
  virtual bool has_camera() const { return false; }
  virtual bool can_pair() const { return false; }  // it may stand beside another of its kind
  // Names of the values of a setting that is a choice, in their order; empty: it is none.
  virtual std::span<const char* const> choices(std::string_view) const { return {}; }
  // The end of its colours as the data have it, whatever limit was chosen; nothing: they are fixed, or
  // nothing was drawn yet.
  virtual std::optional<double> data_limit() const { return std::nullopt; }
  // Colours end there unless a limit was chosen: that of several pictures that are seen together. 0: its own.
  virtual void set_common_limit(double) {}
  // The settings of its popover and its camera, as an object: layouts, undo and saved settings are this.
  virtual nlohmann::json settings() const;
  // Takes what settings() gave; what is missing or of another type keeps its value.
  virtual void set_settings(const nlohmann::json& settings);
};

// The pointer moved in this frame: what it is over now comes before a cell that keys hold.
bool pointer_moved();

// One of each, in the order of the table: this is where a new view gets its line.
std::vector<std::unique_ptr<View>> make_views();

}  // namespace sparsescope::viz

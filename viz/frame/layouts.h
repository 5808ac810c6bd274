// Arrangements of the views as data: which are open, how they share the window, which stand in front. Stock
// ones come with the program; a person's own are kept by it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "viz/frame/host.h"

namespace sparsescope::viz {
class Run;
}

namespace sparsescope::frame {

struct State;
struct ViewSlot;
struct Area;

// {"title": "SPaRK", "channels": ["threshold"], "side_panels": true, "tree": NODE, "floating": [...],
// "side_by_side": by view what PairedView adds to its settings, "time": what time_choices.h says of the
// timeline; missing: it stays as it is}; `channels` (stock) or "kind" (a person's) say which runs it is for.
// NODE is {"views": [ids], "front": id} or {"split": "right"|"below", "share": of the first, "first": NODE,
// "second": NODE}. Floating views have "at" and "size" as shares of the window. Views that are unknown are
// left out.
struct Layout {
  std::string name, title;
  nlohmann::json json;
  KeptLayout::Origin origin = KeptLayout::Origin::Stock;
};

struct Layouts {
  std::vector<Layout> all;                        // stock ones first
  std::optional<nlohmann::json> wanted;           // takes its place in this frame's docking
  std::optional<std::uint32_t> run;               // that is looked at
  std::string kind;                               // of the run that is looked at
  std::map<std::string, nlohmann::json> by_kind;  // as each kind was left
  std::optional<nlohmann::json> reopened;         // comes instead when the next run is looked at
  nlohmann::json settling;                        // the tree that docking takes up in these frames
  int frames_to_settle = 0;
  unsigned dock = 0;  // ImGuiID of the dock space
  // Docking has not taken up yet what was asked for.
  bool is_settling() const { return wanted.has_value() || frames_to_settle > 0; }
  bool is_drawn = false;  // the dock space was drawn in this frame
};

// Reads what the program offers. A layout that is no JSON is named in a note.
void load_layouts(State& state);
// Layout commands; called again when one was saved.
void add_layout_commands(State& state);
// The kind of a run: the first stock layout whose channels it records.
std::string kind_of(const State& state, const viz::Run& run);
// What runs of this kind open with: a person's own, newest first, else the stock one.
const Layout* default_layout(const State& state, const std::string& kind);
const Layout* stock_layout(const State& state, const std::string& kind);

// The arrangement on screen; null while no dock space is drawn.
nlohmann::json layout_now(const State& state);
// The view is docked and its tab is the one in front.
bool is_in_front(const nlohmann::json& layout, const std::string& view);
// Opens and closes views now; docking follows in the next draw.
void apply_layout(State& state, const nlohmann::json& layout);
// The same with views in front that have something to show of the run that is looked at.
void show_layout(State& state, const nlohmann::json& layout);
// Which views stand side by side, and how; for layouts that are kept.
nlohmann::json pairs_now(const State& state);

// In draw_views(), before the dock space: builds what is wanted.
void arrange(State& state, const Area& area);
// Where a view that is opened now goes when its place is gone: ImGuiID of a node, 0: it has one.
unsigned place_for(const State& state, const ViewSlot& slot);
// Another run is looked at: the arrangement of its kind comes back, and views that have nothing to show of it
// step behind.
void follow_run(State& state, const viz::Run& run);

}  // namespace sparsescope::frame

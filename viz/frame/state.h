// What the parts of the window share while one frame is drawn. Each part is one file with one function over
// this.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viz/frame/annotation_book.h"
#include "viz/frame/host.h"
#include "viz/frame/jobs.h"
#include "viz/frame/layouts.h"
#include "viz/frame/new_run.h"
#include "viz/frame/palette.h"
#include "viz/frame/settings.h"
#include "viz/frame/time_bar_state.h"
#include "viz/frame/undo.h"
#include "viz/model/commands.h"
#include "viz/model/selection.h"
#include "viz/model/settings_table.h"
#include "viz/model/timeline.h"
#include "viz/model/view_cost.h"
#include "viz/views/run_list_panel.h"
#include "viz/views/token_view.h"
#include "viz/views/view.h"
#include "viz/widgets/controls.h"

namespace sparsescope::frame {

// A rectangle of the window, in framebuffer pixels.
struct Area {
  ImVec2 min, max;
  float width() const { return max.x - min.x; }
  float height() const { return max.y - min.y; }
};

struct Toast {
  std::string text;
  ui::Tone tone = ui::Tone::Neutral;
  double seconds_left = 6;
};

inline constexpr float kSmallestScale = 0.5f, kLargestScale = 3;  // of the interface
inline constexpr std::size_t kMostRecentCommands = 5;

// How the window looks; kept by the program between starts.
struct Appearance {
  Theme theme = Theme::Dark;
  float scale = 1;  // the person's, on top of the monitor's
  float monitor_scale = 1;
  bool reduce_motion = false;
  bool show_frame_rate = true;  // off in pictures, which must not depend on time
};

enum class Dialog { None, Open, Quit, Export, NewRun };

// A view of the window.
struct ViewSlot {
  std::unique_ptr<viz::View> view;
  bool is_open = true;
  bool was_visible = false;  // its tab was in front in the last frame
};

struct State {
  State(Host& host_, viz::Timeline& timeline_) : host(host_), timeline(timeline_) {}

  Host& host;
  viz::Timeline& timeline;
  viz::Selection selection;
  viz::CommandTable commands;

  using Slot = ViewSlot;
  std::vector<Slot> slots;   // in the order of the views' table
  std::string focused_view;  // id

  Appearance appearance;
  bool appearance_changed = false;
  bool show_side_panels = true;
  bool hide_interface = false;  // only the views are drawn
  bool show_cheat_sheet = false;
  bool shows_overhead = false;   // the meter in the top bar unfolds in this frame
  bool show_start_page = false;  // asked for while there are runs
  PaletteState palette;
  int palette_openings = 0;
  std::vector<std::string> recent_commands;  // chosen in the palette, newest first
  std::vector<std::string> kept_commands;    // the same as the program keeps them
  // In screen units, when it is not full screen; as the program keeps it.
  std::optional<std::array<int, 2>> own_size, kept_size;
  std::vector<std::string> controls_in_table;  // the trainer's, as the command table has them
  std::string view_to_show;                    // id; comes to the front in this frame

  Dialog dialog = Dialog::None;
  std::string dialog_text, dialog_problem;
  bool dialog_opens = false;     // it was asked for in this frame
  bool walks_by_itself = false;  // the keyboard walks through widgets for a dialog or the start page

  ExportRequest figure;                        // as chosen last
  std::optional<ExportRequest> wanted_figure;  // made before the next frame

  Session session;         // as the program keeps it
  double session_age = 0;  // seconds since it was looked at

  AnnotationBook book;  // bookmarks and notes of every run
  TimeBar time_bar;
  NewRunDialog new_run;

  viz::SettingsTable settings;
  SettingsDialog settings_dialog;
  std::string kept_settings;     // as the program keeps them
  std::string recording_folder;  // empty: the standard one
  double free_mib = 1024, probe_budget_percent = 2;

  Jobs jobs;
  bool show_jobs = false;
  Layouts layouts;
  bool layouts_changed = false;  // one was saved: its command is missing
  UndoHistory undo;
  ImVec2 window_size{0, 0};
  bool budget_is_due = false;  // a trainer began and does not know the budget yet

  std::vector<Toast> toasts;
  std::vector<std::string> notes;   // of this installation, for the status bar: missing fonts
  std::vector<PresetCard> presets;  // read once
  std::vector<RecentFile> recent;
  std::string last_preset;      // started from this window
  std::string start_problem;    // why the last wish of the start page failed
  viz::RunListPanel run_list;   // of the left panel
  viz::TokenPanel token_panel;  // of the right panel

  std::optional<TrainerStatus> trainer;      // snapshot of this frame
  std::optional<std::uint32_t> trainer_run;  // id of the run that the last trainer made
  RecorderStatus recorder;
  // What a person chose by a slider, until the trainer's snapshot agrees: meanwhile the handle stays put. A
  // schedule may never let it agree, so it is given up after a while.
  struct Wish {
    double value = 0, seconds_left = 10;
  };
  std::map<std::string, Wish> wanted;  // by control
  std::string last_recorder_failure;   // already said
  int last_recovery = 0;               // number of the one whose end was said
  std::string last_key_command;        // id of the command that a key asked for last
  viz::ViewCost view_cost;             // of this window's thread
  double seconds = 0;                  // since the frame before
  double frame_rate = 0;

  // The trainer of this window made `run`, and still trains it.
  bool is_trainers(const viz::Run& run) const { return trainer && trainer_run == run.id(); }
  bool trains(const viz::Run& run) const { return is_trainers(run) && !trainer->is_over(); }
  // The selected run is being trained and the cursor is at its newest step: what the trainer says is what is
  // shown.
  bool shows_trainer() {
    const viz::Run* selected = run();
    return selected != nullptr && trains(*selected) && timeline.cursor().is_following();
  }
  viz::Run* run() { return timeline.current(selection.run); }
  void notify(std::string text, ui::Tone tone) { toasts.push_back({std::move(text), tone, 6}); }
  void open_dialog(Dialog which, std::string text = {}) {
    dialog = which;
    dialog_text = std::move(text);
    dialog_problem.clear();
    dialog_opens = true;
  }
};

// --- the parts; each draws one region or one overlay ---
void draw_top_bar(State& state, const Area& area);
void draw_side_panel(State& state, const Area& area);
void draw_inspector(State& state, const Area& area);
void draw_views(State& state, const Area& area);
void draw_time_bar(State& state, const Area& area);
void draw_status_bar(State& state, const Area& area);
void draw_start_page(State& state, const Area& area);
void draw_dialogs(State& state);
void draw_export_dialog(State& state);
void draw_palette(State& state);
void draw_cheat_sheet(State& state);
void draw_toasts(State& state, const Area& above);

// --- what they share ---
// Once a frame: says how a recovery ended and opens what it made.
void follow_recovery(State& state);
// Fills the command table; called once.
void add_commands(State& state);
// Once a frame: the commands of what comes and goes, such as the trainer's controls.
void refresh_commands(State& state);
// Runs a command by name; a reason why not becomes a note.
void run_command(State& state, const std::string& id);
// Opens the palette with a beginning of a query: "" for commands, "@" runs, ":" tokens, "#" steps, ","
// settings.
void open_palette(State& state, const std::string& query);
// The command that replays at this speed, one of the cursor's.
std::string speed_command(double speed);
// The command that shows or hides a lane of the timeline.
std::string lane_command(viz::Lane lane);
// Every command that has a key, as tab-separated text in groups.
std::string keys_as_text(const State& state);
// The name of a view's window: its title, and an identity that no title changes.
std::string window_name(const ViewSlot& slot);
// What the run is called in lists; runs of the same title are told apart.
std::string run_title(State& state, const viz::Run& run);
void add_export_commands(State& state);
void add_annotation_commands(State& state);
void add_track_commands(State& state);
void add_run_commands(State& state);
// Between two frames: the figure that was asked for.
void make_wanted_figure(State& state);
// The start and the end of a modal dialog in our look; when true, fill it and call ImGui::EndPopup().
bool begin_dialog(State& state, const char* title, float width);
void close_dialog(State& state);
// The view that was clicked last, if it is in front, else the first of those that are; nullptr: none is open.
viz::View* view_in_front(State& state);
// Runs the commands whose keys were pressed.
void handle_keys(State& state);
// The key of a chord, without its modifiers; ImGuiKey_None for "?", which is a character and no place on the
// keyboard.
ImGuiKey imgui_key(const viz::KeyChord& chord);
// The preset that train.toggle starts when nothing is being trained; empty: none is installed.
std::string preset_to_start(const State& state);
// Opens, starts and posts with failures turned into words.
void open_file(State& state, const std::string& path);
void start_preset(State& state, const std::string& name);
// A command to the trainer; without one it says so.
void post(State& state, const trace::Command& command);
// The trainer's control called `name`, or nullptr.
const trace::Control* control(const State& state, const std::string& name);

// "Training", "Paused", ...: the fixed vocabulary, with how it is coloured.
struct StateWords {
  std::string words;
  ui::Tone tone = ui::Tone::Neutral;
};
StateWords state_words(State& state);
// Of a trainer that is not over.
StateWords trainer_words(const TrainerStatus& trainer);

// A window that is a region: no title, no moving, never in front of the views.
enum class Scroll { No, Vertical };
bool begin_region(const char* name, const Area& area, Token surface = Token::Panel, ImVec2 padding = {12, 10},
                  Scroll scroll = Scroll::No);
void end_region();

}  // namespace sparsescope::frame

// What the window asks of the program around it: files, runs, the screen, the end. The application implements
// it; tests use doubles.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "viz/frame/export_request.h"
#include "viz/frame/session.h"
#include "viz/frame/trainer_link.h"
#include "viz/model/annotations.h"
#include "viz/model/new_run_form.h"
#include "viz/model/run.h"

namespace sparsescope::frame {

struct PresetCard {
  std::string name, title, text;
  std::string size;  // "CPU profile: 4 layers, 300 steps"
};

struct RecentFile {
  std::string path, name;
  std::string detail;  // "18.2 MiB, 3 hours ago"
};

// The bookmarks and notes of a run as they were kept, and one sentence when they could not be read.
struct LoadedAnnotations {
  viz::Annotations annotations;
  std::string note;
};

// An arrangement of views as JSON (viz/frame/layouts.h).
struct KeptLayout {
  enum class Origin { Stock, User };
  std::string name, text;
  Origin origin = Origin::User;
};

// A copy of what is good of an unclosed or damaged recording, being made or made.
struct Recovery {
  enum class State { Running, Done, Failed };
  int number = 0;  // of this start of the program
  std::string from, to;
  double fraction = 0;
  State state = State::Running;
  std::string words;  // Done: how much was recovered; Failed: why not
};

// Recordings opened by one action: more on one screen are told apart by nobody.
inline constexpr std::size_t kMostAtOnce = 10;

// "The first 10 of 18 files are open; open the others one by one".
std::string left_closed_in_words(std::size_t count, std::string_view what);

enum class Leave { StopAndSave, KeepTraining };

class Host {
 public:
  virtual ~Host() = default;

  virtual std::vector<PresetCard> presets() const = 0;
  // Empty when training can start; else one sentence: this build only replays, or a run is under way.
  virtual std::string why_no_training() const = 0;
  // Starts a run and adds it to the timeline. Throws Error.
  virtual void start_training(const std::string& preset) = 0;
  // The values of a preset on a device ("auto", "cpu", "cuda"; empty: the one that was asked for at the
  // start), unchecked. Throws Error when this program cannot train.
  virtual viz::NewRunForm new_run_form(const std::string& preset, const std::string& device) = 0;
  // Fills the form's errors and estimates.
  virtual void check_form(viz::NewRunForm& form) = 0;
  // Starts the run that a form describes and adds it to the timeline. Throws Error.
  virtual void start_run(const viz::NewRunForm& form) = 0;
  // Writes its experiment as a file that the command line runs. Throws Error.
  virtual void save_experiment(const viz::NewRunForm& form, const std::string& path) = 0;
  // The trainer in this process, or nullptr.
  virtual TrainerLink* trainer() = 0;

  virtual std::vector<RecentFile> recent_files() const = 0;
  // Paths of the recordings that come with the program: a SPaRK run, then the dense model it is measured
  // against; empty when none are installed.
  virtual std::vector<std::string> demo_recordings() const = 0;
  virtual std::string recordings_folder() const = 0;
  // Opens a recording, or the finished ones of an experiment's folder, beside the runs already there, without
  // waiting for it; a sentence to say when not all of them were opened. Throws Error.
  virtual std::string open_recording(const std::string& path) = 0;

  // Opens the folder of a file in the desktop's file manager, the file chosen where that is possible. Throws
  // Error when there is none.
  virtual void reveal_file(const std::string& path) = 0;

  // Copies what is good of a recording into a new file beside it, in the background. Throws Error.
  virtual void begin_recovery(const std::string& path) = 0;
  // The last one that was begun; nothing: none was.
  virtual std::optional<Recovery> recovery() const = 0;
  virtual void cancel_recovery() = 0;

  // Where figures go unless a person says otherwise.
  virtual std::string figures_folder() const = 0;
  // Writes the files of a figure and returns their paths; called between frames. Throws Error.
  virtual std::vector<std::string> export_view(const ExportRequest& request) = 0;
  // The text of its first format. Throws Error.
  virtual std::string export_text(const ExportRequest& request) = 0;

  // Bookmarks and notes of a run whose schema came; empty when there are none. Never throws.
  virtual LoadedAnnotations load_annotations(const viz::Run& run) = 0;
  // Keeps them beside the run's recording, which itself is never written. What another program changed there
  // meanwhile is merged in; one sentence when that could not be used and was kept aside. Throws Error.
  virtual std::string save_annotations(const viz::Run& run, viz::Annotations& annotations) = 0;

  virtual void toggle_full_screen() = 0;
  // Ends the program's window at the next opportunity.
  virtual void quit(Leave leave) = 0;
  // "CPU, 2 threads", "replay only" or nothing: for the status bar while no trainer runs.
  virtual std::string device_words() const = 0;

  // The settings file's text as it was when the program started; empty: there is none, or it is ignored.
  virtual std::string settings_text() const = 0;
  // Kept for the next start; one sentence when that failed, else "".
  virtual std::string keep_settings(const std::string& text) = 0;
  // What the window remembered when the program ended last, as JSON; empty: nothing, or it is ignored.
  virtual std::string memory_text() const = 0;
  // Kept for the next start; one sentence when that failed, else "".
  virtual std::string keep_memory(const std::string& text) = 0;
  // What the window shows, kept while it is open; one sentence when that failed, else "".
  virtual std::string keep_session(const Session& session) = 0;
  // What a window showed that did not end as it should, until it is forgotten.
  virtual std::optional<Session> lost_session() const = 0;
  virtual void forget_lost_session() = 0;
  // The program's layouts, then those that this user keeps.
  virtual std::vector<KeptLayout> layouts() const = 0;
  // Keeps a layout under its name, over the one that had it; one sentence when that failed, else "".
  virtual std::string keep_layout(const KeptLayout& layout) = 0;
};

}  // namespace sparsescope::frame

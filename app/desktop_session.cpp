// Runs, files and settings of one window; training is behind desktop_training.h.
#include "app/desktop_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "app/export.h"
#include "app/opened_recording.h"
#include "app/sidecar.h"
#include "app/user_folders.h"
#include "engine/experiments/manifest.h"
#include "engine/record/reader_client.h"
#include "engine/trace/error.h"
#include "viz/model/format.h"
#ifdef SPARSESCOPE_WITH_TRAINING
#include "app/desktop_training.h"
#include "app/new_run.h"
#include "engine/trace/write_file.h"
#endif

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kRecent = 8;

std::string age_words(fs::file_time_type time) {
  const double seconds = std::chrono::duration<double>(fs::file_time_type::clock::now() - time).count();
  if (seconds < 60) return "just now";
  if (seconds < 3600) return fmt::format("{:.0f} min ago", seconds / 60);
  if (seconds < 86400) return fmt::format("{:.0f} h ago", seconds / 3600);
  if (seconds < 2 * 86400) return "yesterday";
  return fmt::format("{:.0f} days ago", seconds / 86400);
}

// "experiment, 4 of 6 runs finished"; empty: it is none, or cannot be read.
std::string experiment_in_words(const std::string& folder) {
  if (!experiments::has_manifest(folder)) return "";
  try {
    const experiments::Manifest manifest = experiments::load_manifest(folder);
    return fmt::format("experiment, {} of {} runs finished", manifest.count(experiments::RunState::Finished),
                       manifest.runs.size());
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

DesktopSession::DesktopSession(DesktopOptions options, viz::Timeline& timeline, Remember remember)
    : options_(std::move(options)), timeline_(timeline), remember_(remember) {
  if (remember_ == Remember::Yes) settings_folder_ = settings_folder();
  sessions_ = std::make_unique<KeptSessions>(settings_folder_);
  if (remember_ == Remember::No) return;
  std::string recent_note, memory_note;
  recent_ = load_recent(settings_folder_, recent_note);
  if (options_.is_safe_mode) {
    settings_note_ = "Safe mode: settings and layouts of yours are ignored and left alone";
    return;
  }
  settings_text_ = load_settings(settings_folder_, settings_note_);
  recording_ = recording_settings(settings_text_);
  memory_text_ = load_memory(settings_folder_, memory_note);
  for (const std::string& note : {recent_note, memory_note}) {
    if (!note.empty()) settings_note_ += (settings_note_.empty() ? "" : ". ") + note;
  }
}

DesktopSession::~DesktopSession() = default;

std::string DesktopSession::start() {
  std::string words;
  for (std::size_t i = 0; i < std::min(options_.files.size(), frame::kMostAtOnce); ++i)
    words += open_recording(options_.files[i]);
  if (options_.files.size() > frame::kMostAtOnce)
    words = frame::left_closed_in_words(options_.files.size(), "files");
  if (options_.wants_training()) start_training(options_.preset());
  return words;
}

std::string DesktopSession::open_recording(const std::string& path) {
  std::error_code failure;
  std::string absolute = fs::absolute(path, failure).lexically_normal().string();
  while (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  std::string words;
  if (fs::is_directory(absolute, failure)) {
    words = open_folder(absolute);
  } else {
    if (is_open(absolute)) throw Error(fs::path(path).filename().string() + " is open already");
    viz::Run& run = timeline_.add_run(feed_of_recording(path));
    open_files_.emplace_back(absolute, run.id());
  }
  remember_file(absolute);
  return words;
}

bool DesktopSession::is_open(const std::string& absolute) const {
  return std::any_of(open_files_.begin(), open_files_.end(), [&](const auto& file) {
    return file.first == absolute && timeline_.find(file.second) != nullptr;
  });
}

// The finished runs of an experiment side by side; those that are open already stay.
std::string DesktopSession::open_folder(const std::string& absolute) {
  std::vector<std::string> paths = experiments::finished_recordings(absolute);
  std::erase_if(paths, [this](const std::string& path) { return is_open(path); });
  if (paths.empty())
    throw Error("the runs of " + fs::path(absolute).filename().string() + " are open already");
  const std::size_t found = paths.size();
  paths.resize(std::min(found, frame::kMostAtOnce));
  // All of them or none: what cannot be opened is said before the list of runs changes.
  std::vector<viz::Feed> feeds;
  for (const std::string& path : paths) feeds.push_back(feed_of_recording(path));
  for (std::size_t i = 0; i < paths.size(); ++i)
    open_files_.emplace_back(paths[i], timeline_.add_run(std::move(feeds[i])).id());
  return found > paths.size() ? frame::left_closed_in_words(found, "finished runs") : "";
}

void DesktopSession::remember_file(const std::string& path) {
  if (remember_ == Remember::No) return;
  std::erase(recent_, path);
  recent_.insert(recent_.begin(), path);
  if (recent_.size() > 12) recent_.resize(12);
  settings_note_ = save_recent(settings_folder_, recent_);
}

std::string DesktopSession::keep_settings(const std::string& text) {
  recording_ = recording_settings(text);
  // In safe mode the file stays as it is, for a person to mend.
  if (remember_ == Remember::No || options_.is_safe_mode) return "";
  return save_settings(settings_folder_, text);
}

std::string DesktopSession::keep_memory(const std::string& text) {
  if (remember_ == Remember::No || options_.is_safe_mode) return "";
  return save_memory(settings_folder_, text);
}

std::vector<frame::KeptLayout> DesktopSession::layouts() const {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path beside = program / "../share/sparsescope/layouts";
  std::vector<frame::KeptLayout> all =
      load_layouts(fs::is_directory(beside, ignored) ? beside.string() : SPARSESCOPE_LAYOUTS,
                   frame::KeptLayout::Origin::Stock);
  if (remember_ == Remember::No || options_.is_safe_mode) return all;
  for (frame::KeptLayout& own : load_layouts(settings_folder_ + "/layouts", frame::KeptLayout::Origin::User))
    all.push_back(std::move(own));
  return all;
}

std::string DesktopSession::keep_layout(const frame::KeptLayout& layout) {
  if (options_.is_safe_mode) return "Safe mode leaves layouts alone: start without it to save one";
  return remember_ == Remember::No ? "" : save_layout(settings_folder_, layout);
}

// What was opened, then what lies in the recordings folder, newest first.
std::vector<frame::RecentFile> DesktopSession::recent_files() const {
  if (remember_ == Remember::No) return {};
  std::vector<std::string> paths = recent_;
  std::vector<std::pair<fs::file_time_type, std::string>> made;
  std::error_code failure;
  for (fs::directory_iterator it(recordings_folder(), failure), end; !failure && it != end;
       it.increment(failure)) {
    std::error_code ignored;
    if (it->path().extension() == ".h5") made.emplace_back(it->last_write_time(ignored), it->path().string());
  }
  std::sort(made.rbegin(), made.rend());
  for (const auto& [time, path] : made) {
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  }
  std::vector<frame::RecentFile> files;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (files.size() == kRecent) break;
    if (const std::string runs = experiment_in_words(path); !runs.empty()) {
      files.push_back({path, fs::path(path).filename().string(), runs});
      continue;
    }
    if (!fs::is_regular_file(path, ignored)) continue;
    const auto size = static_cast<double>(fs::file_size(path, ignored));
    std::string detail = viz::format_bytes(size) + ", " + age_words(fs::last_write_time(path, ignored));
    // What a killed program left: opening it shows what is there, and the list of runs recovers it.
    if (record::file_state(path) == record::FileState::Unclosed && !is_recorded_here(path))
      detail += ", not closed";
    detail += ", in " + fs::path(path).parent_path().string();
    files.push_back({path, fs::path(path).filename().string(), std::move(detail)});
  }
  return files;
}

bool DesktopSession::is_recorded_here(const std::string& path) const {
  return std::any_of(recorded_files_.begin(), recorded_files_.end(),
                     [&](const auto& file) { return file.first == path; });
}

std::vector<std::string> DesktopSession::demo_recordings() const {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& folder :
       {program / "../share/sparsescope/recordings", fs::path(SPARSESCOPE_RECORDINGS)}) {
    std::vector<std::string> paths;
    for (const char* name : {"spark-collapse.h5", "dense-alibi.h5"}) {
      const fs::path path = folder / name;
      if (fs::is_regular_file(path, ignored)) paths.push_back(path.lexically_normal().string());
    }
    if (!paths.empty()) return paths;
  }
  return {};
}

std::string DesktopSession::recordings_folder() const {
  return recording_.folder.empty() ? app::recordings_folder() : recording_.folder;
}

// Where the program was started: a person who writes a paper stands in its folder.
std::string DesktopSession::figures_folder() const {
  std::error_code failure;
  const fs::path here = fs::current_path(failure);
  return failure ? recordings_folder() : here.string();
}

std::string DesktopSession::recording_of(const viz::Selection& selection) const {
  const viz::Run* run = timeline_.current(selection.run);
  const viz::Feed* feed = run != nullptr ? timeline_.feed(run->id()) : nullptr;
  return feed != nullptr ? feed->name : "";
}

std::vector<std::string> DesktopSession::export_view(const frame::ExportRequest& request) {
  return app::export_view(request, {timeline_, recording_of(request.selection)});
}

std::string DesktopSession::export_text(const frame::ExportRequest& request) {
  return export_bytes(request, request.formats.front(), {timeline_, recording_of(request.selection)});
}

std::string DesktopSession::recording_path(const viz::Run& run) const {
  for (const auto* files : {&open_files_, &recorded_files_}) {
    for (const auto& [path, id] : *files) {
      if (id == run.id()) return path;
    }
  }
  return "";
}

frame::LoadedAnnotations DesktopSession::load_annotations(const viz::Run& run) {
  const std::string path = recording_path(run);
  return path.empty() ? frame::LoadedAnnotations{} : sidecars_[path].load(path, run.uuid());
}

std::string DesktopSession::save_annotations(const viz::Run& run, viz::Annotations& annotations) {
  const std::string path = recording_path(run);
  if (path.empty()) throw Error("this run is not recorded, so its notes last as long as this window");
  return sidecars_[path].save(path, run.uuid(), annotations);
}

void DesktopSession::toggle_full_screen() {
  if (toggle_full_screen_) toggle_full_screen_();
}

#ifdef SPARSESCOPE_WITH_TRAINING

// Presets that cannot be read are no reason not to replay: their words stand where training would start.
std::vector<frame::PresetCard> DesktopSession::presets() const {
  try {
    return preset_cards(options_.run.device);
  } catch (const Error&) {
    return {};
  }
}

std::string DesktopSession::why_no_training() const {
  try {
    experiments::presets();
  } catch (const Error& error) {
    return error.what();
  }
  return live_ && !live_->status().is_over() ? "a run is under way; stop it first" : "";
}

void DesktopSession::start_training(const std::string& preset) {
  RunArguments arguments = options_.run;
  if (arguments.preset != preset)
    arguments.out.clear();  // --out names the run that the command line asked for
  arguments.preset = preset;
  start(arguments);
}

viz::NewRunForm DesktopSession::new_run_form(const std::string& preset, const std::string& device) {
  // What the command line said holds until a person says otherwise.
  viz::NewRunForm form = form_of_preset(preset, device.empty() ? options_.run.device : device);
  put_arguments(form, options_.run);
  return form;
}

// The last run here that got as far as a rate.
void DesktopSession::check_form(viz::NewRunForm& form) {
  std::optional<TrainingRate> rate;
  if (live_) rate = live_->rate();
  app::check_form(form, rate);
}

void DesktopSession::start_run(const viz::NewRunForm& form) {
  RunArguments arguments = arguments_of(form);
  arguments.free_mib_at_start = options_.run.free_mib_at_start;
  arguments.free_mib_while_running = options_.run.free_mib_while_running;
  std::error_code failure;
  // --out names the run that the command line asked for: the first of that preset.
  if (form.preset == options_.run.preset && !fs::exists(options_.run.out, failure))
    arguments.out = options_.run.out;
  start(arguments);
}

void DesktopSession::save_experiment(const viz::NewRunForm& form, const std::string& path) {
  trace::write_file(path, experiments::to_toml(experiment_of(form)));
}

void DesktopSession::start(RunArguments arguments) {
  if (const std::string reason = why_no_training(); !reason.empty()) throw Error(reason);
  arguments.folder = recording_.folder;
  if (recording_.free_mib > 0) arguments.free_mib_at_start = recording_.free_mib;
  live_ = LiveRun::start(arguments, timeline_);
  const std::string path = live_->recorder().path;
  if (path.empty()) return;
  recorded_files_.emplace_back(path, live_->run_id());
  remember_file(path);
}

frame::TrainerLink* DesktopSession::trainer() { return live_.get(); }
std::string DesktopSession::device_words() const { return live_ ? live_->status().device : ""; }

#else

class LiveRun {};

std::vector<frame::PresetCard> DesktopSession::presets() const { return {}; }
std::string DesktopSession::why_no_training() const {
  return "this is the replay-only program; scripts/run without --viewer builds the one that trains";
}
void DesktopSession::start_training(const std::string&) { throw Error(why_no_training(), ExitCode::Usage); }
viz::NewRunForm DesktopSession::new_run_form(const std::string&, const std::string&) {
  throw Error(why_no_training(), ExitCode::Usage);
}
void DesktopSession::check_form(viz::NewRunForm& form) { form.problem = why_no_training(); }
void DesktopSession::start_run(const viz::NewRunForm&) { throw Error(why_no_training(), ExitCode::Usage); }
void DesktopSession::save_experiment(const viz::NewRunForm&, const std::string&) {
  throw Error(why_no_training(), ExitCode::Usage);
}
frame::TrainerLink* DesktopSession::trainer() { return nullptr; }
std::string DesktopSession::device_words() const { return "replay only"; }

#endif

}  // namespace sparsescope::app

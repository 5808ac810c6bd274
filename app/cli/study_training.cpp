#include "app/cli/study_training.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/folder_lock.h"
#include "app/cli/recording_walk.h"
#include "app/live_display.h"
#include "app/stop_signals.h"
#include "commit.h"  // written at each build
#include "engine/record/reader_client.h"
#include "engine/trace/error.h"
#include "engine/trace/text.h"
#include "engine/train/checkpoint_files.h"
#include "engine/train/corpora.h"

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using experiments::ManifestArm, experiments::ManifestRun, experiments::RunState;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// "1:02:05", "4:09".
std::string clock_words(double seconds) {
  const auto whole = std::llround(std::max(seconds, 0.0));
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// How the run in a closed recording ended by its own last words; empty: it does not say.
std::string last_words(const std::string& path) {
  if (record::file_state(path) != record::FileState::Closed) return "";
  RecordingWalk walk(path);
  const trace::Channel* events = walk.schema().find("events");
  std::string status;
  walk.each_row([&](const trace::Frame& frame) {
    const trace::ChannelData* data = events != nullptr ? frame.find(events->id) : nullptr;
    if (data == nullptr) return;
    for (const std::string& text : trace::texts_of(*data)) {
      const nlohmann::json event = nlohmann::json::parse(text, nullptr, false);
      if (event.is_object() && event.value("kind", "") == "end") status = event.value("status", "");
    }
  });
  return walk.damage() == ExitCode::Done ? status : "";
}

class StudyTraining {
 public:
  StudyTraining(RunArguments arguments, StudyFolder folder, FolderLock& lock)
      : arguments_(std::move(arguments)), folder_(std::move(folder)), lock_(lock) {}

  void run() {
    const bool is_read = read_texts();
    save();
    if (!is_read) return;
    for (ManifestRun& run : folder_.manifest.runs) {
      if (run.state == RunState::Finished) continue;
      if (stop_signal_seen()) break;
      if (was_finished(run)) continue;
      train(run);
    }
  }

  const experiments::Manifest& manifest() const { return folder_.manifest; }

 private:
  std::string place(const std::string& name) const { return (fs::path(folder_.path) / name).string(); }
  void save() { experiments::save_manifest(folder_.path, folder_.manifest); }
  void set(ManifestRun& run, RunState state, const std::string& message) {
    run.state = state, run.message = message;
    save();
  }

  bool read_texts();
  bool was_finished(ManifestRun& run);
  void put_aside(ManifestRun& run);
  void train(ManifestRun& run);
  double seconds_left(const ManifestRun& now, double elapsed, const train::Status& status) const;

  RunArguments arguments_;
  StudyFolder folder_;
  FolderLock& lock_;
};

// What every arm trains on, before anything is trained: another text than the folder was begun with is
// refused. False: stopped meanwhile.
bool StudyTraining::read_texts() {
  for (ManifestArm& arm : folder_.manifest.arms) {
    const ManifestRun any{.arm = arm.name};
    const auto progress = [&](const std::string& text, double) {
      if (!text.empty() && isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}: {}", arm.name, text);
      lock_.touch();
      return !stop_signal_seen();
    };
    try {
      arm.text_json = train::run_text(folder_.experiment(any), folder_.corpus(), arm.text_json, progress);
    } catch (const Error& error) {
      if (stop_signal_seen()) return false;
      throw Error(fmt::format("arm {} cannot be trained in {}: {}", arm.name, folder_.path, error.what()),
                  error.code());
    }
    if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
  }
  return true;
}

// Died between closing the recording and writing so down.
bool StudyTraining::was_finished(ManifestRun& run) {
  if (run.state == RunState::Waiting || last_words(place(run.recording())) != "finished") return false;
  run.steps = static_cast<std::uint64_t>(folder_.experiment(run).train.steps);
  set(run, RunState::Finished, "");
  train::remove_checkpoints(place(run.name()));
  return true;
}

// A recording is never written again: what was interrupted keeps its frames under another name.
void StudyTraining::put_aside(ManifestRun& run) {
  std::error_code error;
  if (!fs::exists(place(run.recording()), error)) return;
  std::int64_t part = run.earlier_parts + 1;
  while (fs::exists(place(run.recording_part(part)), error)) ++part;
  for (const char* more : {"", ".idx"}) {
    const std::string from = place(run.recording()) + more;
    if (!fs::exists(from, error)) continue;
    fs::rename(from, place(run.recording_part(part)) + more, error);
    if (error) throw Error(fmt::format("{} cannot be renamed: {}", from, error.message()));
  }
  run.earlier_parts = part;
}

void StudyTraining::train(ManifestRun& run) {
  const experiments::Experiment experiment = folder_.experiment(run);
  const auto planned = static_cast<std::uint64_t>(experiment.train.steps);
  const Clock::time_point start = Clock::now();
  const double before = run.seconds;
  put_aside(run);
  run.version = SPARSESCOPE_VERSION, run.commit = SPARSESCOPE_COMMIT;
  RunState state = RunState::Failed;
  std::string message;
  try {
    const auto checkpoint = train::newest_whole_checkpoint(place(run.name()), planned);
    run.resumed_at = checkpoint ? checkpoint->step : 0;
    run.steps = run.resumed_at;
    set(run, RunState::Running, "");
    TrainingRunOptions options = run_options(arguments_, experiment, folder_.device, place(run.recording()));
    options.request.corpus = folder_.corpus();
    if (checkpoint) options.request.resume_checkpoint = checkpoint->path;
    const std::size_t number = static_cast<std::size_t>(&run - folder_.manifest.runs.data()) + 1;
    const std::string name = fmt::format("{}/{} {}", number, folder_.manifest.runs.size(), run.name());
    fmt::print(stderr, "{}: {} steps{}\n", name, planned,
               checkpoint ? fmt::format(", going on from step {}", checkpoint->step) : "");
    TrainingRun training(std::move(options));
    const std::string stopped_by = follow_run(training, [&](const train::Status& status) {
      lock_.touch();
      const std::string now = live_line(status);
      if (now.empty()) return now;
      const double left = seconds_left(run, seconds_since(start), status);
      const std::string all = left > 0 ? fmt::format("  all runs {} left", clock_words(left)) : "";
      return name + ": " + now + all;
    });
    trace::RunEnd end;
    try {
      end = training.wait();
    } catch (const Error& error) {
      end = {stop_signal_seen() ? trace::RunStatus::Stopped : trace::RunStatus::Failed, error.what()};
    }
    const train::Status status = training.status();
    const record::WriterStats recorder = training.recorder_stats();
    run.steps = std::max(run.steps, status.step);
    if (!status.device.empty()) run.device = status.device;
    message = end.message;
    if (!stopped_by.empty() || !recorder.failure.empty()) {
      message = stopped_by.empty() ? recorder.failure : stopped_by;
    } else if (end.status == trace::RunStatus::Finished) {
      state = RunState::Finished;
    } else if (end.status == trace::RunStatus::Stopped) {
      state = RunState::Stopped;
      if (message.empty()) message = fmt::format("stopped after step {}", run.steps);
    }
  } catch (const Error& error) {
    message = error.what();
  }
  run.seconds = before + seconds_since(start);
  set(run, state, message);
  if (state == RunState::Finished) train::remove_checkpoints(place(run.name()));
  fmt::print(stderr, "{} {} after step {}{}\n", run.name(), experiments::state_name(state), run.steps,
             state == RunState::Failed ? ": " + message : "");
}

// Of the run at hand and of those that wait: as long as runs of their arm took here, else by their steps as
// long as the one at hand will have taken.
double StudyTraining::seconds_left(const ManifestRun& now, double elapsed,
                                   const train::Status& status) const {
  if (status.step <= now.resumed_at || status.seconds_left < 0) return 0;
  std::map<std::string, std::pair<double, int>> known;
  for (const ManifestRun& run : folder_.manifest.runs) {
    if (run.state != RunState::Finished) continue;
    known[run.arm].first += run.seconds, known[run.arm].second += 1;
  }
  const auto steps_of = [this](const ManifestRun& run) {
    return static_cast<double>(folder_.experiment(run).train.steps);
  };
  const double steps_here = steps_of(now) - static_cast<double>(now.resumed_at);
  const double per_step = (elapsed + status.seconds_left) / std::max(steps_here, 1.0);
  double left = status.seconds_left;
  for (const ManifestRun& run : folder_.manifest.runs) {
    if (&run == &now || run.state == RunState::Finished || run.state == RunState::Failed) continue;
    const double steps = steps_of(run) - static_cast<double>(run.state == RunState::Stopped ? run.steps : 0);
    const auto arm = known.find(run.arm);
    left += arm == known.end() ? steps * per_step
                               : steps / steps_of(run) * arm->second.first / arm->second.second;
  }
  return left;
}

int report(const experiments::Manifest& manifest, const std::string& folder, StudyReport how) {
  const std::size_t finished = manifest.count(RunState::Finished), failed = manifest.count(RunState::Failed);
  if (how == StudyReport::Json) {
    fmt::print("{}", experiments::to_json(manifest));
  } else {
    fmt::print("{} of {} runs finished in {}\n", finished, manifest.runs.size(), folder);
    if (finished + failed < manifest.runs.size())
      fmt::print("stopped; the same command, or train --resume {}, goes on\n", folder);
  }
  if (failed == 0) return 0;
  for (const ManifestRun& run : manifest.runs) {
    if (run.state == RunState::Failed)
      throw Error(
          fmt::format("{} of {} runs failed, the first of them {}: {}; the same command tries them again",
                      failed, manifest.runs.size(), run.name(), run.message));
  }
  return 0;
}

// A new folder, or one that is an experiment; nothing else is written into.
void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw refused(fmt::format("the folder {} cannot be made: {}", path, error.message()));
  if (experiments::has_manifest(path)) return;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename() != "lock")
      throw refused(fmt::format("{} holds something else ({}); choose another --out", path,
                                it->path().filename().string()));
  }
}

}  // namespace

int train_study(const RunArguments& arguments, StudyReport how) {
  catch_stop_signals();
  const std::string path = study_folder_path(arguments);
  if (arguments.resume.empty()) {
    open_study(arguments, path);  // what is wrong is said before anything is made
    make_folder(path);
  } else {
    experiments::load_manifest(path);
  }
  FolderLock lock(path);
  if (!lock.notice().empty()) fmt::print(stderr, "{}\n", lock.notice());
  StudyFolder folder = open_study(arguments, path);
  fmt::print(stderr, "{}: {} arms x {} seeds, recording to {}\n",
             folder.manifest.title.empty() ? folder.manifest.name : folder.manifest.title,
             folder.manifest.arms.size(), folder.manifest.seeds.size(), path);
  StudyTraining training(arguments, std::move(folder), lock);
  training.run();
  return report(training.manifest(), path, how);
}

}  // namespace sparsescope::app

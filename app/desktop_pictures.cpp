// Off screen: a run on the terminal, then its recording from disk, picture by picture.
#include "app/desktop_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "app/desktop_session.h"
#include "engine/trace/error.h"
#include "engine/trace/write_file.h"
#include "viz/frame/frame.h"
#include "viz/model/comparison.h"
#include "viz/render/offscreen.h"
#include "viz/widgets/gui_context.h"
#ifdef SPARSESCOPE_WITH_TRAINING
#include "app/live_display.h"
#include "app/stop_signals.h"
#include "app/training_run.h"
#endif

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;

constexpr int kSettleFrames = 8;  // sizes and tabs come to rest
constexpr int kMostFrames = 600;  // heavy rows arrive meanwhile

// Trains on the terminal and returns the recording's path.
std::string train_and_record(const DesktopOptions& options) {
#ifdef SPARSESCOPE_WITH_TRAINING
  TrainingRunOptions run_options = run_from_arguments(options.run);
  const std::string path = run_options.recorder.path;
  const experiments::Experiment& experiment = run_options.request.experiment;
  catch_stop_signals();
  fmt::print(stderr, "{} ({} profile), {} steps, recording to {}\n", experiment.title, experiment.profile,
             experiment.train.steps, path);
  TrainingRun run(std::move(run_options));
  follow_run(run);
  const trace::RunEnd end = run.wait();
  const record::WriterStats stats = run.recorder_stats();
  if (!stats.failure.empty()) throw Error(stats.failure);
  if (end.status == trace::RunStatus::Failed)
    throw Error(end.message + "; what was recorded lies in " + path);
  fmt::print("recording {}\n", path);
  return path;
#else
  (void)options;
  throw Error("this is the replay-only program; it opens recordings and trains nothing", ExitCode::Usage);
#endif
}

// Takes in everything; the reader works on its own thread, so this waits for it.
void load_whole(viz::Timeline& timeline) {
  const auto done = [&] {
    return std::all_of(timeline.runs().begin(), timeline.runs().end(),
                       [](const auto& run) { return run->end() != nullptr; });
  };
  while (!done()) {
    timeline.drain_all();
    if (!done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class Pictures {
 public:
  Pictures(const DesktopOptions& options, const std::vector<std::string>& files)
      : options_(options),
        session_(with_files(options, files), timeline_, DesktopSession::Remember::No),
        surface_(options.width, options.height),
        frame_(session_, timeline_, appearance(options), gui_.font_notes()) {
    if (const std::string words = session_.start(); !words.empty()) fmt::print(stderr, "{}\n", words);
    load_whole(timeline_);
    viz::Run& run = *timeline_.runs().front();
    if (run.schema() == nullptr) throw Error(run.end()->message, ExitCode::Refused);
    if (options.step >= 0) go_to(run, static_cast<std::uint64_t>(options.step));
    if (timeline_.runs().size() > 1) frame_.selection().comparison = viz::all_beside(timeline_);
    for (const std::string& note : gui_.font_notes()) fmt::print(stderr, "{}\n", note);
    do_commands();
  }

  const std::vector<std::string> view_ids() const { return frame_.view_ids(); }

  void write_window(const std::string& path) {
    settle([&] { frame_.draw(0); });
    write(path);
  }
  // The ending of the path says what is written; PNG when it is none of ours.
  void write_view(const std::string& id, const std::string& path) {
    const std::string ending = fs::path(path).extension().string();
    for (const frame::ExportFormat format :
         {frame::ExportFormat::Svg, frame::ExportFormat::Csv, frame::ExportFormat::Provenance}) {
      if (ending == std::string(".") + frame::file_ending(format)) return write_figure(id, format, path);
    }
    settle([&] { frame_.draw_view(id, 0); });
    write(path);
  }
  // A picture of each step of the sequence, then the line that makes a film of them.
  void write_frames(const DesktopOptions::StepSequence& steps, const std::string& view,
                    const std::string& folder) {
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (!fs::is_directory(folder, failure))
      throw Error("the folder " + folder + " cannot be made; choose another --frames");
    viz::Run& run = *timeline_.runs().front();
    go_to(run, steps.first);
    go_to(run, steps.last);
    const std::uint64_t count = (steps.last - steps.first) / steps.every + 1;
    const bool is_window = view.empty() || view == "window";
    std::optional<PaperScope> paper;
    if (!is_window) paper.emplace();  // a figure each: nothing in them can be pressed
    const auto draw_frame = [&](std::uint64_t i) {
      timeline_.cursor().seek(steps.first + i * steps.every);
      settle([&] {
        if (is_window) {
          frame_.draw(0);
        } else {
          frame_.draw_view(view, 0);
        }
      });
    };
    if (!options_.has_own_colors) {
      // A colour means the same in every picture: what the largest value of all is has to be known first.
      frame::Frame::ColorLimits largest;
      for (std::uint64_t i = 0; i < count; ++i) {
        draw_frame(i);
        for (const auto& [id, limit] : frame_.data_limits()) largest[id] = std::max(largest[id], limit);
        fmt::print(stderr, "\rcolours of {} of {} pictures", i + 1, count);
      }
      fmt::print(stderr, "\n");
      frame_.set_common_limits(largest);
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      draw_frame(i);
      render::write_png(fmt::format("{}/frame_{:06}.png", folder, i), surface_.read_pixels());
      fmt::print(stderr, "\r{} of {} pictures", i + 1, count);
    }
    fmt::print(stderr, "\n");
    fmt::print("ffmpeg -framerate 30 -i {}/frame_%06d.png -c:v libx264 -pix_fmt yuv420p {}.mp4\n", folder,
               (fs::path(folder) / fs::path(folder).filename()).string());
  }

 private:
  static DesktopOptions with_files(DesktopOptions options, const std::vector<std::string>& files) {
    options.files = files;
#ifdef SPARSESCOPE_WITH_TRAINING
    options.run.preset.clear();
#endif
    return options;
  }
  static frame::Appearance appearance(const DesktopOptions& options) {
    frame::Appearance appearance;
    appearance.theme = theme_from_name(options.theme).value_or(Theme::Dark);
    appearance.scale = options.scale > 0 ? static_cast<float>(options.scale) : 1;
    appearance.reduce_motion = true;
    appearance.show_frame_rate = false;
    return appearance;
  }
  void go_to(const viz::Run& run, std::uint64_t step) {
    if (run.rows() == 0 || step < run.first_step() || step > run.newest_step()) {
      throw Error(fmt::format("--step {}: the recording has steps {} to {}", step, run.first_step(),
                              run.newest_step()),
                  ExitCode::Usage);
    }
    timeline_.cursor().seek(step);
  }
  // What a person would have done before looking; a command may need the window to stand.
  void do_commands() {
    if (options_.commands.empty()) return;
    settle([&] { frame_.draw(0); });
    for (const std::string& command : options_.commands) {
      const std::size_t equals = command.find('=');
      const std::string id = command.substr(0, equals);
      const std::string problem = equals == std::string::npos
                                      ? frame_.commands().run(id)
                                      : frame_.commands().run(id, command.substr(equals + 1));
      if (!problem.empty()) throw Error(fmt::format("--command {}: {}", command, problem), ExitCode::Usage);
      settle([&] { frame_.draw(0); });
    }
  }
  void settle(const std::function<void()>& draw) {
    for (int i = 0; i < kMostFrames && (i < kSettleFrames || timeline_.is_busy()); ++i) {
      frame_.prepare();
      surface_.begin_frame();
      draw();
      surface_.end_frame();
    }
  }
  void write_figure(const std::string& id, frame::ExportFormat format, const std::string& path) {
    settle(
        [&] { frame_.draw_view(id, 0); });  // reads what it needs; names the views when there is none like it
    frame::ExportRequest request;
    request.view = id;
    request.theme = frame_.appearance().theme;
    request.width = static_cast<int>(static_cast<float>(options_.width) / frame_.appearance().scale);
    request.height = static_cast<int>(static_cast<float>(options_.height) / frame_.appearance().scale);
    request.selection = frame_.selection();
    for (const frame::ViewSlot& slot : frame_.state().slots) {
      if (slot.view->id() == id) request.settings = slot.view->settings().dump();
    }
    request.formats = {format};
    trace::write_file(path, session_.export_text(request));
    fmt::print("{}\n", path);
  }
  void write(const std::string& path) {
    render::write_png(path, surface_.read_pixels());
    fmt::print("{}\n", path);
  }

  const DesktopOptions& options_;
  viz::Timeline timeline_;
  DesktopSession session_;
  GuiContext gui_;
  render::Offscreen surface_;
  frame::Frame frame_;
};

// "a/run.png" and "drift" give "a/run.drift.png".
std::string beside(const std::string& path, const std::string& name) {
  const fs::path whole = path;
  return (whole.parent_path() / (whole.stem().string() + "." + name + ".png")).string();
}

}  // namespace

int run_offscreen(const DesktopOptions& options) {
  std::vector<std::string> files = options.files;
  std::string view = options.view, stem;
  if (options.wants_training()) {
    files = {train_and_record(options)};
    if (view.empty()) view = "all";
    stem = (fs::path(files[0]).parent_path() / fs::path(files[0]).stem())
               .string();  // pictures lie beside a new recording
  } else {
    stem = fs::path(files[0]).stem().string();  // and here for one that was opened
  }
  Pictures pictures(options, files);
  if (options.steps) {
    pictures.write_frames(*options.steps, view, options.frames_folder);
    return 0;
  }
  if (view.empty() || view == "window") {
    pictures.write_window(options.screenshot.empty() ? stem + ".window.png" : options.screenshot);
  } else if (view == "all") {
    pictures.write_window(options.screenshot.empty() ? stem + ".window.png" : options.screenshot);
    for (const std::string& id : pictures.view_ids()) {
      pictures.write_view(
          id, options.screenshot.empty() ? stem + "." + id + ".png" : beside(options.screenshot, id));
    }
  } else {
    pictures.write_view(view, options.screenshot.empty() ? stem + "." + view + ".png" : options.screenshot);
  }
  return 0;
}

}  // namespace sparsescope::app

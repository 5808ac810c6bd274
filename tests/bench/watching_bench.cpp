// What looking at a run costs it, in turns (off, on, off, on, ...) within one run that is recorded as usual.
//   bench_watching probes   the probes of the default budget against none
//   bench_watching window   a window of 1920 x 1080, drawn off screen, against none: --fps 5 as the window
//                           paces itself while numbers come in, 60 as while somebody scrubs
// Prints the tokens a second of each block, then medians and their ratio.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

#include "app/cpu_manners.h"
#include "app/desktop_session.h"
#include "app/desktop_training.h"
#include "engine/trace/error.h"
#include "viz/frame/frame.h"
#include "viz/render/offscreen.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

enum class What { Probes, Window };

class Bench {
 public:
  Bench(What what, double fps, const app::DesktopOptions& options)
      : what_(what),
        fps_(fps),
        session_(options, timeline_, app::DesktopSession::Remember::No),
        surface_(1920, 1080),
        frame_(session_, timeline_, {}, gui_.font_notes()) {
    session_.start();
  }

  std::string surface() const { return surface_.description(); }

  // Until `steps` more are made; tokens a second.
  double block(bool is_on, std::int64_t steps) {
    train::Status status = run().status();
    if (what_ == What::Probes) run().post(trace::SetControl{"watching", is_on ? 1.0 : 0.0});
    const Clock::time_point start = Clock::now();
    const std::uint64_t first = status.step;
    Clock::time_point next = start;
    while (status.step < first + static_cast<std::uint64_t>(steps)) {
      check(status.state != train::Status::State::Failed, "the run failed: " + status.message);
      check(!run().is_finished(), "the run is too short for these blocks; ask for more --run-steps");
      if (Clock::now() >= next) {
        next += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / fps_));
        if (what_ == What::Window && is_on) {
          draw();
        } else {
          timeline_.update(0);
        }
      }
      std::this_thread::sleep_for(std::chrono::microseconds(500));
      status = run().status();
    }
    const double seconds = seconds_since(start);
    return static_cast<double>(status.step - first) * tokens_per_step_ / seconds;
  }
  void warm_up(std::int64_t steps) {
    while (run().status().step == 0) {
      check(!run().is_finished(), "the run ended before its first step: " + run().status().message);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    for (int i = 0; i < 5; ++i) draw();
    block(true, steps);
  }
  void set_tokens_per_step(double tokens) { tokens_per_step_ = tokens; }
  void stop() {
    run().post(trace::Stop{});
    run().wait();
  }

 private:
  app::TrainingRun& run() { return session_.live_run()->run(); }
  void draw() {
    frame_.prepare();
    surface_.begin_frame();
    frame_.draw(1 / fps_);
    surface_.end_frame();
    surface_.read_pixels();  // the picture is done, not only queued
  }

  What what_;
  double fps_, tokens_per_step_ = 0;
  viz::Timeline timeline_;
  app::DesktopSession session_;
  GuiContext gui_;
  render::Offscreen surface_;
  frame::Frame frame_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(int argc, char** argv) {
  CLI::App parser{"What looking at a run costs it"};
  std::string what;
  std::int64_t steps = 400, blocks = 6;
  double fps = 5;
  app::DesktopOptions options;
  parser.add_option("what", what, "probes or window")->required()->check(CLI::IsMember({"probes", "window"}));
  parser.add_option("--block-steps", steps, "Steps of a block")->capture_default_str();
  parser.add_option("--blocks", blocks, "Blocks of each kind")->capture_default_str();
  parser.add_option("--fps", fps, "Pictures a second")->capture_default_str();
  add_run_options(parser, options.run, app::RunOptionSet::Cli);
  CLI11_PARSE(parser, argc, argv);
  if (options.run.preset.empty()) options.run.preset = "spark-collapse";
  for (const char* set : {"evaluation.every=0", "evaluation.needle_every=0", "sample.every=0"})
    options.run.sets.emplace_back(set);
  if (options.run.steps == 0) options.run.steps = (2 * blocks + 4) * steps;

  const experiments::Experiment experiment = app::run_from_arguments(options.run).request.experiment;
  Bench bench(what == "probes" ? What::Probes : What::Window, fps, options);
  bench.set_tokens_per_step(static_cast<double>(experiment.train.batch * experiment.model.context));
  std::cout << fmt::format("{} of {}, {} x {} tokens a step, blocks of {} steps; drawn by {}\n", what,
                           experiment.name, experiment.train.batch, experiment.model.context, steps,
                           bench.surface());
  bench.warm_up(steps);
  std::vector<double> off, on;
  for (std::int64_t i = 0; i < blocks; ++i) {
    off.push_back(bench.block(false, steps));
    on.push_back(bench.block(true, steps));
    std::cout << fmt::format("off {:12.0f}  on {:12.0f} tok/s  {:.4f}\n", off.back(), on.back(),
                             on.back() / off.back());
    std::cout.flush();
  }
  bench.stop();
  const auto [low, high] = std::minmax_element(off.begin(), off.end());
  std::cout << fmt::format("median off {:.0f} ({:.0f} to {:.0f}), on {:.0f} tok/s, on / off {:.4f}\n",
                           median(off), *low, *high, median(on), median(on) / median(off));
  return 0;
}

}  // namespace
}  // namespace sparsescope

int main(int argc, char** argv) {
  sparsescope::app::mind_cpu_manners(argv);
  try {
    return sparsescope::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}

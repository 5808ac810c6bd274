// sparsescope-cli train and presets: one run without a window, with a live line; Ctrl-C ends it cleanly. Many
// runs are study_training.h.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cli/cli.h"
#include "app/cli/study_training.h"
#include "app/live_display.h"
#include "app/run_arguments.h"
#include "app/stop_signals.h"
#include "engine/experiments/study.h"
#include "engine/trace/error.h"
#include "engine/train/run_estimate.h"

namespace sparsescope::app {
namespace {

struct TrainOptions {
  RunArguments run;
  bool json = false;
};

std::string outcome_word(trace::RunStatus status) {
  switch (status) {
    case trace::RunStatus::Finished:
      return "finished";
    case trace::RunStatus::Stopped:
      return "stopped";
    default:
      return "failed";
  }
}

void report(const TrainOptions& options, const train::Status& status, const record::WriterStats& recorder,
            const trace::RunEnd& end) {
  if (options.json) {
    nlohmann::ordered_json json;
    json["outcome"] = outcome_word(end.status);
    json["message"] = end.message;
    json["steps"] = status.step;
    json["loss_nats"] = status.loss_nats;
    json["recording"] = recorder.path;
    json["frames_recorded"] = recorder.frames_committed;
    json["recording_failure"] = recorder.failure;
    json["recording_note"] = recorder.note;
    json["device"] = status.device;
    fmt::print("{}\n", json.dump(2));
    return;
  }
  fmt::print("{} after step {}{}\n", outcome_word(end.status), status.step,
             end.message.empty() ? "" : ": " + end.message);
  fmt::print("recording {} ({} frames, {:.2f} MiB)\n", recorder.path, recorder.frames_committed,
             static_cast<double>(recorder.bytes_on_disk) / (1 << 20));
}

int train_command(const TrainOptions& options) {
  if (is_study(options.run))
    return train_study(options.run, options.json ? StudyReport::Json : StudyReport::Words);
  TrainingRunOptions run_options = run_from_arguments(options.run);
  const std::string path = run_options.recorder.path;
  catch_stop_signals();
  fmt::print(stderr, "{} (profile {}), {} steps, recording to {}\n", run_options.request.experiment.title,
             run_options.request.experiment.profile, run_options.request.experiment.train.steps, path);
  TrainingRun run(std::move(run_options));
  follow_run(run);
  const trace::RunEnd end = run.wait();
  const record::WriterStats recorder = run.recorder_stats();
  if (!recorder.note.empty()) fmt::print(stderr, "{}\n", recorder.note);
  report(options, run.status(), recorder, end);
  if (!recorder.failure.empty()) throw Error(recorder.failure);
  if (end.status == trace::RunStatus::Failed) throw Error(end.message);
  return 0;
}

}  // namespace

void add_train_command(CLI::App& parser, CommandAction& chosen) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command =
      parser.add_subcommand("train",
                            "Train one model and record it, or all runs of an experiment of arms x seeds "
                            "into a folder; Ctrl-C ends it cleanly");
  add_run_options(*command, options->run, RunOptionSet::Cli);
  command->add_flag("--json", options->json, "report the outcome as one JSON object on standard output");
  command->footer(
      "An experiment file with [[arms]] and seeds trains each arm with each seed into the folder --out: one "
      "recording "
      "a run and\nmanifest.json. The same command, or --resume FOLDER, goes on after an interruption, on "
      "another "
      "machine too: finished runs\nare kept, an unfinished one continues from its newest checkpoint "
      "(train.checkpoint_every), failed ones are tried again.");
  command->callback([options, &chosen] { chosen = [options] { return train_command(*options); }; });
}

void add_presets_command(CLI::App& parser, CommandAction& chosen) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command = parser.add_subcommand("presets", "List the experiments that ship with the program");
  command->add_flag("--json", *as_json, "whole experiments as JSON, both profiles, with what they need");
  command->callback([as_json, &chosen] {
    chosen = [as_json] {
      nlohmann::ordered_json json = nlohmann::ordered_json::array();
      for (const experiments::Preset& preset : experiments::presets()) {
        if (!*as_json) {
          fmt::print("{}\n  {}\n  {}\n", preset.name, preset.title, preset.text);
          continue;
        }
        nlohmann::ordered_json entry;
        entry["name"] = preset.name;
        entry["title"] = preset.title;
        entry["text"] = preset.text;
        for (const char* profile : {"gpu", "cpu"}) {
          const experiments::Experiment experiment = experiments::load_preset(preset.name, profile);
          entry[profile] = nlohmann::ordered_json::parse(experiments::to_json(experiment));
          const bool on_gpu = experiment.profile == "gpu";
          const train::RunEstimate estimate =
              train::estimate_run(experiment, on_gpu ? train::Device::Cuda : train::Device::Cpu);
          entry["estimates"][profile] = {{"parameters", estimate.parameters},
                                         {"memory_bytes", std::round(estimate.memory_bytes)},
                                         {"file_bytes", std::round(estimate.file_bytes)},
                                         {"checkpoint_bytes", std::round(estimate.checkpoint_bytes)}};
        }
        json.push_back(std::move(entry));
      }
      for (const experiments::Preset& study : experiments::studies()) {
        if (!*as_json)
          fmt::print("{}  (arms x seeds: train --experiment {})\n  {}\n  {}\n", study.name, study.name,
                     study.title, study.text);
      }
      if (*as_json) fmt::print("{}\n", json.dump(2));
      return 0;
    };
  });
}

}  // namespace sparsescope::app

// The training step without anything around it, for comparisons: a process that waits for orders on its
// standard input, so that another program can be timed in turns with it (pytorch_step.py).
//
//   bench_step [--corpus TEXT] [--set KEY=VALUE]... [--dump FOLDER]
// Orders, one a line: "losses N" prints N losses; "block N" prints the milliseconds of N steps, waiting for
// the last; "quit". --dump writes the initial parameters (state.*.safetensors) and the first 64 batches
// (batches.i32, [64,B,T+1]) before anything is trained.
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>

#include "engine/data/prepare.h"
#include "engine/experiments/experiment.h"
#include "engine/trace/error.h"
#include "engine/train/checkpoint.h"
#include "engine/train/training_state.h"

namespace {

using namespace sparsescope;

constexpr int kDumpedBatches = 64;

void dump(const std::string& folder, const train::TrainingState& state, const data::PreparedData& data) {
  std::filesystem::create_directories(folder);
  train::write_snapshot(folder + "/state", train::take_snapshot(state, data, "bench"));
  data::BatchSampler sampler = state.sampler();
  std::ofstream out(folder + "/batches.i32", std::ios::binary);
  for (int i = 0; i < kDumpedBatches; ++i) {
    const std::vector<std::int32_t> batch = sampler.next();
    out.write(reinterpret_cast<const char*>(batch.data()),
              static_cast<std::streamsize>(batch.size() * sizeof(batch[0])));
  }
}

// N steps as the training loop runs them: the next one begins as soon as one has ended.
double block_ms(train::TrainingState& state, int steps) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < steps; ++i) {
    state.step();
    if (state.steps_overlap() && i + 1 < steps) state.begin_step();
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void obey(train::TrainingState& state, const std::string& order, int count) {
  if (order == "losses") {
    for (int i = 0; i < count; ++i) {
      const train::StepReport report = state.step();
      std::cout << report.loss_terms.front() << " " << report.gradient_norm << "\n";
    }
  } else {
    std::cout << block_ms(state, count) << "\n";
  }
  std::cout.flush();
}

int run(int argc, char** argv) {
  CLI::App app{"Times the training step on orders from standard input"};
  std::string corpus, preset = "dense-rope", folder;
  std::vector<std::string> sets;
  app.add_option("--corpus", corpus, "Text to train on");
  app.add_option("--preset", preset, "Experiment");
  app.add_option("--set", sets, "key=value");
  app.add_option("--dump", folder, "Where the initial state goes");
  CLI11_PARSE(app, argc, argv);

  experiments::Experiment experiment = experiments::load_preset(preset, "gpu");
  for (const std::string& set : sets) {
    const auto equals = set.find('=');
    check(equals != std::string::npos, "--set wants key=value");
    experiments::set(experiment, set.substr(0, equals), set.substr(equals + 1));
  }
  experiments::validate(experiment);
  const train::DeviceSetup setup = train::set_up_device(train::Device::Auto, 0);
  const data::PreparedData data =
      data::prepare(experiment.data, corpus.empty() ? std::vector<std::string>{} : std::vector{corpus},
                    experiment.model.context, {});
  train::TrainingState state(experiment, data, setup);
  if (!folder.empty()) dump(folder, state, data);
  std::cout << "ready " << setup.words << ", " << state.setup().step << ", " << state.setup().precision
            << ", vocabulary " << state.model().vocabulary() << "\n"
            << std::setprecision(9);
  std::cout.flush();
  std::string order;
  int count = 0;
  while (std::cin >> order && order != "quit" && std::cin >> count) obey(state, order, count);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}

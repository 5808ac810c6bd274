// The training step without anything around it, for comparisons: a process that waits for orders on its
// standard input, so that another program can be timed in turns with it (pytorch_step.py).
//
//   bench_step [--preset NAME] [--corpus TEXT] [--set KEY=VALUE]... [--threads N] [--dump FOLDER]
// Orders, one a line: "losses N" prints N losses and gradient norms; "block N" prints the milliseconds of N
// steps, waiting for the last; "profile N" prints a table of what the GPU did in N steps; "quit". --dump
// writes the initial parameters (state.*.safetensors) and the first 64 batches (batches.i32, [64,B,T+1])
// before anything is trained.
#include <fmt/format.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>

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

// Kernel names without namespaces of ours, template arguments and parameters.
std::string short_name(std::string name) {
  for (const std::string& part : {std::string("void "), std::string("sparsescope::kernels::"),
                                  std::string("(anonymous namespace)::")}) {
    const std::size_t at = name.find(part);
    if (at != std::string::npos && at < 40) name.erase(at, part.size());
  }
  return name.substr(0, std::min<std::size_t>({name.find_first_of("<("), name.size(), 70}));
}

// Time on the GPU by kernel, the gaps between kernels, and the host's own time, all a step.
void profile(train::TrainingState& state, int steps) {
  namespace profiler = torch::autograd::profiler;
  using torch::profiler::impl::ActivityType;
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  block_ms(state, 5);
  profiler::prepareProfiler(config, {ActivityType::CUDA});
  profiler::enableProfiler(config, {ActivityType::CUDA});
  block_ms(state, steps);
  const std::unique_ptr<profiler::ProfilerResult> result = profiler::disableProfiler();

  struct Sum {
    double us = 0;
    int count = 0;
  };
  std::map<std::string, Sum> by_name;
  double busy_us = 0;
  int nodes = 0;
  std::uint64_t first = UINT64_MAX, last = 0;
  for (const profiler::KinetoEvent& event : result->events()) {
    if (event.deviceType() != c10::DeviceType::CUDA) continue;
    const double us = static_cast<double>(event.durationNs()) / 1000;
    Sum& sum = by_name[short_name(event.name())];
    sum.us += us;
    ++sum.count;
    busy_us += us;
    ++nodes;
    first = std::min(first, event.startNs());
    last = std::max(last, event.endNs());
  }
  std::vector<std::pair<std::string, Sum>> rows(by_name.begin(), by_name.end());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second.us > b.second.us; });
  const double whole_us = static_cast<double>(last - first) / 1000;
  std::cout << fmt::format("{:.1f} us a step, {:.1f} nodes, busy {:.1f} us ({:.1f} %)\n", whole_us / steps,
                           static_cast<double>(nodes) / steps, busy_us / steps, 100 * busy_us / whole_us);
  for (const auto& [name, sum] : rows) {
    if (sum.us / busy_us < 0.002) break;
    std::cout << fmt::format("{:8.1f} us {:6.1f} x {:5.1f} %  {}\n", sum.us / steps,
                             static_cast<double>(sum.count) / steps, 100 * sum.us / busy_us, name);
  }
}

void obey(train::TrainingState& state, const std::string& order, int count) {
  if (order == "losses") {
    for (int i = 0; i < count; ++i) {
      const train::StepReport report = state.step();
      std::cout << report.loss_terms.front() << " " << report.gradient_norm << "\n";
    }
  } else if (order == "profile") {
    profile(state, count);
  } else {
    std::cout << block_ms(state, count) << "\n";
  }
  std::cout.flush();
}

int run(int argc, char** argv) {
  CLI::App app{"Times the training step on orders from standard input"};
  std::string corpus, preset = "dense-rope", folder;
  std::vector<std::string> sets;
  int threads = 0;
  app.add_option("--corpus", corpus, "Text to train on");
  app.add_option("--preset", preset, "Experiment");
  app.add_option("--threads", threads, "CPU threads");
  app.add_option("--set", sets, "key=value");
  app.add_option("--dump", folder, "Where the initial state goes");
  CLI11_PARSE(app, argc, argv);

  const train::DeviceSetup setup = train::set_up_device(train::Device::Auto, threads);
  experiments::Experiment experiment =
      experiments::load_preset(preset, setup.device.is_cuda() ? "gpu" : "cpu");
  for (const std::string& set : sets) {
    const auto equals = set.find('=');
    check(equals != std::string::npos, "--set wants key=value");
    experiments::set(experiment, set.substr(0, equals), set.substr(equals + 1));
  }
  experiments::validate(experiment);
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

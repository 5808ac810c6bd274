// A training run small enough for a test: generated text, a model of two narrow layers, everything the sink
// saw.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/data/random.h"
#include "engine/train/trainer.h"

namespace sparsescope::train {

// A folder of its own that disappears with the test, holding `text.txt`.
class TinyFolder {
 public:
  TinyFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("sparsescope-train-" + std::to_string(::getpid()) + "-" + std::to_string(next()++))) {
    std::filesystem::create_directories(path_);
    std::ofstream(text()) << generated_text(60'000);
  }
  // Not remove_all: libtorch.so exports a std::filesystem::remove_all that crashes.
  ~TinyFolder() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) files.push_back(entry.path());
    for (const auto& file : files) std::filesystem::remove(file);
    std::filesystem::remove(path_);
  }
  TinyFolder(const TinyFolder&) = delete;
  TinyFolder& operator=(const TinyFolder&) = delete;

  std::string text() const { return path_ / "text.txt"; }
  std::string file(const std::string& name) const { return path_ / name; }

  // Lines of words from a small vocabulary, in documents between blank lines.
  static std::string generated_text(std::size_t bytes, std::uint64_t seed = 1) {
    data::Random random(seed);
    std::string all;
    while (all.size() < bytes) {
      for (std::uint64_t words = 5 + random.below(60); words > 0; --words) {
        const std::uint64_t word = random.below(1 + random.below(200));
        for (std::uint64_t letter = 0; letter < 2 + word % 5; ++letter)
          all += static_cast<char>('a' + (word * 7 + letter * 5) % 26);
        all += random.below(9) == 0 ? '\n' : ' ';
      }
      all += "\n\n";
    }
    return all;
  }

 private:
  static int& next() {
    static int number = 0;
    return number;
  }
  std::filesystem::path path_;
};

inline experiments::Experiment tiny_experiment() {
  experiments::Experiment e;
  e.name = "tiny";
  e.title = "a tiny run";
  e.profile = "cpu";
  e.model.layers = 2;
  e.model.width = 32;
  e.model.heads = 2;
  e.model.context = 24;
  e.model.spark.rank = 8;
  e.model.spark.initial_theta_sigmas = 1.5;
  e.model.spark.fallback_window = 6;
  e.model.spark.inheritance = true;
  e.optimizer.warmup_steps = 5;
  e.data.tokenizer = experiments::TokenizerKind::Bytes;
  e.data.vocabulary = 256;
  e.train.steps = 20;
  e.train.batch = 4;
  e.train.threads = 1;
  e.evaluation.every = 10;
  e.evaluation.windows = 6;
  e.evaluation.needle_every = 0;
  e.evaluation.needle_trials = 2;
  e.evaluation.needle_length = 4;
  e.evaluation.needle_cue = 2;
  e.evaluation.needle_rejection = false;
  e.evaluation.needle_contexts = {1};
  e.evaluation.needle_contexts_on_demand = {1, 4};
  e.probe.every = 5;
  e.probe.edges_every = 2;
  e.probe.sequences = 2;
  e.probe.budget_percent = 0;  // every probe comes, whatever the machine is doing
  e.probe.measure_every_minutes = 0;
  return e;
}

// Keeps everything; `at_frame` may post commands to the trainer that sends.
class CollectingSink : public trace::FrameSink {
 public:
  void on_schema(trace::SchemaPtr s) override {
    order += 's';
    schema = std::move(s);
  }
  void on_frame(trace::FramePtr frame) override {
    order += 'f';
    frames.push_back(frame);
    if (at_frame) at_frame(*frame);
  }
  void on_end(const trace::RunEnd& e) override {
    order += 'e';
    end = e;
  }

  // One number of a dense channel by its labels (or indices), by step; of several frames of a step the last.
  template <typename T>
  std::map<std::uint64_t, T> series(const std::string& channel,
                                    const std::vector<std::string>& labels) const {
    const trace::Channel* c = schema->find(channel);
    std::size_t place = 0;
    for (std::size_t i = 0; i < c->axes.size(); ++i) {
      const std::int64_t index = c->axes[i].labels.empty() ? std::stoll(labels.at(i))
                                                           : c->label_index(c->axes[i].name, labels.at(i));
      check(index >= 0, "no label " + labels[i]);
      place = place * static_cast<std::size_t>(c->axes[i].size) + static_cast<std::size_t>(index);
    }
    std::map<std::uint64_t, T> found;
    for (const trace::FramePtr& frame : frames) {
      if (const trace::ChannelData* data = frame->find(c->id))
        found[frame->step] = trace::values_as<T>(*data)[place];
    }
    return found;
  }
  std::map<std::uint64_t, double> losses() const { return series<double>("scalars", {"cross_entropy"}); }

  std::vector<nlohmann::json> events() const {
    std::vector<nlohmann::json> all;
    for (const trace::FramePtr& frame : frames) {
      const trace::ChannelData* data = frame->find(schema->find("events")->id);
      if (data == nullptr) continue;
      for (std::size_t begin = 0; begin < data->bytes.size(); begin += 1024) {
        const char* text = reinterpret_cast<const char*>(data->bytes.data()) + begin;
        all.push_back(nlohmann::json::parse(std::string(text, strnlen(text, 1024))));
      }
    }
    return all;
  }
  std::vector<nlohmann::json> events(const std::string& kind) const {
    std::vector<nlohmann::json> chosen;
    for (const nlohmann::json& event : events()) {
      if (event["kind"] == kind) chosen.push_back(event);
    }
    return chosen;
  }

  trace::SchemaPtr schema;
  std::vector<trace::FramePtr> frames;
  trace::RunEnd end;
  std::string order;
  std::function<void(const trace::Frame&)> at_frame;
};

// A finished run and what it sent. `script` is called with the trainer and each frame, from the training
// thread.
struct TinyRun {
  using Script = std::function<void(Trainer&, const trace::Frame&)>;
  explicit TinyRun(RunRequest request, const Script& script = {}) {
    request.device = Device::Cpu;
    Trainer trainer(std::move(request), sink);
    if (script) sink.at_frame = [&](const trace::Frame& frame) { script(trainer, frame); };
    end = trainer.run();
    sink.at_frame = nullptr;
    status = trainer.status();
  }
  CollectingSink sink;
  trace::RunEnd end;
  Status status;
};

inline RunRequest tiny_request(const TinyFolder& folder,
                               const experiments::Experiment& experiment = tiny_experiment()) {
  RunRequest request;
  request.experiment = experiment;
  request.corpus = {folder.text()};
  return request;
}

}  // namespace sparsescope::train

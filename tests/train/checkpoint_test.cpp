// Checkpoints: what resumes is the same run bit for bit, what does not fit is refused in words.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/trace/error.h"
#include "engine/train/safetensors.h"
#include "tiny_run.h"

namespace sparsescope::train {
namespace {

experiments::Experiment forty_steps() {
  experiments::Experiment experiment = tiny_experiment();
  experiment.train.steps = 40;
  experiment.train.checkpoint_every = 10;
  return experiment;
}

RunRequest with_checkpoints(const TinyFolder& folder, const std::string& name) {
  RunRequest request = tiny_request(folder, forty_steps());
  request.checkpoint_stem = folder.file(name);
  return request;
}

std::string path_of(const TinyFolder& folder, const std::string& name, int step) {
  std::string digits = std::to_string(step);
  return folder.file(name + ".step-" + std::string(9 - digits.size(), '0') + digits + ".safetensors");
}

std::string refusal(const RunRequest& request) {
  CollectingSink sink;
  RunRequest on_cpu = request;
  on_cpu.device = Device::Cpu;
  try {
    Trainer(on_cpu, sink).run();
  } catch (const Error& error) {
    EXPECT_EQ(sink.order, "");
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(Checkpoints, TwentyStepsAfterResumingAreTheSameBits) {
  const TinyFolder folder;
  const TinyRun whole(with_checkpoints(folder, "whole"), [](Trainer& trainer, const trace::Frame& frame) {
    if (frame.row == 0) trainer.post(trace::SetControl{"sparsity_weight", 0.2});  // live scalars resume too
    if (frame.row == 0) trainer.post(trace::PauseAt{20});
    if (frame.step == 20 && trainer.status().state == Status::State::Paused) {
      trainer.post(trace::SaveCheckpoint{});  // kept although two follow
      trainer.post(trace::Resume{});
    }
  });
  RunRequest again = with_checkpoints(folder, "again");
  again.resume_checkpoint = path_of(folder, "whole", 20);
  const TinyRun resumed(again);
  ASSERT_EQ(resumed.end.status, trace::RunStatus::Finished) << resumed.end.message;
  const auto before = whole.sink.losses(), after = resumed.sink.losses();
  ASSERT_EQ(after.size(), 20u);
  for (std::uint64_t step = 21; step <= 40; ++step) EXPECT_EQ(after.at(step), before.at(step)) << step;
  for (const char* stat : {"theta", "displacement", "reach"}) {
    EXPECT_EQ(resumed.sink.series<float>("threshold", {"1", stat}).at(40),
              whole.sink.series<float>("threshold", {"1", stat}).at(40))
        << stat;
  }
  // The final checkpoints hold the same tensors, byte for byte.
  const TensorFile one = read_tensor_file(path_of(folder, "whole", 40)),
                   two = read_tensor_file(path_of(folder, "again", 40));
  ASSERT_EQ(one.tensors.size(), two.tensors.size());
  for (std::size_t i = 0; i < one.tensors.size(); ++i) {
    EXPECT_EQ(one.tensors[i].name, two.tensors[i].name);
    EXPECT_TRUE(std::equal(one.tensors[i].bytes.begin(), one.tensors[i].bytes.end(),
                           two.tensors[i].bytes.begin(), two.tensors[i].bytes.end()))
        << one.tensors[i].name;
  }
  // A resumed run is a branch that names its parent.
  ASSERT_TRUE(resumed.sink.schema->parent.has_value());
  EXPECT_EQ(resumed.sink.schema->parent->run_uuid, whole.sink.schema->run_uuid);
  EXPECT_EQ(resumed.sink.schema->parent->step, 20u);
  EXPECT_EQ(resumed.sink.schema->parent->checkpoint_sha256,
            read_tensor_file(path_of(folder, "whole", 20)).sha256);
  EXPECT_EQ(resumed.sink.frames.front()->step, 20u);
  EXPECT_TRUE(resumed.sink.events("warning").empty());
}

TEST(Checkpoints, KeepsTheLastTwoTheFinalOneAndThoseAskedFor) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"), [](Trainer& trainer, const trace::Frame& frame) {
    if (frame.row == 0) trainer.post(trace::PauseAt{5});
    if (trainer.status().state != Status::State::Paused) return;
    trainer.post(trace::SaveCheckpoint{});
    trainer.post(trace::Resume{});
  });
  std::vector<int> kept;
  for (int step = 0; step <= 40; ++step) {
    if (std::filesystem::exists(path_of(folder, "run", step))) kept.push_back(step);
  }
  EXPECT_EQ(kept, (std::vector<int>{5, 20, 30, 40}));
  const std::vector<nlohmann::json> events = run.sink.events("checkpoint");
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back()["sha256"], read_tensor_file(path_of(folder, "run", 40)).sha256);
  EXPECT_EQ(events.back()["file"], "run.step-000000040.safetensors");
  EXPECT_EQ(events.back()["bytes"], std::filesystem::file_size(path_of(folder, "run", 40)));
}

TEST(Checkpoints, HoldNoFolderAndNoHostName) {
  const TinyFolder folder;
  RunRequest request = with_checkpoints(folder, "run");
  request.experiment.data.corpus = folder.text();  // as an experiment file may say it
  request.corpus.clear();
  const TinyRun run(request);
  char host[256] = {};
  ASSERT_EQ(::gethostname(host, sizeof host - 1), 0);
  std::string all =
      run.sink.schema->experiment_json + run.sink.schema->build_json + run.sink.schema->device_json;
  for (const auto& [key, value] : read_tensor_file(path_of(folder, "run", 40)).metadata) all += value;
  for (const nlohmann::json& event : run.sink.events()) all += event.dump();
  EXPECT_EQ(all.find(std::filesystem::temp_directory_path().string()), std::string::npos);
  EXPECT_EQ(all.find("\"" + std::string(host) + "\""), std::string::npos);
}

void damage(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-5, std::ios::end);
  file.put('\x55');
}

TEST(Checkpoints, FromADamagedOneTheRunStepsBackToTheNewestWholeOneAndSaysSo) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"));  // leaves 20, 30 and 40
  const TinyRun other(with_checkpoints(folder, "run2"));
  RunRequest request = with_checkpoints(folder, "again");
  request.resume_checkpoint = path_of(folder, "run", 30);
  damage(request.resume_checkpoint);
  const TinyRun resumed(request);
  ASSERT_EQ(resumed.end.status, trace::RunStatus::Finished) << resumed.end.message;
  ASSERT_TRUE(resumed.sink.schema->parent.has_value());
  EXPECT_EQ(resumed.sink.schema->parent->step, 20u);
  EXPECT_EQ(resumed.sink.schema->parent->run_uuid, run.sink.schema->run_uuid);
  EXPECT_EQ(resumed.sink.losses().begin()->second, run.sink.losses().at(21));
  ASSERT_EQ(resumed.sink.events("warning").size(), 1u);
  const std::string words = resumed.sink.events("warning")[0]["text"];
  EXPECT_NE(words.find("digest"), std::string::npos) << words;
  EXPECT_NE(words.find("resuming from run.step-000000020.safetensors instead"), std::string::npos) << words;
  EXPECT_EQ(resumed.status.notice, words);
}

TEST(Checkpoints, WhenNoEarlierOneIsWholeTheRefusalIsOneSentence) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"));
  RunRequest request = with_checkpoints(folder, "again");
  request.resume_checkpoint = path_of(folder, "run", 30);
  damage(path_of(folder, "run", 20));
  damage(path_of(folder, "run", 30));
  std::string words = refusal(request);
  EXPECT_NE(words.find("digest"), std::string::npos) << words;
  EXPECT_NE(words.find("nor is the earlier one of that run whole"), std::string::npos) << words;
  request.resume_checkpoint = path_of(folder, "run", 20);
  words = refusal(request);
  EXPECT_NE(words.find("no earlier checkpoint of that run"), std::string::npos) << words;
}

TEST(Checkpoints, WhatIsNoCheckpointIsRefusedInWords) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"));
  RunRequest request = with_checkpoints(folder, "again");
  request.resume_checkpoint = folder.file("absent.safetensors");
  EXPECT_NE(refusal(request).find("does not exist"), std::string::npos);
  request.resume_checkpoint = path_of(folder, "run", 35);  // the others beside it are not what was asked for
  EXPECT_NE(refusal(request).find("does not exist"), std::string::npos);
  request.resume_checkpoint = folder.text();
  EXPECT_NE(refusal(request).find("not a usable checkpoint"), std::string::npos);
}

TEST(Checkpoints, ThatCannotBeWrittenAreAWarningAndTrainingGoesOn) {
  const TinyFolder folder;
  RunRequest request = with_checkpoints(folder, "run");
  request.checkpoint_stem = folder.file("absent/run");
  const TinyRun run(request);
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(run.sink.losses().size(), 40u);
  EXPECT_TRUE(run.sink.events("checkpoint").empty());
  std::vector<int> steps;
  for (const nlohmann::json& event : run.sink.events("warning")) {
    EXPECT_EQ(event["what"], "checkpoint");
    EXPECT_NE(event["text"].get<std::string>().find("cannot be written"), std::string::npos);
    steps.push_back(event["checkpoint_step"]);
  }
  EXPECT_EQ(steps, (std::vector<int>{10, 20, 30, 40}));
}

TEST(Checkpoints, HoldTheStateOfTheirStepAlthoughTheyAreWrittenLater) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"));
  for (const nlohmann::json& event : run.sink.events("checkpoint")) {
    EXPECT_GE(event["step"], event["checkpoint_step"]);
    if (event["checkpoint_step"] == 10) continue;  // two later ones have followed it
    const TensorFile file = read_tensor_file(folder.file(event["file"]));
    EXPECT_EQ(file.metadata.at("step"), std::to_string(event["checkpoint_step"].get<int>()));
    EXPECT_EQ(file.sha256, event["sha256"]);
  }
  EXPECT_EQ(run.sink.events("checkpoint").size(), 4u);
}

TEST(Checkpoints, OneThatDoesNotFitTheExperimentIsRefusedInWords) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"));
  RunRequest request = with_checkpoints(folder, "again");
  request.resume_checkpoint = path_of(folder, "run", 30);
  request.experiment.model.width = 48;
  EXPECT_NE(refusal(request).find("[256, 48]"), std::string::npos);
  request.experiment = forty_steps();
  request.experiment.model.layers = 1;
  EXPECT_NE(refusal(request).find("tensors"), std::string::npos);
  request.experiment = forty_steps();
  request.experiment.train.steps = 30;
  EXPECT_NE(refusal(request).find("more steps"), std::string::npos);
  request.experiment = forty_steps();
  request.experiment.data.tokenizer = experiments::TokenizerKind::Bpe;
  request.experiment.data.vocabulary = 300;
  EXPECT_NE(refusal(request).find("tokenizer"), std::string::npos);
}

TEST(Checkpoints, WhatWillNotBeBitwiseEqualIsSaid) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"));
  RunRequest request = with_checkpoints(folder, "again");
  request.resume_checkpoint = path_of(folder, "run", 30);
  request.experiment.train.threads = 2;
  request.experiment.optimizer.weight_decay = 0.05;
  // None of these can change a bit.
  request.experiment.title = "another title";
  request.experiment.train.pace = 500;
  request.experiment.evaluation.every = 7;
  request.experiment.probe.every = 3;
  request.experiment.sample.every = 9;
  request.experiment.train.checkpoint_every = 0;
  const TinyRun resumed(request);
  ASSERT_EQ(resumed.sink.events("warning").size(), 1u);
  const std::string words = resumed.sink.events("warning")[0]["text"];
  EXPECT_NE(words.find("threads: 1 there, 2 here"), std::string::npos) << words;
  EXPECT_NE(words.find("optimizer.weight_decay: 0.1 there, 0.05 here"), std::string::npos) << words;
  for (const char* key : {"title", "pace", "evaluation", "probe", "sample", "checkpoint_every", "commit"})
    EXPECT_EQ(words.find(key), std::string::npos) << words;
}

// A parameter that is no number must stop training, not turn gates off.
TEST(Checkpoints, ANonFiniteParameterRaisesNumericAndPausesInWords) {
  const TinyFolder folder;
  const TinyRun run(with_checkpoints(folder, "run"));
  for (const std::string parameter :
       {"model.blocks.1.mixer.wz", "model.spark.addresses", "model.blocks.0.mixer.wqkv"}) {
    TensorFile file = read_tensor_file(path_of(folder, "run", 30));
    const NamedTensor* tensor = nullptr;
    for (const NamedTensor& candidate : file.tensors) {
      if (candidate.name.find(parameter) == 0) tensor = &candidate;
    }
    ASSERT_NE(tensor, nullptr) << parameter;
    const std::vector<float> nan(tensor->bytes.size() / sizeof(float),
                                 std::numeric_limits<float>::quiet_NaN());
    std::memcpy(const_cast<std::byte*>(tensor->bytes.data()), nan.data(), tensor->bytes.size());
    write_tensor_file(folder.file("nan.safetensors"), file.metadata, file.tensors);

    RunRequest request = with_checkpoints(folder, "again");
    request.checkpoint_stem.clear();
    request.resume_checkpoint = folder.file("nan.safetensors");
    std::string message;
    const TinyRun resumed(request, [&](Trainer& trainer, const trace::Frame& frame) {
      if ((frame.flags & trace::kFlagNonFinite) == 0) return;
      message = trainer.status().message;
      EXPECT_EQ(trainer.status().state, Status::State::Paused);
      trainer.post(trace::Stop{});
    });
    EXPECT_EQ(resumed.end.status, trace::RunStatus::Stopped);
    EXPECT_NE(message.find("paused"), std::string::npos) << parameter << ": " << message;
    EXPECT_NE(message.find("step 31"), std::string::npos) << message;
    EXPECT_EQ(resumed.sink.losses().size(), 1u);
    bool warned = false;
    for (const nlohmann::json& event : resumed.sink.events("warning"))
      warned = warned || event.value("what", "") == "non-finite";
    EXPECT_TRUE(warned) << parameter;
  }
}

}  // namespace
}  // namespace sparsescope::train

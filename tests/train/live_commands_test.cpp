// Live commands: applied between steps, allowed while paused, recorded with old and new value, and undone by
// nothing.
#include <gtest/gtest.h>

#include <cmath>

#include "tiny_run.h"

namespace sparsescope::train {
namespace {

// Acts once, at the first frame that carries the scalars of `step`.
TinyRun::Script at_step(std::uint64_t step, std::function<void(Trainer&)> act) {
  auto done = std::make_shared<bool>(false);
  return [=](Trainer& trainer, const trace::Frame& frame) {
    if (*done || frame.step != step) return;
    *done = true;
    act(trainer);
  };
}

nlohmann::json only_command(const CollectingSink& sink, const std::string& name) {
  nlohmann::json found;
  for (const nlohmann::json& event : sink.events("command")) {
    if (event["command"] == name) found = event;
  }
  return found;
}

TEST(LiveCommands, AControlIsRecordedWithOldAndNewValueAndActsFromTheNextStep) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder), at_step(8, [](Trainer& trainer) {
                      trainer.post(trace::SetControl{"learning_rate_scale", 0.5});
                    }));
  const nlohmann::json event = only_command(run.sink, "set");
  EXPECT_EQ(event["name"], "learning_rate_scale");
  EXPECT_EQ(event["old"], 1.0);
  EXPECT_EQ(event["new"], 0.5);
  EXPECT_EQ(event["step"], 8);
  const TinyRun plain(tiny_request(folder));
  const auto changed = run.sink.series<double>("scalars", {"learning_rate"}),
             usual = plain.sink.series<double>("scalars", {"learning_rate"});
  EXPECT_EQ(changed.at(8), usual.at(8));
  EXPECT_EQ(changed.at(9), 0.5 * usual.at(9));
  for (const trace::Control& control : run.status.controls) {
    if (control.name == "learning_rate_scale") {
      EXPECT_EQ(control.value, 0.5);
    }
  }
}

TEST(LiveCommands, AValueThatIsSetAlreadyIsNoEventAndOfManyOnTheWayTheLastCounts) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder), at_step(5, [](Trainer& trainer) {
                      for (double value : {0.0, 0.1, 0.2, 0.3})
                        trainer.post(trace::SetControl{"sparsity_weight", value});
                      trainer.post(trace::SetControl{"pace", 0});
                    }));
  const nlohmann::json set = only_command(run.sink, "set");
  EXPECT_EQ(set["name"], "sparsity_weight");
  EXPECT_EQ(set["old"], 0);
  EXPECT_EQ(set["new"], 0.3);
}

TEST(LiveCommands, FrozenThresholdsStandStillAndGoOnWhenReleased) {
  const TinyFolder folder;
  const TinyRun::Script freeze = at_step(5, [](Trainer& trainer) {
    trainer.post(trace::SetControl{"threshold_freeze", 1});
  });
  const TinyRun::Script release = at_step(15, [](Trainer& trainer) {
    trainer.post(trace::SetControl{"threshold_freeze", 0});
  });
  const TinyRun run(tiny_request(folder), [&](Trainer& trainer, const trace::Frame& frame) {
    freeze(trainer, frame);
    release(trainer, frame);
  });
  const auto theta = run.sink.series<float>("threshold", {"0", "theta"}),
             reach = run.sink.series<float>("threshold", {"0", "reach"});
  for (std::uint64_t step = 6; step <= 15; ++step) {
    EXPECT_EQ(theta.at(step), theta.at(5));
    EXPECT_EQ(reach.at(step), reach.at(5));
  }
  EXPECT_NE(theta.at(16), theta.at(15));
}

TEST(LiveCommands, AClampHoldsThresholdsAtOnceAndForGood) {
  const TinyFolder folder;
  float clamp = 0;
  const TinyRun run(tiny_request(folder), [&](Trainer& trainer, const trace::Frame& frame) {
    if (frame.step != 5 || clamp != 0) return;
    clamp = static_cast<float>(trainer.status().mean_theta + 0.25);
    trainer.post(trace::SetControl{"threshold_min", clamp});
  });
  for (const char* layer : {"0", "1"}) {
    const auto theta = run.sink.series<float>("threshold", {layer, "theta"});
    EXPECT_LT(theta.at(5), clamp);
    for (std::uint64_t step = 6; step <= 20; ++step) EXPECT_GE(theta.at(step), clamp - 1e-6) << step;
  }
}

TEST(LiveCommands, TheSparsityWeightEntersTheLossAndIsItsOwnTerm) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder), at_step(5, [](Trainer& trainer) {
                      trainer.post(trace::SetControl{"sparsity_weight", 0.5});
                    }));
  const auto total = run.sink.series<double>("scalars", {"total_loss"}), entropy = run.sink.losses(),
             sparsity = run.sink.series<double>("scalars", {"sparsity"});
  EXPECT_NEAR(total.at(5), entropy.at(5), 1e-6);
  EXPECT_NEAR(total.at(6), entropy.at(6) + 0.5 * sparsity.at(6), 1e-5);
  EXPECT_GT(sparsity.at(6), 0);
}

TEST(LiveCommands, WhatMakesNoSenseIsRefusedInWordsAndChangesNothing) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder), at_step(4, [](Trainer& trainer) {
                      trainer.post(trace::SetControl{"warp_factor", 9});
                      trainer.post(trace::SetControl{"learning_rate_scale", -1});
                      trainer.post(trace::PauseAt{2});
                      trainer.post(trace::SetControl{"learning_rate_scale", std::nan("")});
                      trainer.post(trace::SaveCheckpoint{});
                      trainer.post(trace::EvaluateNow{{1000}});
                      trainer.post(trace::CancelEvaluation{});
                    }));
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(run.sink.events("warning").size(), 6u);
  EXPECT_EQ(run.sink.losses(), TinyRun(tiny_request(folder)).sink.losses());
}

TEST(LiveCommands, PausedItObeysOneStepAControlAndResume) {
  const TinyFolder folder;
  RunRequest request = tiny_request(folder);
  request.start_paused = true;
  std::vector<Status::State> states;
  int phase = 0;
  const TinyRun run(request, [&](Trainer& trainer, const trace::Frame& frame) {
    if (phase == 0 && frame.row == 0) {
      phase = 1;
      trainer.post(trace::StepOnce{});
    } else if (phase == 1 && frame.step == 1) {
      phase = 2;
      states.push_back(trainer.status().state);
      trainer.post(trace::SetControl{"learning_rate_scale", 0.25});
    } else if (phase == 2) {
      phase = 3;
      EXPECT_EQ(frame.step, 1u);  // several frames share a step while paused
      trainer.post(trace::Resume{});
    }
  });
  EXPECT_EQ(states, std::vector<Status::State>{Status::State::Paused});
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(only_command(run.sink, "step_once")["step"], 0);
  EXPECT_EQ(only_command(run.sink, "set")["step"], 1);
  EXPECT_EQ(only_command(run.sink, "resume")["old"], "paused");
  EXPECT_EQ(only_command(run.sink, "resume")["new"], "training");
}

TEST(LiveCommands, PausingAndSteppingOneByOneGiveTheSameLosses) {
  const TinyFolder folder;
  RunRequest request = tiny_request(folder);
  request.start_paused = true;
  const TinyRun stepped(request, [](Trainer& trainer, const trace::Frame& frame) {
    if (frame.row == 0) {
      for (int i = 0; i < 20; ++i) trainer.post(trace::StepOnce{});
    }
  });
  EXPECT_EQ(stepped.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(stepped.sink.losses(), TinyRun(tiny_request(folder)).sink.losses());
}

TEST(LiveCommands, PausesAtTheAskedStepAndSaysWhy) {
  const TinyFolder folder;
  std::string message;
  std::uint64_t paused_at = 0;
  const TinyRun run(tiny_request(folder), [&](Trainer& trainer, const trace::Frame& frame) {
    if (frame.row == 0) trainer.post(trace::PauseAt{7});
    const Status status = trainer.status();
    if (status.state == Status::State::Paused && paused_at == 0) {
      paused_at = frame.step;
      message = status.message;
      trainer.post(trace::Resume{});
    }
  });
  EXPECT_EQ(paused_at, 7u);
  EXPECT_NE(message.find("7"), std::string::npos);
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(run.sink.losses(), TinyRun(tiny_request(folder)).sink.losses());
}

TEST(LiveCommands, EvaluateNowFillsTheAskedContextsAndLeavesTheOthersNaN) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder),
                    at_step(6, [](Trainer& trainer) { trainer.post(trace::EvaluateNow{{4}}); }));
  EXPECT_TRUE(run.sink.series<double>("evaluation", {"val_nll"}).contains(6));
  EXPECT_TRUE(std::isfinite(run.sink.series<float>("needle", {"4x", "0.5", "signal"}).at(6)));
  EXPECT_TRUE(std::isnan(run.sink.series<float>("needle", {"1x", "0.5", "signal"}).at(6)));
  EXPECT_EQ(run.sink.series<float>("needle", {"4x", "0.5", "trials"}).at(6), 2);
  EXPECT_EQ(run.sink.losses(), TinyRun(tiny_request(folder)).sink.losses());
}

TEST(LiveCommands, ContextsAskedForComeOneByOneEachInItsFrame) {
  const TinyFolder folder;
  const TinyRun run(tiny_request(folder), at_step(6, [](Trainer& trainer) {
                      trainer.post(trace::EvaluateNow{{1, 4}});
                    }));
  const trace::Channel* needle = run.sink.schema->find("needle");
  const std::size_t context = needle->unit_count() / needle->axes.front().size;
  std::vector<std::vector<bool>> evaluated;
  for (const trace::FramePtr& frame : run.sink.frames) {
    const trace::ChannelData* row = frame->step == 6 ? frame->find(needle->id) : nullptr;
    if (row == nullptr) continue;
    const auto values = trace::values_as<float>(*row);
    evaluated.push_back({std::isfinite(values[0]), std::isfinite(values[context])});
  }
  EXPECT_EQ(evaluated, (std::vector<std::vector<bool>>{{true, false}, {false, true}}));
  EXPECT_EQ(run.sink.losses(), TinyRun(tiny_request(folder)).sink.losses());
}

TEST(LiveCommands, EdgesAreRecordedOnDemandAndChangeNothing) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.probe.edges_every = 0;
  const TinyRun run(tiny_request(folder, experiment),
                    at_step(7, [](Trainer& trainer) { trainer.post(trace::RecordEdges{}); }));
  const trace::Channel* edges = run.sink.schema->find("edges");
  std::vector<std::uint64_t> steps;
  for (const trace::FramePtr& frame : run.sink.frames) {
    if (frame->find(edges->id) != nullptr) steps.push_back(frame->step);
  }
  EXPECT_EQ(steps, std::vector<std::uint64_t>{7});
  EXPECT_EQ(only_command(run.sink, "record_edges")["new"], 7);
  EXPECT_EQ(run.sink.losses(), TinyRun(tiny_request(folder)).sink.losses());

  experiment.model.mixer = experiments::MixerKind::Dense;
  const TinyRun dense(tiny_request(folder, experiment),
                      at_step(7, [](Trainer& trainer) { trainer.post(trace::RecordEdges{}); }));
  EXPECT_EQ(dense.sink.events("warning").size(), 1u);
}

TEST(LiveCommands, ContextsBeyondLearnedPositionsAreNotApplicable) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.model.position = experiments::PositionKind::Learned;
  experiment.model.max_positions = 24;
  experiment.evaluation.needle_contexts = {1, 4};
  const TinyRun run(tiny_request(folder, experiment));
  EXPECT_TRUE(std::isnan(run.sink.series<float>("needle", {"4x", "0.1", "signal"}).at(20)));
  EXPECT_TRUE(std::isfinite(run.sink.series<float>("needle", {"1x", "0.1", "signal"}).at(20)));
  bool said = false;
  for (const nlohmann::json& note : run.sink.events("note"))
    said = said || note["text"].get<std::string>().find("not applicable") != std::string::npos;
  EXPECT_TRUE(said);
}

TEST(LiveCommands, AnEvaluationIsCancelledBetweenItsPartsAndTrainingGoesOn) {
  const TinyFolder folder;
  experiments::Experiment experiment = tiny_experiment();
  experiment.evaluation.needle_trials = 64;
  const TinyRun run(tiny_request(folder, experiment), at_step(5, [](Trainer& trainer) {
                      trainer.post(trace::EvaluateNow{{4}});
                      trainer.post(trace::CancelEvaluation{});
                    }));
  EXPECT_EQ(run.end.status, trace::RunStatus::Finished);
  EXPECT_EQ(only_command(run.sink, "cancel_evaluation")["new"], "cancelled");
  const trace::Channel* needle = run.sink.schema->find("needle");
  for (const trace::FramePtr& frame : run.sink.frames) {
    if (frame->step != 5) continue;
    EXPECT_EQ(frame->find(needle->id), nullptr) << "what was cancelled went on";
  }
  EXPECT_EQ(run.sink.losses(), TinyRun(tiny_request(folder)).sink.losses());
}

TEST(LiveCommands, StopEndsTheRunCleanlyAlsoInsideAnEvaluation) {
  const TinyFolder folder;
  RunRequest request = tiny_request(folder);
  request.checkpoint_stem = folder.file("run");
  const TinyRun run(request, at_step(6, [](Trainer& trainer) {
                      trainer.post(trace::EvaluateNow{{1, 4}});
                      trainer.post(trace::Stop{});
                    }));
  EXPECT_EQ(run.end.status, trace::RunStatus::Stopped);
  EXPECT_EQ(run.sink.frames.back()->step, 6u);
  EXPECT_EQ(run.sink.order.back(), 'e');
  EXPECT_EQ(run.status.state, Status::State::Stopped);
  EXPECT_TRUE(std::filesystem::exists(folder.file("run.step-000000006.safetensors")));
}

}  // namespace
}  // namespace sparsescope::train

// The facade: prepares a run, hands it to the loop, and turns whatever goes wrong into one sentence.
#include "engine/train/trainer.h"

#include <c10/util/Exception.h>

#include <new>

#include "engine/train/training_loop.h"

namespace sparsescope::train {
namespace {

// A library's exception as one sentence: its first line.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string out_of_memory_words(const experiments::Experiment& experiment) {
  return "out of memory: lower train.batch (now " + std::to_string(experiment.train.batch) +
         "), model.context (now " + std::to_string(experiment.model.context) + ") or probe.sequences (now " +
         std::to_string(experiment.probe.sequences) + ")";
}

std::string lost_words(const std::string& cuda_words) {
  return "the GPU was lost (CUDA says: " + cuda_words +
         "): what was recorded is kept; start the program anew to train on, from the last checkpoint with "
         "--resume";
}

// Calls `act`; what it throws leaves as Error with one sentence. Words are made inside the handler, tensors
// die with it.
template <typename Act>
auto in_words(const experiments::Experiment& experiment, Act&& act) {
  std::string words;
  try {
    return act();
  } catch (const Error&) {
    throw;
  } catch (const data::Cancelled&) {
    throw;
  } catch (const c10::OutOfMemoryError&) {
    words = out_of_memory_words(experiment);
  } catch (const std::bad_alloc&) {
    words = out_of_memory_words(experiment);
  } catch (const c10::Error& error) {
    words = "LibTorch failed: " + first_line(error.what_without_backtrace());
  } catch (const std::exception& error) {
    words = first_line(error.what());
  }
  throw Error(words);
}

}  // namespace

struct Trainer::Impl {
  RunRequest request;
  trace::FrameSink& sink;
  Inbox inbox;
  StatusBoard board;

  // Everything a run is made of, built in this order.
  struct Run {
    DeviceSetup setup;
    std::optional<Checkpoint> parent;
    std::string notice;  // about the parent
    data::PreparedData data;
    std::unique_ptr<TrainingState> state;
    FixedTexts texts;
    std::string uuid;
    trace::SchemaPtr schema;
  };

  Run prepare();
  trace::RunEnd train(Run& run);
};

Trainer::Trainer(RunRequest request, trace::FrameSink& sink)
    : impl_(new Impl{std::move(request), sink, {}, {}}) {
  experiments::validate(impl_->request.experiment);
  resolve_device(impl_->request.device);
}

Trainer::~Trainer() = default;

void Trainer::post(trace::Command command) { impl_->inbox.post(std::move(command)); }

Status Trainer::status() const { return impl_->board.read(); }

Trainer::Impl::Run Trainer::Impl::prepare() {
  const experiments::Experiment& experiment = request.experiment;
  Run run;
  run.setup = set_up_device(request.device, experiment.train.threads);
  board.update([&](Status& status) {
    status.device = run.setup.words;
    status.planned_steps = static_cast<std::uint64_t>(experiment.train.steps);
  });
  if (!request.resume_checkpoint.empty()) {
    FoundCheckpoint found = find_checkpoint(request.resume_checkpoint);
    run.parent = std::move(found.checkpoint);
    run.notice = found.notice;
    board.update([&](Status& status) { status.notice = run.notice; });
  }
  data::Task task;
  task.progress = [this](const std::string& text, double fraction) {
    board.update([&](Status& status) { status.progress = {text, fraction}; });
  };
  task.cancelled = [this] { return inbox.interrupt() == Inbox::Interrupt::Stop; };
  run.data = data::prepare(experiment.data, request.corpus, experiment.model.context, task);
  if (!run.data.warnings.empty()) {
    board.update([&](Status& status) {
      for (const std::string& warning : run.data.warnings)
        status.notice += (status.notice.empty() ? "" : " ") + warning;
    });
  }
  task.report("building the model", -1);
  // What is recorded names the text, never a path of this machine.
  experiments::Experiment recorded = experiment;
  recorded.data.corpus = run.data.corpus.source;
  run.state = std::make_unique<TrainingState>(recorded, run.data, run.setup);
  board.update([&](Status& status) { status.device = run.state->setup().words; });
  if (run.parent) {
    restore_checkpoint(*run.state, *run.parent, run.data);
    run.parent->file.tensors.clear();  // the metadata is still asked for
    run.parent->file.storage = {};
    if (run.state->counters().steps >= static_cast<std::uint64_t>(experiment.train.steps)) {
      throw Error("the checkpoint is at step " + std::to_string(run.parent->step) +
                  " and the run ends at step " + std::to_string(experiment.train.steps) +
                  "; ask for more steps");
    }
  }
  run.texts = choose_texts(*run.state, run.data);
  run.uuid = new_uuid();
  run.schema = make_schema(*run.state, run.texts, run.uuid, run.parent ? &*run.parent : nullptr);
  return run;
}

trace::RunEnd Trainer::Impl::train(Run& run) {
  CheckpointKeeper checkpoints(request.checkpoint_stem, run.uuid, [this] { inbox.wake(); });
  auto loop = std::make_unique<TrainingLoop>(
      RunParts{.state = *run.state,
               .data = run.data,
               .texts = run.texts,
               .schema = run.schema,
               .sink = sink,
               .inbox = inbox,
               .board = board,
               .checkpoints = checkpoints,
               .parent = run.parent ? &*run.parent : nullptr,
               .notice = run.notice,
               .recorded = request.recorded,
               .start = request.start_paused ? RunParts::Start::Paused : RunParts::Start::Running});
  trace::RunEnd end;
  std::string lost;
  try {
    end.status = in_words(request.experiment, [&] { return loop->run(); });
  } catch (const Error& error) {
    lost = lost_device_words(run.setup.device);
    end = {trace::RunStatus::Failed, lost.empty() ? error.what() : lost_words(lost)};
  }
  loop->send_end(end.status, end.message);
  if (!lost.empty()) {
    // Nothing can be given back to a lost device; trying to would end the program.
    static_cast<void>(loop.release());
    static_cast<void>(run.state.release());
  }
  return end;
}

trace::RunEnd Trainer::run() {
  Impl& impl = *impl_;
  Impl::Run run;
  try {
    run = in_words(impl.request.experiment, [&] { return impl.prepare(); });
  } catch (const std::exception& failure) {
    const bool is_cancelled = dynamic_cast<const data::Cancelled*>(&failure) != nullptr;
    const std::string words = is_cancelled ? "stopped before training began" : failure.what();
    impl.board.update([&](Status& status) {
      status.state = is_cancelled ? Status::State::Stopped : Status::State::Failed;
      status.message = words;
    });
    if (is_cancelled) throw Error(words);
    throw;
  }
  trace::RunEnd end;
  try {
    impl.sink.on_schema(run.schema);
    end = impl.train(run);
    impl.sink.on_end(end);
  } catch (const std::exception& failure) {
    impl.board.update([&](Status& status) {
      status.state = Status::State::Failed;
      status.message = failure.what();
    });
    throw;
  }
  impl.board.update([&](Status& status) {
    status.state = end.status == trace::RunStatus::Finished  ? Status::State::Finished
                   : end.status == trace::RunStatus::Stopped ? Status::State::Stopped
                                                             : Status::State::Failed;
    status.message = end.message;
    status.seconds_left = 0;
  });
  return end;
}

}  // namespace sparsescope::train

#include "viz/frame/jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgui.h"
#include "viz/frame/overlay.h"
#include "viz/frame/state.h"
#include "viz/model/format.h"

namespace sparsescope::frame {
namespace {

constexpr double kShortest = 0.1;  // seconds; what is over sooner was no job

void add_readings(const State& state, std::vector<Job>& jobs) {
  for (const auto& run : state.timeline.runs()) {
    const viz::Feed* feed = state.timeline.feed(run->id());
    if (feed == nullptr || !feed->progress || run->end() != nullptr) continue;
    const viz::LoadProgress progress = feed->progress();
    if (progress.rows_read >= progress.rows_total) continue;
    jobs.push_back(
        {Job::Kind::Reading, run->id(), "Reading " + feed->name,
         fmt::format("{} of {} rows, {}", viz::format_count(static_cast<std::int64_t>(progress.rows_read)),
                     viz::format_count(static_cast<std::int64_t>(progress.rows_total)),
                     viz::format_bytes(static_cast<double>(progress.bytes_read))),
         static_cast<double>(progress.rows_read) / static_cast<double>(progress.rows_total)});
  }
}

void add_trainers(const State& state, std::vector<Job>& jobs) {
  using S = TrainerStatus::State;
  if (!state.trainer || !state.trainer_run) return;
  if (state.trainer->state != S::Preparing && state.trainer->state != S::Evaluating) return;
  const bool prepares = state.trainer->state == S::Preparing;
  jobs.push_back({prepares ? Job::Kind::Preparing : Job::Kind::Evaluating, *state.trainer_run,
                  prepares ? "Preparing the run" : "Evaluating", state.trainer->progress_text,
                  state.trainer->progress_fraction});
}

void add_recovery(const State& state, std::vector<Job>& jobs) {
  const std::optional<Recovery> recovery = state.host.recovery();
  if (!recovery || recovery->state != Recovery::State::Running) return;
  const auto name = [](const std::string& path) { return path.substr(path.find_last_of('/') + 1); };
  jobs.push_back({Job::Kind::Recovering, static_cast<std::uint32_t>(recovery->number),
                  "Recovering " + name(recovery->from), "into " + name(recovery->to), recovery->fraction});
}

// What became of a job that no longer runs.
std::string result_of(const State& state, const Job& job) {
  if (job.kind == Job::Kind::Recovering) {
    const std::optional<Recovery> last = state.host.recovery();
    return last && last->number == static_cast<int>(job.run) ? last->words : "over";
  }
  const viz::Run* run = state.timeline.find(job.run);
  if (run == nullptr) return "the run was closed";
  if (job.kind != Job::Kind::Reading) {
    if (state.trainer_run == job.run && state.trainer && state.trainer->state == TrainerStatus::State::Failed)
      return state.trainer->message;
    return job.fraction >= 0 && job.fraction < 0.9 ? "ended early" : "done";
  }
  if (run->end() == nullptr) return "done; the recording still grows";
  if (run->end()->status == trace::RunStatus::Failed || !run->end()->message.empty())
    return run->end()->message;
  return fmt::format("done, {} rows", viz::format_count(static_cast<std::int64_t>(run->rows())));
}

void draw_job(State& state, const Job& job, int index) {
  ImGui::PushID(index);
  ui::row(job.what, viz::format_duration(job.seconds), Token::Muted);
  if (job.result.empty()) {
    if (ui::progress("bar", job.fraction, job.detail, job.kind != Job::Kind::Preparing)) cancel(state, job);
  } else {
    ui::muted(job.result);
  }
  ImGui::Dummy({0, px(6)});
  ImGui::PopID();
}

}  // namespace

void Jobs::update(const State& state) {
  std::vector<Job> now;
  add_readings(state, now);
  add_trainers(state, now);
  add_recovery(state, now);
  for (Job& job : running_) {
    const auto same =
        std::find_if(now.begin(), now.end(), [&](const Job& other) { return other.is_same(job); });
    job.seconds += state.seconds;
    if (same != now.end()) {
      same->seconds = job.seconds;
    } else if (job.seconds >= kShortest) {
      job.result = result_of(state, job);
      history_.push_front(std::move(job));
    }
  }
  running_ = std::move(now);
  if (history_.size() > kMostKept) history_.resize(kMostKept);
}

void cancel(State& state, const Job& job) {
  if (job.kind == Job::Kind::Recovering) return state.host.cancel_recovery();
  if (job.kind == Job::Kind::Evaluating) return run_command(state, "train.cancel_evaluation");
  const viz::Feed* feed = state.timeline.feed(job.run);
  if (feed != nullptr && feed->cancel_loading) feed->cancel_loading();
}

void draw_jobs(State& state) {
  if (!state.show_jobs) return;
  if (begin_overlay("jobs", 520, 480, state.show_jobs)) {
    {
      FontScope font(Font::SemiBold, kTitleText - 2);
      ImGui::TextUnformatted("Jobs");
    }
    const std::vector<Job> running = state.jobs.running();  // a cancelled one may go while it is drawn
    int index = 0;
    for (const Job& job : running) draw_job(state, job, index++);
    if (running.empty()) ui::muted("Nothing runs in the background");
    if (!state.jobs.history().empty()) {
      ImGui::Dummy({0, px(6)});
      ui::heading("Before");
    }
    for (const Job& job : state.jobs.history()) draw_job(state, job, index++);
  }
  ImGui::End();
}

}  // namespace sparsescope::frame

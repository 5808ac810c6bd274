// The last line: the state in words, rates, recording, drops, device, and what is missing here.
#include <fmt/format.h>

#include "viz/frame/state.h"
#include "viz/model/format.h"

namespace sparsescope::frame {

StateWords trainer_words(const TrainerStatus& trainer) {
  using S = TrainerStatus::State;
  switch (trainer.state) {
    case S::Preparing:
      return {"Loading", ui::Tone::Neutral};
    case S::Paused:
      return {"Paused", ui::Tone::Warn};
    default:
      return {"Training", ui::Tone::Accent};
  }
}

// Of the selected run: a trainer behind another one has its own words in the list of runs.
StateWords state_words(State& state) {
  viz::Run* run = state.run();
  if (run != nullptr && state.trains(*run)) return trainer_words(*state.trainer);
  if (run != nullptr && state.is_trainers(*run) && state.trainer->state == TrainerStatus::State::Failed)
    return {"Failed", ui::Tone::Error};
  const std::optional<Recovery> recovery = state.host.recovery();
  if (recovery && recovery->state == Recovery::State::Running) return {"Recovering", ui::Tone::Accent};
  if (run == nullptr) return {"Ready", ui::Tone::Neutral};
  const viz::Feed* feed = state.timeline.feed(run->id());
  if (run->end() == nullptr && feed != nullptr && feed->progress) {
    const viz::LoadProgress progress = feed->progress();
    if (progress.rows_read < progress.rows_total) return {"Loading", ui::Tone::Neutral};
  }
  if (run->end() != nullptr && run->end()->status == trace::RunStatus::Failed && run->rows() == 0)
    return {"Failed", ui::Tone::Error};
  if (state.timeline.cursor().is_playing()) return {"Replaying", ui::Tone::Accent};
  if (run->end() == nullptr) return {"Following", ui::Tone::Accent};
  return {"Ready", ui::Tone::Ok};
}

namespace {

class Line {
 public:
  Line(const Area& area) : list_(ImGui::GetWindowDrawList()), x_(area.min.x + px(14)), area_(area) {}
  void words(const std::string& text, Token ink = Token::Muted, Font font = Font::Regular) {
    const ImVec2 size = text_size(font, kSmallText - 0.5f, text.c_str());
    if (text.empty() || x_ + px(kLeast) > limit_) return;
    const Drawn drawn =
        draw_text_within(list_, font, kSmallText - 0.5f, {x_, area_.min.y + (area_.height() - size.y) / 2},
                         limit_ - x_, color(ink), text);
    // What was shortened is whole under the pointer.
    if (drawn.fit == Fit::Shortened &&
        ImGui::IsMouseHoveringRect({x_, area_.min.y}, {x_ + drawn.width, area_.max.y}))
      ImGui::SetTooltip("%s", text.c_str());
    x_ += drawn.width + px(22);
  }
  // With an explanation under the pointer.
  void words(const std::string& text, const std::string& explanation) {
    const float left = x_;
    words(text);
    if (x_ > left && ImGui::IsMouseHoveringRect({left, area_.min.y}, {x_, area_.max.y}))
      ImGui::SetTooltip("%s", explanation.c_str());
  }
  // Words that can be pressed.
  bool button(const char* id, const std::string& text) {
    const float left = x_;
    words(text, Token::Text);
    if (x_ == left) return false;
    ImGui::SetCursorScreenPos({left, area_.min.y});
    return ImGui::InvisibleButton(id, {x_ - left, area_.height()}, ImGuiButtonFlags_EnableNav);
  }
  void dot(Token ink) {
    list_->AddCircleFilled({x_ + px(4), (area_.min.y + area_.max.y) / 2}, px(4), color(ink), 16);
    x_ += px(14);
  }
  void right(const std::string& text, Font font, Token ink = Token::Muted) {
    const ImVec2 size = text_size(font, kSmallText - 0.5f, text.c_str());
    limit_ = area_.max.x - px(14) - size.x;
    draw_text(list_, font, kSmallText - 0.5f, {limit_, area_.min.y + (area_.height() - size.y) / 2},
              color(ink), text.c_str());
    limit_ -= px(16);
  }

 private:
  static constexpr float kLeast = 24;  // less than this shows nothing worth reading
  ImDrawList* list_;
  float x_, limit_ = 1e9f;
  Area area_;
};

// What the window keeps of its runs; and what training uses, as the run shown records it.
void memory_words(State& state, Line& line) {
  if (state.timeline.runs().empty()) return;
  const auto bytes = [](std::size_t count) { return viz::format_bytes(static_cast<double>(count)); };
  const viz::Timeline::Memory kept = state.timeline.memory();
  const viz::TimelineBudget& most = state.timeline.budget();
  line.words("memory " + bytes(kept.history_bytes + kept.heavy_bytes),
             fmt::format("Kept of the open runs: histories {}, whole rows {}; at most {} and {} a run, "
                         "then the oldest is thinned or read again when it is needed",
                         bytes(kept.history_bytes), bytes(kept.heavy_bytes), bytes(most.history_bytes),
                         bytes(most.heavy_bytes)));
  if (!state.shows_trainer()) return;
  const viz::Series* used = state.run()->series("scalars", {"memory_bytes"});
  if (used == nullptr || used->size() == 0) return;
  line.words("training " + viz::format_bytes(used->at(used->size() - 1)),
             "memory_bytes of the last step: allocated on the GPU, or resident in this process on a CPU");
}

// The one that began last; a click lists all of them.
void draw_newest_job(State& state, Line& line) {
  const std::vector<Job>& running = state.jobs.running();
  if (running.empty()) return;
  const Job& job = running.back();
  std::string words = job.what;
  if (job.fraction >= 0) words += fmt::format(" {}", viz::format_percent(job.fraction));
  if (job.seconds >= 1) words += fmt::format(", {}", viz::format_duration(job.seconds));
  if (running.size() > 1) words += fmt::format(" and {} more", running.size() - 1);
  if (line.button("jobs", words)) state.commands.run("window.jobs");
}

}  // namespace

void draw_status_bar(State& state, const Area& area) {
  if (begin_region("status", area, Token::Bg, {0, 0})) {
    Line line(area);
    const bool is_moving = state.timeline.is_busy() || state.timeline.cursor().is_playing() ||
                           (state.trainer && !state.trainer->is_over());
    line.right(!state.appearance.show_frame_rate ? "off screen"
               : is_moving                       ? fmt::format("{:.0f} FPS", state.frame_rate)
                                                 : "idle",
               Font::Mono);

    const StateWords now = state_words(state);
    line.dot(ui::token_of(now.tone));
    line.words(now.words, Token::Text);
    viz::Run* run = state.run();
    const bool is_trainers = run != nullptr && state.is_trainers(*run);
    // Failures first: what follows may not fit. The recorder speaks of the run that it records.
    if (is_trainers && !state.recorder.failure.empty()) line.words(state.recorder.failure, Token::Error);
    if (is_trainers && !state.trainer->message.empty())
      line.words(state.trainer->message,
                 state.trainer->state == TrainerStatus::State::Failed ? Token::Error : Token::Warn);
    if (is_trainers && !state.recorder.note.empty()) line.words(state.recorder.note, Token::Warn);
    if (run != nullptr && !run->problem().empty()) line.words(run->problem(), Token::Error);
    if (state.shows_trainer() && state.trainer->steps_per_second > 0)
      line.words(viz::format_number(state.trainer->steps_per_second, 3) + " steps/s", Token::Muted,
                 Font::Mono);
    draw_newest_job(state, line);
    if (state.recorder.failure.empty() && !state.recorder.path.empty() && run != nullptr &&
        state.trains(*run)) {
      std::string words = "recording " + viz::format_bytes(static_cast<double>(state.recorder.bytes_on_disk));
      if (state.recorder.commit_seconds > 0)
        words += fmt::format(", every {:g} s", state.recorder.commit_seconds);
      line.words(words);
    }
    if (run != nullptr) {
      if (run->end() != nullptr && !run->end()->message.empty() && !is_trainers) {
        line.words(run->end()->message,
                   run->end()->status == trace::RunStatus::Finished ? Token::Muted : Token::Warn);
      }
      line.words("screen drops " + viz::format_count(static_cast<std::int64_t>(run->dropped())),
                 run->dropped() > 0 ? Token::Warn : Token::Muted);
    }
    memory_words(state, line);
    line.words(is_trainers && !state.trainer->device.empty() ? state.trainer->device
                                                             : state.host.device_words());
    for (const std::string& note : state.notes) line.words(note, Token::Warn);
  }
  end_region();
}

}  // namespace sparsescope::frame

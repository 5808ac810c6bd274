// What the tests of viz share: small runs made by hand, a row source that answers when told, and a screen
// without a window.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/trace/frame.h"
#include "engine/trace/mailbox.h"
#include "engine/trace/row_source.h"
#include "viz/model/timeline.h"
#include "viz/views/draw_hash.h"
#include "viz/views/view.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::test {

// A run of `scalars` (cross_entropy, tokens_seen), `threshold` and `density` of `layers` layers,
// `evaluation`, a heavy channel `map` and `events`; `planned` steps of 100 tokens.
struct SmallRun {
  explicit SmallRun(std::int64_t layers = 3, std::uint64_t planned = 1000);

  trace::SchemaPtr schema;
  std::int64_t layers;
  // The next frame, at `step`, with the channels every step has. `loss` and `theta_sigmas` (of each layer) as
  // given.
  std::shared_ptr<trace::Frame> frame(std::uint64_t step, double loss,
                                      const std::vector<float>& theta_sigmas);
  std::shared_ptr<trace::Frame> frame(std::uint64_t step, double loss = 3);
  void add_event(trace::Frame& frame, const std::string& json) const;
  void add_map(trace::Frame& frame, float value) const;
  void add_evaluation(trace::Frame& frame, double nll) const;

  std::uint64_t next_row = 0;
  std::int64_t nanos_per_step = 10'000'000;
};

inline constexpr std::size_t kMapValues = 8192;  // 32 KiB a row: heavy

// Answers only what it is told to, so that tests decide when a read is done.
class ManualSource final : public trace::RowSource {
 public:
  std::uint64_t request(trace::ReadRequest request) override;
  void cancel(std::uint64_t tag) override;
  std::vector<trace::ReadAnswer> poll() override;

  struct Asked {
    std::uint64_t tag;
    trace::ReadRequest request;
  };
  std::vector<Asked> asked;  // everything, in order
  std::vector<std::uint64_t> cancelled;
  void answer(std::uint64_t tag, trace::FramePtr frame);
  void fail(std::uint64_t tag, const std::string& message);

 private:
  std::vector<trace::ReadAnswer> answers_;
};

trace::RunEnd finished();

// ImGui without a window: a fixed size, 1/60 s a frame, our fonts and theme, textures taken as uploaded.
class NullScreen {
 public:
  explicit NullScreen(ImVec2 size = {1280, 800}, Theme theme = Theme::Dark, float scale = 1);
  // Draws one frame with `content` in a window that fills the screen; returns what was drawn.
  viz::DrawHash frame(const std::function<void()>& content);
  // The texts drawn are glyphs; tests that look for words ask the clipboard or the twin instead.
  ImGuiIO& io() { return ImGui::GetIO(); }
  // Where the content of the last frame was.
  ImVec2 content_min{0, 0}, content_size{0, 0};

 private:
  GuiContext gui_;
};

// Draws `view` until its layout has settled, and returns the last frame.
viz::DrawHash draw_view(NullScreen& screen, viz::View& view, viz::Timeline& timeline,
                        viz::Selection& selection, int frames = 3);
std::unique_ptr<viz::View> make_view(const std::string& id);
// What the view itself keeps, without what two panes side by side add.
nlohmann::json own_settings(const viz::View& view);
// Feeds `mailbox` with a schema and frames at once.
std::shared_ptr<trace::Mailbox> mailbox_with(trace::SchemaPtr schema,
                                             const std::vector<trace::FramePtr>& frames);

}  // namespace sparsescope::test

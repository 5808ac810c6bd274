#include "tests/viz/viz_support.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/trace/text.h"

namespace sparsescope::test {
namespace {

trace::Axis labelled(const char* name, std::vector<std::string> labels) {
  const auto size = static_cast<std::int64_t>(labels.size());
  return {name, size, std::move(labels)};
}

trace::Channel channel(const char* name, trace::DType dtype, std::vector<trace::Axis> axes,
                       std::int64_t cadence) {
  trace::Channel made;
  made.name = name;
  made.dtype = dtype;
  made.axes = std::move(axes);
  made.cadence = cadence;
  return made;
}

constexpr std::uint32_t kScalars = 0, kThreshold = 1, kDensity = 2, kEvaluation = 3, kMap = 4, kEvents = 5;

}  // namespace

SmallRun::SmallRun(std::int64_t layer_count, std::uint64_t planned) : layers(layer_count) {
  std::vector<std::string> numbers;
  for (std::int64_t layer = 0; layer < layers; ++layer) numbers.push_back(std::to_string(layer));
  trace::Schema made;
  made.run_uuid = "11111111-2222-3333-4444-555555555555";
  made.title = "small run";
  made.seed = 7;
  made.experiment_json =
      R"({"train":{"steps":)" + std::to_string(planned) + R"(,"batch":10},"model":{"context":10}})";
  made.channels = {
      channel("scalars", trace::DType::F64,
              {labelled("name", {"cross_entropy", "tokens_seen", "gradient_norm"})}, 1),
      channel("threshold", trace::DType::F32,
              {labelled("layer", numbers), labelled("stat", {"theta", "theta_sigmas"})}, 1),
      channel("density", trace::DType::F32,
              {labelled("layer", numbers), labelled("reason", {"direct", "inherited", "fallback", "self",
                                                               "scope", "empty_rows", "expected"})},
              1),
      channel("evaluation", trace::DType::F64, {labelled("name", {"val_nll", "perplexity", "bits_per_byte"})},
              50),
      channel("map", trace::DType::F32, {trace::Axis{"cell", static_cast<std::int64_t>(kMapValues), {}}}, 10),
      channel("events", trace::DType::Text, {}, 0),
  };
  made.channels[kEvents].kind = trace::ChannelKind::Ragged;
  schema = std::make_shared<const trace::Schema>(trace::finish_schema(std::move(made)));
}

std::shared_ptr<trace::Frame> SmallRun::frame(std::uint64_t step, double loss,
                                              const std::vector<float>& theta_sigmas) {
  auto made = std::make_shared<trace::Frame>();
  made->row = next_row++;
  made->step = step;
  made->mono_nanos = static_cast<std::int64_t>(step) * nanos_per_step;
  const std::vector<double> scalars = {loss, static_cast<double>(step) * 100, 1.0};
  std::vector<float> threshold, density;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const float sigmas = theta_sigmas.at(static_cast<std::size_t>(layer));
    threshold.insert(threshold.end(), {sigmas / 2, sigmas});
    const float direct = 0.05f * static_cast<float>(layer), fallback = 0.2f;
    density.insert(density.end(), {direct, 0.f, fallback, 0.01f, direct + fallback, 0.5f, 0.04f});
  }
  trace::add_values<double>(*made, kScalars, scalars);
  trace::add_values<float>(*made, kThreshold, threshold);
  trace::add_values<float>(*made, kDensity, density);
  return made;
}

std::shared_ptr<trace::Frame> SmallRun::frame(std::uint64_t step, double loss) {
  return frame(step, loss, std::vector<float>(static_cast<std::size_t>(layers), 3.f));
}

void SmallRun::add_event(trace::Frame& frame, const std::string& json) const {
  trace::add_texts(frame, kEvents, std::vector<std::string>{json});
}

void SmallRun::add_map(trace::Frame& frame, float value) const {
  trace::add_values<float>(frame, kMap, std::vector<float>(kMapValues, value));
}

void SmallRun::add_evaluation(trace::Frame& frame, double nll) const {
  trace::add_values<double>(frame, kEvaluation, std::vector<double>{nll, std::exp(nll), nll / 2});
}

std::uint64_t ManualSource::request(trace::ReadRequest request) {
  asked.push_back({asked.size() + 1, std::move(request)});
  return asked.back().tag;
}

void ManualSource::cancel(std::uint64_t tag) {
  cancelled.push_back(tag);
  answers_.push_back({tag, trace::ReadAnswer::Kind::Cancelled, nullptr, {}});
}

std::vector<trace::ReadAnswer> ManualSource::poll() { return std::exchange(answers_, {}); }

void ManualSource::answer(std::uint64_t tag, trace::FramePtr frame) {
  answers_.push_back({tag, trace::ReadAnswer::Kind::Row, std::move(frame), {}});
  answers_.push_back({tag, trace::ReadAnswer::Kind::Done, nullptr, {}});
}

void ManualSource::fail(std::uint64_t tag, const std::string& message) {
  answers_.push_back({tag, trace::ReadAnswer::Kind::Failed, nullptr, message});
}

trace::RunEnd finished() { return {trace::RunStatus::Finished, {}}; }

NullScreen::NullScreen(ImVec2 size, Theme theme, float scale) : gui_(theme, scale) {
  io().DisplaySize = size;
  io().DeltaTime = 1.0f / 60;
  io().BackendFlags |= ImGuiBackendFlags_RendererHasTextures;
}

viz::DrawHash NullScreen::frame(const std::function<void()>& content) {
  ImGui::NewFrame();
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(io().DisplaySize);
  ImGui::Begin("screen", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings);
  content_min = ImGui::GetCursorScreenPos();
  content_size = ImGui::GetContentRegionAvail();
  content();
  ImGui::End();
  ImGui::Render();
  // What a graphics card would do with the textures, less the card.
  ImDrawData& drawn = *ImGui::GetDrawData();
  if (drawn.Textures != nullptr) {
    for (ImTextureData* texture : *drawn.Textures) {
      if (texture->Status == ImTextureStatus_WantCreate)
        texture->SetTexID(static_cast<ImTextureID>(texture->UniqueID + 1));
      if (texture->Status == ImTextureStatus_WantDestroy) {
        texture->SetTexID(ImTextureID_Invalid);
        texture->SetStatus(ImTextureStatus_Destroyed);
      } else {
        texture->SetStatus(ImTextureStatus_OK);
      }
    }
  }
  return viz::hash_draw_data(drawn);
}

viz::DrawHash draw_view(NullScreen& screen, viz::View& view, viz::Timeline& timeline,
                        viz::Selection& selection, int frames) {
  viz::DrawHash hash;
  for (int i = 0; i < frames; ++i) {
    selection.begin_frame();
    hash = screen.frame([&] {
      viz::ViewContext context{timeline, selection};
      context.size = ImGui::GetContentRegionAvail();
      context.motion = viz::Motion::Reduced;
      view.draw(context);
    });
  }
  return hash;
}

std::unique_ptr<viz::View> make_view(const std::string& id) {
  for (auto& view : viz::make_views()) {
    if (view->id() == id) return std::move(view);
  }
  return nullptr;
}

nlohmann::json own_settings(const viz::View& view) {
  nlohmann::json settings = view.settings();
  for (const char* key : {"side_by_side", "link_cameras", "beside_step", "other_run"}) settings.erase(key);
  return settings;
}

std::shared_ptr<trace::Mailbox> mailbox_with(trace::SchemaPtr schema,
                                             const std::vector<trace::FramePtr>& frames) {
  auto mailbox = std::make_shared<trace::Mailbox>(std::size_t{1} << 30, trace::Overflow::DropOldest);
  mailbox->on_schema(std::move(schema));
  for (const trace::FramePtr& frame : frames) mailbox->on_frame(frame);
  return mailbox;
}

}  // namespace sparsescope::test

#include "engine/probes/prober.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <set>
#include <utility>

#include "engine/probes/attention_stats.h"
#include "engine/trace/error.h"

namespace sparsescope::probes {
namespace {

using Clock = std::chrono::steady_clock;
using model::Observation;
using model::ObservationStore;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

c10::Stream current_stream(at::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

// Hands over what a layer showed once the next one begins, so that only one layer's T x T matrices live.
class LayerByLayer : public model::Observer {
 public:
  using Take = std::function<void(std::int64_t layer, const ObservationStore& seen)>;
  LayerByLayer(const std::set<Observation>& wanted, Take take)
      : seen_({wanted.begin(), wanted.end()}), take_(std::move(take)) {}

  bool wants(Observation what, std::int64_t layer) const override { return seen_.wants(what, layer); }
  void observe(Observation what, std::int64_t layer, const at::Tensor& value) override {
    if (layer != layer_) hand_over();
    layer_ = layer;
    seen_.observe(what, layer, value);
  }
  // After the last layer, too.
  void hand_over() {
    if (layer_ >= 0) take_(layer_, seen_);
    seen_.clear();
    layer_ = -1;
  }

 private:
  ObservationStore seen_;
  Take take_;
  std::int64_t layer_ = -1;
};

ProbeBytes bytes_of(const at::Tensor& tensor) {
  ProbeBytes bytes(tensor.nbytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), tensor.const_data_ptr(), bytes.size());
  return bytes;
}

}  // namespace

Prober::Prober(const model::LanguageModel& model, ProbeBatch batch, std::optional<model::GraphPool> pool)
    : model_(model), batch_(std::move(batch)), pool_(pool) {
  batch_.ids = batch_.ids.clone();  // set_sequence() writes to it, and graphs read it where it is
  if (batch_.ids.size(1) > kLongestCaptured) pool_.reset();
  if (!model.device().is_cuda()) return;
  const auto mark = [&] { return c10::Event(model.device().type(), c10::EventFlag::BACKEND_DEFAULT); };
  marks_.emplace(Marks{mark(), mark(), mark()});
}

void Prober::set_sequence(const at::Tensor& ids) {
  const at::NoGradGuard no_grad;
  batch_.ids[0].copy_(ids);
}

Prober::Set& Prober::set_of(std::span<const std::string_view> channels) {
  std::vector<const Probe*> wanted;
  std::vector<std::string_view> names;
  const bool is_spark = model_.config().mixer == experiments::MixerKind::Spark;
  for (const Probe& probe : probes()) {
    const bool is_asked = std::find(channels.begin(), channels.end(), probe.channel) != channels.end();
    if (!is_asked || (probe.models == Probe::Models::Spark && !is_spark)) continue;
    wanted.push_back(&probe);
    names.push_back(probe.channel);
  }
  const auto [at, is_new] = sets_.try_emplace(std::move(names));
  Set& set = at->second;
  if (!is_new) return set;
  set.probes = std::move(wanted);
  if (set.probes.empty() || !pool_) return set;
  try {
    measure(set.probes);  // libraries choose their algorithms
    current_stream(model_.device()).synchronize();
    set.graph =
        std::make_unique<model::DeviceGraph>("a probe", *pool_, [&] { set.results = measure(set.probes); });
  } catch (...) {
    sets_.erase(at);
    throw;
  }
  return set;
}

// Of the repeated blocks, by layer.
std::vector<at::Tensor> Prober::induction() const {
  std::vector<at::Tensor> scores;
  LayerByLayer observer({Observation::AttentionWeights},
                        [&](std::int64_t layer, const ObservationStore& seen) {
                          scores.push_back(induction_score(seen.get(Observation::AttentionWeights, layer)));
                        });
  model_.forward(batch_.repeated, {.observer = &observer, .head = model::ForwardOptions::Head::None});
  observer.hand_over();
  return scores;
}

std::vector<at::Tensor> Prober::measure(const std::vector<const Probe*>& probes) const {
  using Head = model::ForwardOptions::Head;
  const at::NoGradGuard no_grad;
  std::set<Observation> needs;
  Head head = Head::None;
  for (const Probe* probe : probes) {
    needs.insert(probe->needs.begin(), probe->needs.end());
    if (probe->of_logits != nullptr) head = Head::Logits;
  }
  const std::vector<at::Tensor> repeated =
      needs.contains(Observation::AttentionWeights) ? induction() : std::vector<at::Tensor>();

  std::vector<std::vector<at::Tensor>> layers(probes.size());
  LayerByLayer observer(needs, [&](std::int64_t layer, const ObservationStore& seen) {
    const LayerInput input{model_, batch_, layer, seen,
                           repeated.empty() ? at::Tensor() : repeated[static_cast<std::size_t>(layer)]};
    for (std::size_t i = 0; i < probes.size(); ++i)
      if (probes[i]->of_layer != nullptr) layers[i].push_back(probes[i]->of_layer(input));
  });
  const at::Tensor logits = model_.forward(batch_.ids, {.observer = &observer, .head = head}).logits;
  observer.hand_over();

  std::vector<at::Tensor> results;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    const Probe& probe = *probes[i];
    results.push_back(
        (probe.of_layer != nullptr ? at::stack(layers[i]) : probe.of_logits(logits, batch_)).contiguous());
  }
  return results;
}

void Prober::begin(std::span<const std::string_view> channels) {
  check(begun_ == nullptr, "one probe at a time");
  Set& set = set_of(channels);
  begun_ = &set;
  if (!marks_) {
    const Clock::time_point start = Clock::now();
    set.fetched = measure(set.probes);
    thread_ms_ = milliseconds_since(start);
    return;
  }
  const c10::Stream stream = current_stream(model_.device());
  marks_->begun.record(stream);
  if (set.graph) {
    set.graph->replay();
  } else {
    set.results = measure(set.probes);
  }
  marks_->computed.record(stream);
  set.fetched.resize(set.results.size());
  for (std::size_t i = 0; i < set.results.size(); ++i) {
    if (!set.fetched[i].defined())
      set.fetched[i] =
          at::empty(set.results[i].sizes(), set.results[i].options().device(at::kCPU).pinned_memory(true));
    set.fetched[i].copy_(set.results[i], true);
  }
  marks_->fetched.record(stream);
}

Probed Prober::finish() {
  check(begun_ != nullptr, "a probe is begun before it is finished");
  Set& set = *std::exchange(begun_, nullptr);
  Probed probed;
  if (marks_) {
    marks_->fetched.synchronize();
    probed.times.device_ms = marks_->begun.elapsedTime(marks_->fetched);
    probed.times.copy_ms = marks_->computed.elapsedTime(marks_->fetched);
    if (!set.graph) set.results.clear();
  } else {
    probed.times.device_ms = thread_ms_;
  }
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < set.probes.size(); ++i) {
    const auto pack = set.probes[i]->pack != nullptr ? set.probes[i]->pack : bytes_of;
    probed.measured.push_back({set.probes[i]->channel, pack(set.fetched[i])});
  }
  if (!marks_) set.fetched.clear();
  probed.times.host_ms = milliseconds_since(start);
  return probed;
}

}  // namespace sparsescope::probes

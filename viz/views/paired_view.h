// One kind of view, alone or as two panes side by side: of the run looked at and of the one it is compared
// with, or of two steps of one run. The panes share their settings; their cameras follow each other while
// they are linked, and locks and hover are everybody's. What a pane shows is the view's.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "viz/model/pairing.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

class PairedView final : public View {
 public:
  using Make = std::function<std::unique_ptr<View>()>;
  // `make` is called twice.
  explicit PairedView(const Make& make) : views_{make(), make()} {}

  std::string_view id() const override { return views_[0]->id(); }
  std::string_view title() const override { return views_[0]->title(); }
  Applies applies(const Run& run) const override { return views_[0]->applies(run); }
  void draw(ViewContext& context) override;
  Twin twin(ViewContext& context) const override;
  std::string values_text(ViewContext& context) const override;
  bool walk(ViewContext& context, Walk key) override;
  bool has_cells() const override { return in_front().has_cells(); }
  bool is_walking() const override { return in_front().is_walking(); }
  bool has_camera() const override { return views_[0]->has_camera(); }
  bool can_pair() const override { return true; }
  std::span<const char* const> choices(std::string_view setting) const override {
    return views_[0]->choices(setting);
  }
  std::optional<double> data_limit() const override;
  void set_common_limit(double limit) override;
  // Those of the view, with "side_by_side", "link_cameras", "beside_step" (-1: another run's), "other_run"
  // (alone, but the other pane) and "panes" (0: both, 1, 2: one of them, for figures of their own).
  nlohmann::json settings() const override;
  void set_settings(const nlohmann::json& settings) override;

 private:
  enum Place : std::size_t { kOwn = 0, kBeside = 1 };

  View& in_front() const { return *views_[front_]; }
  bool has_panes() const { return is_paired_ || shows_other_; }
  bool shows(const Pairing& panes, std::size_t place) const;
  Pairing pairing_of(const ViewContext& context) const;
  // Calls `act` with the view of a pane and a context that looks at the pane's run and step.
  template <typename Act>
  auto in_pane(ViewContext& context, const Pane& pane, std::size_t place, Act act) const;
  void draw_top(ViewContext& context, const Pairing& pairing);
  void change(ViewContext& context, const char* setting, bool value);
  void draw_pane(ViewContext& context, const Pane& pane, std::size_t place, ImVec2 at, ImVec2 size);
  void draw_missing_pane(ViewContext& context, ImVec2 at, ImVec2 size);
  void follow_each_other();
  // The colours of panes that are seen together end where the larger of the two does.
  void share_colors(const Pairing& panes);

  std::array<std::unique_ptr<View>, 2> views_;
  bool is_paired_ = false, links_cameras_ = true, shows_other_ = false;
  std::int64_t beside_step_ = -1;
  int panes_ = 0;
  double common_limit_ = 0;   // of pictures beyond these panes
  std::size_t front_ = kOwn;  // of those drawn, the pane that the pointer was in last
  nlohmann::json agreed_;     // what both panes had after the last frame
};

}  // namespace sparsescope::viz

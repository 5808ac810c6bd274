// The routing graph: who reads whom, why, and whether it is becoming everything-to-everything. What it shows
// is decided in viz/model/routing_query.cpp, how edges look in routing_batches.cpp;
// settings are in routing_settings.cpp, pointer, keys and menu in routing_hands.cpp.
#pragma once

#include <optional>
#include <vector>

#include "viz/model/routing_query.h"
#include "viz/views/routing_scene.h"
#include "viz/views/staged_view.h"
#include "viz/widgets/gui_context.h"

namespace sparsescope::viz {

class RoutingView final : public QueriedView<RoutingPicture> {
 public:
  std::string_view id() const override { return "routing"; }
  std::string_view title() const override { return "Routing graph"; }
  Applies applies(const Run& run) const override;
  std::string values_text(ViewContext& context) const override;
  bool walk(ViewContext& context, Walk key) override;
  bool has_cells() const override { return has_picture() && picture().content != nullptr; }
  bool is_walking() const override { return walk_.is_walking(); }
  bool has_camera() const override { return true; }
  nlohmann::json settings() const override;
  std::span<const char* const> choices(std::string_view setting) const override;
  void set_settings(const nlohmann::json& settings) override;

 protected:
  // In a window a large graph is summed aside; paper waits for it.
  RoutingPicture query(const QueryFrame& frame) const override {
    const bool is_screen = current_purpose() == Purpose::Screen;
    return routing_query(frame, settings_, window_, memory_,
                         is_screen ? RoutingWork::AsideWhenLarge : RoutingWork::Here);
  }
  std::string words_behind(const RoutingPicture& fresh) const override;
  Twin fresh_twin(ViewContext& context, Run& run) const override { return twin_of(whole(context, run)); }
  const PictureHead& refresh(ViewContext& context, Run& run) override;
  void draw_marks(ViewContext& context) override;
  bool draw_settings(ViewContext& context) override;
  const char* empty_words() const override {
    return "No run is open. Train a preset or open a recording to see who reads whom.";
  }
  void open_menu(ViewContext&) override { menu_place_ = place_; }
  void draw_menu(ViewContext& context) override;
  std::string menu_value(ViewContext& context) const override;
  std::string menu_row(ViewContext& context) const override;

 private:
  // What is copied is not waited for frame by frame.
  RoutingPicture whole(const ViewContext& context, Run& run) const {
    return routing_query(query_frame(context, run, kMostColumns), settings_, window_, memory_);
  }
  void draw_source(ViewContext& context);
  void draw_controls();
  bool draw_threshold(float width);
  bool draw_comparison_settings(const ViewContext& context);
  void draw_legend();
  void draw_footer();
  void point(ViewContext& context);
  void click(ViewContext& context) const;
  std::string place_text(const RoutingPicture& picture, const RoutingPlace& place) const;
  // The edges of a node without what it reads of itself, the heaviest first.
  std::vector<std::size_t> edges_of(std::size_t node) const;
  bool walk_edges(ViewContext& context, Walk key);
  // Its place, or where the locked token stands.
  RoutingPlace place_or_lock(const RoutingPicture& picture, const Marks& locked) const;

  RoutingSettings settings_;
  RoutingWindow window_;
  plot::AxisRange camera_;
  // Not a part of what is shown: what was rolled up and made already.
  mutable RoutingMemory memory_;
  RoutingScene scene_;
  CellWalk walk_;  // tokens or blocks are columns, layers rows
  // Keys walk along the edges of the held token: how many of its edges are heavier.
  std::optional<std::size_t> edge_rank_;
  RoutingPlace place_;  // under the pointer in the last frame
  RoutingPlace menu_place_;
};

// Densities of every layer beside the graph, at the cursor position, `width` framebuffer pixels wide; those
// shown stand out. In routing_readouts.cpp.
void draw_routing_readouts(const RoutingPicture& picture, ImVec2 size);
inline constexpr float kReadoutsWidth = 372;    // at scale 1
inline constexpr double kLargestThreshold = 1;  // no attention weight is larger

}  // namespace sparsescope::viz

// The left panel's lists: runs with their state and numbers, and the channels of the selected run as a tree.
// Draws rows in sight only; keeps what a person chose and rows that are still true.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "viz/model/run_list.h"
#include "viz/model/run_list_channels.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

class RunListPanel {
 public:
  RunListSettings settings;
  ChannelSettings channels;
  // By which title run.compare_with knows a run; empty: by its name in the list.
  std::function<std::string(const Run&)> title_of;

  // The name of `run` becomes a field with its text selected; Enter gives it by the command run.set_name, Esc
  // does not.
  void begin_rename(const Timeline& timeline, const Run& run);
  bool is_renaming() const { return renaming_.has_value(); }
  void focus_filter() { focuses_filter_ = true; }

  // The field that filters both lists while typing.
  void draw_filter();
  // At most `height` framebuffer pixels, the rest by scrolling. A click selects, with Ctrl it adds to the
  // comparison by run.compare_with; the other actions are commands of the context menu.
  void draw_runs(ViewContext& context, const std::optional<TrainedRun>& trained, float height);
  // `show`: what a click on an element does, and `shows` whether it is shown already; both may be empty.
  using Element = std::function<void(std::uint32_t channel, std::size_t element)>;
  using Shown = std::function<bool(std::uint32_t channel, std::size_t element)>;
  void draw_channels(ViewContext& context, Run& run, float height, const Element& show = {},
                     const Shown& shows = {});

  // How high all rows of the runs are together.
  float runs_height(const ViewContext& context);

 private:
  struct ListKey {
    std::size_t runs = 0, schemas = 0;
    std::uint32_t newest = 0;
    std::vector<std::string> names;  // that people gave, while a filter looks at them
    RunListSettings settings;
    bool operator==(const ListKey&) const = default;
  };
  struct Kept {
    std::uint64_t version = 0;
    std::optional<std::uint32_t> baseline;
    RunEntry entry;
  };
  const std::vector<std::uint32_t>& listed(const ViewContext& context);
  RunEntry entry(const ViewContext& context, const Run& run, const std::optional<TrainedRun>& trained);
  void draw_run(ViewContext& context, const RunEntry& entry, float height);
  void draw_run_menu(ViewContext& context, const RunEntry& entry);
  void draw_name_field(ViewContext& context, float width);

  ListKey key_;
  std::vector<std::uint32_t> listed_;
  std::map<std::uint32_t, Kept> kept_;
  std::optional<std::uint32_t> renaming_;
  std::string new_name_;
  bool focuses_name_ = false, focuses_filter_ = false;
};

}  // namespace sparsescope::viz

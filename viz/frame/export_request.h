// What a person asks for when a view is to become a figure: plain data between the dialog and the program.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "viz/model/selection.h"
#include "viz/widgets/theme.h"

namespace sparsescope::frame {

enum class ExportFormat { Png, Svg, Csv, Provenance };
// "png", "svg", "csv", "json": endings of the files.
const char* file_ending(ExportFormat format);

struct ExportRequest {
  std::string view;      // id
  std::string settings;  // View::settings() as text
  viz::Selection selection;
  Theme theme = Theme::Light;
  int width = 1200, height = 750;  // at scale 1
  int factor = 1;                  // PNG pixels per unit: 1, 2 or 4
  std::vector<ExportFormat> formats = {ExportFormat::Png};
  bool panes_apart = false;  // two panes side by side become a figure each, of STEM.A and STEM.B
  std::string
      stem;  // path without its ending: "figures/drift" gives figures/drift.png, figures/drift.svg, ...
};

}  // namespace sparsescope::frame

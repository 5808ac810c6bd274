// Figures from views: PNG, SVG, CSV and a note of where they come from. Nothing of the window changes.
#pragma once

#include <string>
#include <vector>

#include "viz/frame/export_request.h"
#include "viz/model/timeline.h"

namespace sparsescope::app {

struct ExportSource {
  viz::Timeline& timeline;
  std::string recording;  // file name of the run's recording; empty: none
};

// One file of a figure, not written yet. The same run, step, view and settings give the same bytes.
std::string export_bytes(const frame::ExportRequest& request, frame::ExportFormat format,
                         const ExportSource& source);

// Writes every format asked for and returns the paths. Between two frames (there must have been one), with an
// OpenGL context current. Everything is made before the first file is touched; a file is written whole or not
// at all. Throws Error.
std::vector<std::string> export_view(const frame::ExportRequest& request, const ExportSource& source);

}  // namespace sparsescope::app

// The values of the form as rows, each with its control, unit, help, and the way back to the preset.
#pragma once

#include <string>

#include "viz/model/new_run_form.h"

namespace sparsescope::frame {

struct FieldFilter {
  std::string search;
  bool shows_advanced = false;
  bool shows_changed_only = false;
};

// Draws the fields that the filter lets through, by section. True when a value changed.
bool draw_form_fields(viz::NewRunForm& form, const FieldFilter& filter);

}  // namespace sparsescope::frame

// How large a recording becomes: counted from its channels, apart for what is always recorded and for what a
// budget may leave out. No file is looked at.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/experiments/experiment.h"
#include "engine/trace/schema.h"

namespace sparsescope::train {

struct RecordingSize {
  double light = 0;         // bytes of everything that is never left out
  double probes = 0;        // of all probes on the schedule, without edges
  double edges = 0;         // of all edge lists on the schedule
  double probe_sample = 0;  // of one probe without edges
  double edges_sample = 0;  // of one edge list, as long as none was seen
  double total() const { return light + probes + edges; }
};
// Of a run of `steps` steps: rows by cadence, whole chunks where they are stored as they are, and what such
// rows were seen to compress to where they are compressed; steps, spans, index and HDF5's own come on top.
RecordingSize recording_size(const std::vector<trace::Channel>& channels,
                             const experiments::Experiment& experiment, std::int64_t vocabulary,
                             std::int64_t steps);

// Stored bytes for one byte of a channel's values.
double stored_share(const trace::Channel& channel, const experiments::ModelConfig& model);

}  // namespace sparsescope::train

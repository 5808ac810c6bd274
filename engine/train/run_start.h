// What a run is before its first step: its identity, its fixed texts, its schema and its first frame's
// channels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/evaluate/needle_trials.h"
#include "engine/probes/probe.h"
#include "engine/trace/schema.h"
#include "engine/train/checkpoint.h"
#include "engine/train/events.h"
#include "engine/train/frame_builder.h"
#include "engine/train/training_state.h"

namespace sparsescope::train {

// A fresh random identity, as RFC 4122 writes version 4.
std::string new_uuid();

// The held-out texts a run looks at again and again; the same for every step.
struct FixedTexts {
  std::vector<std::int32_t> validation_windows;  // [W, context + 1]
  std::vector<std::int32_t> probe_ids;           // [P, context]
  probes::ProbeBatch probe_batch;
};
FixedTexts choose_texts(const TrainingState& state, const data::PreparedData& data);

evaluate::NeedleSettings needle_settings(const experiments::EvaluationConfig& config);
// Whether a needle can be evaluated at `multiple` times the training context; else why not, in words.
std::optional<std::string> needle_obstacle(const TrainingState& state, const data::PreparedData& data,
                                           std::int64_t multiple);

// Complete and finished. `parent` is the checkpoint resumed from, or null.
trace::SchemaPtr make_schema(const TrainingState& state, const FixedTexts& texts, const std::string& run_uuid,
                             const Checkpoint* parent);

// Sets vocabulary, probe and needle ids, and adds the notes a reader of the recording needs: seeds, text,
// what differs from the parent.
void fill_first_frame(FrameBuilder& frame, EventLog& events, const TrainingState& state,
                      const data::PreparedData& data, const FixedTexts& texts, const Checkpoint* parent);

}  // namespace sparsescope::train

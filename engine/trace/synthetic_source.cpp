// The source of the synthetic runs; what is in them is computed beside.
#include "engine/trace/synthetic_source.h"

#include "engine/trace/synthetic_runs.h"

namespace sparsescope::trace {

SyntheticSource::SyntheticSource(SyntheticOptions options) : options_(options) {
  check(options.layers > 0 && options.probe_every > 0 && options.evaluation_every > 0 && options.pooled > 0 &&
            options.declared_ids > 0 && options.positions > 0,
        "sizes and cadences of a synthetic run are positive");
  schema_ = std::make_shared<const Schema>(options.kind == SyntheticOptions::Kind::Spark
                                               ? synthetic::spark_schema(options)
                                               : synthetic::every_dtype_schema(options));
}

FramePtr SyntheticSource::frame(std::uint64_t row) const {
  Frame frame;
  frame.row = row;
  if (options_.kind == SyntheticOptions::Kind::Spark) {
    synthetic::fill_spark(options_, frame);
  } else {
    synthetic::fill_every_dtype(options_, *schema_, frame);
  }
  return std::make_shared<const Frame>(std::move(frame));
}

void SyntheticSource::run(FrameSink& sink) const {
  sink.on_schema(schema_);
  for (std::uint64_t row = 0; row < options_.frames; ++row) sink.on_frame(frame(row));
  sink.on_end({RunStatus::Finished, ""});
}

}  // namespace sparsescope::trace

// The count of parameters made from an experiment is that of the model built from it.
#include "engine/train/cost_model.h"

#include <gtest/gtest.h>

#include "engine/model/language_model.h"

namespace sparsescope::train {
namespace {

TEST(CostModel, CountsTheParametersOfEveryFormOfModel) {
  for (const char* mixer : {"dense", "window", "spark"}) {
    for (const char* position : {"rope", "alibi", "learned", "none"}) {
      for (const char* norm : {"rms", "layer"}) {
        for (const char* biases : {"false", "true"}) {
          for (const char* tied : {"false", "true"}) {
            experiments::Experiment experiment;
            for (const auto& [key, value] : {std::pair{"model.layers", "3"},
                                             {"model.width", "16"},
                                             {"model.heads", "2"},
                                             {"model.max_positions", "40"},
                                             {"spark.rank", "5"},
                                             {"model.mixer", mixer},
                                             {"model.position", position},
                                             {"model.norm", norm},
                                             {"model.biases", biases},
                                             {"model.tied_head", tied}}) {
              experiments::set(experiment, key, value);
            }
            const model::LanguageModel model(experiment.model, 31, at::kCPU, at::kFloat, 1);
            std::int64_t real = 0;
            for (const model::Parameter& parameter : model.parameters()) real += parameter.value.numel();
            EXPECT_EQ(parameter_count(experiment.model, 31), real)
                << mixer << ", " << position << ", " << norm << ", biases " << biases << ", tied " << tied;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace sparsescope::train

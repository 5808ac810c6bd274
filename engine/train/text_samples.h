// Texts that the model wrote, as elements of the channel "text_samples" and, the long ones,
// "text_sample_payloads". Sampling is text_sampler.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/train/json_elements.h"

namespace sparsescope::train {

struct TextSample {
  std::string prompt;
  std::vector<std::int32_t> ids;  // generated
  std::string bytes;              // what they stand for
  double temperature = 0;
  std::uint64_t seed = 0;
};

// Distinct 4-grams over all 4-grams of `ids`; nothing below four ids. Near 0 the text repeats itself.
std::optional<double> distinct_4gram_share(const std::vector<std::int32_t>& ids);

// Any bytes as UTF-8: those that are none become the four characters \xNN.
std::string utf8_or_escaped(std::string_view bytes);

class TextSampleLog {
 public:
  enum class Reason { Schedule, Asked };
  void add(std::uint64_t step, Reason reason, const TextSample& sample);

  bool is_empty() const { return elements_.is_empty(); }
  JsonElements::Taken take() { return elements_.take(); }

 private:
  JsonElements elements_;
};

}  // namespace sparsescope::train

// What depends on nothing but the number of tokens: kept for the training context as long as the model lives
// (a captured step goes on reading it), and for the last other length.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace sparsescope::model {

template <typename T>
class PerLength {
 public:
  explicit PerLength(std::int64_t context) : context_(context) {}

  // What `make()` gave for this length, or gives now. Longer ones than the context are rare and large: they
  // are made each time.
  template <typename Make>
  T get(std::int64_t tokens, Make&& make) {
    if (tokens > context_) return make();
    Entry& entry = tokens == context_ ? at_context_ : other_;
    if (!entry || entry->first != tokens) entry.emplace(tokens, make());
    return entry->second;
  }

 private:
  using Entry = std::optional<std::pair<std::int64_t, T>>;
  std::int64_t context_;
  Entry at_context_, other_;
};

}  // namespace sparsescope::model

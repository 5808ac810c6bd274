// Private to engine/experiments: where each key's value lives in an Experiment, and values between text and
// field.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/experiments/experiment.h"

namespace sparsescope::experiments {

// An enum seen as the index of its choice.
struct ChoiceRef {
  std::function<std::size_t()> read;
  std::function<void(std::size_t)> write;
};
using FieldRef = std::variant<std::int64_t*, std::uint64_t*, double*, bool*, std::string*,
                              std::vector<std::int64_t>*, std::vector<double>*, ChoiceRef>;

struct Field {
  Key key;
  std::function<FieldRef(Experiment&)> locate;
};
const std::vector<Field>& fields();
// Throws Error (Usage) that names the nearest key.
const Field& field_of(std::string_view name);

// A value on its way into a field, as TOML, JSON or the command line had it.
using Value =
    std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>, std::vector<double>>;
Value value_of(const Experiment& experiment, const Field& field);
// Throws Error (Usage) when the type or the range does not fit.
void set_value(Experiment& experiment, const Field& field, const Value& value);

// The text that a quoted TOML string stands for. Throws Error (Usage) when it is none.
std::string text_from_toml(const std::string& quoted);

}  // namespace sparsescope::experiments

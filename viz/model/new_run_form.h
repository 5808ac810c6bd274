// The form of a new run as plain data: every value of an experiment with its unit, range and help, the
// device, and what the run will need. The application fills and checks it; the window shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sparsescope::viz {

struct FormField {
  enum class Kind { Integer, Number, Switch, Choice, Text, LongText, List };
  std::string key;      // "optimizer.learning_rate"
  std::string section;  // "Optimizer"
  std::string label;    // "Learning rate"
  std::string unit;     // "steps"; empty: none
  std::string help;     // one sentence
  std::string fits;     // "a number between 0 and 10": what may stand there
  Kind kind = Kind::Text;
  std::vector<std::string> choices;  // Choice: the only ones; Text: some that are known
  bool is_advanced = true;           // not among the few that most runs are told apart by
  std::string preset_value;          // what the preset says, as it would be typed
  std::string value;                 // what stands there now; Switch: "true" or "false"
  std::string error;                 // why it will not do; empty: it will

  bool is_changed() const { return value != preset_value; }
};

struct FormDevice {
  std::string id;       // "auto", "cpu", "cuda"
  std::string words;    // "GPU: NVIDIA H100"
  std::string why_not;  // empty: it can be chosen
};

// "Time" "about 4 min" "at 15,900 tokens/s, as the last run here".
struct FormEstimate {
  std::string name, value, detail;
};

struct NewRunForm {
  std::string preset, title, text;  // the preset: its name, one line, and why its values are what they are
  std::vector<FormDevice> devices;
  std::string device;             // id of the chosen one
  std::string device_note;        // "GPU profile" or "CPU profile": which of the preset's values are in force
  std::vector<FormField> fields;  // by section
  std::string problem;            // what is wrong and belongs to no field; empty: nothing
  std::vector<FormEstimate> estimates;

  FormField* find(std::string_view key);
  const FormField* find(std::string_view key) const;
  std::size_t errors() const;   // fields that will not do
  std::size_t changed() const;  // fields that differ from the preset
  // Empty: the run it describes could start; else one sentence.
  std::string why_not_ready() const;
};

// Whether all words of `search` occur in label, key, section or help, whatever their case.
bool matches(const FormField& field, std::string_view search);
// Every changed value of `from` that `to` has a field for is put there.
void carry_changes(const NewRunForm& from, NewRunForm& to);
// "max_positions" -> "Max positions".
std::string label_from_key(std::string_view name);

}  // namespace sparsescope::viz

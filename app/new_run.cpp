// Keys of the engine as fields of the form, and back; the engine itself says what is wrong.
#include "app/new_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/trace/error.h"
#include "engine/train/run_choices.h"
#include "engine/train/run_estimate.h"
#include "viz/model/format.h"

namespace sparsescope::app {
namespace {

using experiments::Key;
using viz::FormField;

std::string device_of(const std::string& id) {
  if (id != "auto") return id;
  return train::cuda_answer().available ? "cuda" : "cpu";
}

std::string profile_of(const std::string& id) { return device_of(id) == "cuda" ? "gpu" : "cpu"; }

std::vector<viz::FormDevice> devices() {
  const train::CudaAnswer cuda = train::cuda_answer();
  const std::string automatic = cuda.available ? "Automatic: " + cuda.name : "Automatic: CPU";
  return {{"auto", automatic, ""},
          {"cpu", "CPU", ""},
          {"cuda", cuda.available ? "GPU: " + cuda.name : "GPU", cuda.available ? "" : cuda.reason}};
}

FormField::Kind kind_of(const Key& key) {
  switch (key.type) {
    case Key::Type::Integer:
      return FormField::Kind::Integer;
    case Key::Type::Number:
      return FormField::Kind::Number;
    case Key::Type::Switch:
      return FormField::Kind::Switch;
    case Key::Type::Choice:
      return FormField::Kind::Choice;
    case Key::Type::Text:
      return key.name == "text" ? FormField::Kind::LongText : FormField::Kind::Text;
    case Key::Type::Integers:
    case Key::Type::Numbers:
      return FormField::Kind::List;
  }
  return FormField::Kind::Text;
}

bool is_quoted(FormField::Kind kind) {
  return kind == FormField::Kind::Text || kind == FormField::Kind::LongText ||
         kind == FormField::Kind::Choice;
}

// From TOML's way of writing to what a person types: no quotes, no brackets.
std::string typed_value(FormField::Kind kind, const std::string& toml) {
  if (is_quoted(kind) && toml.size() >= 2 && toml.front() == '"') {
    // A TOML string of one line is a JSON string.
    const nlohmann::json parsed = nlohmann::json::parse(toml, nullptr, false);
    return parsed.is_string() ? parsed.get<std::string>() : toml;
  }
  if (kind == FormField::Kind::List && toml.size() >= 2 && toml.front() == '[')
    return toml.substr(1, toml.size() - 2);
  return toml;
}

std::string toml_value(const FormField& field) {
  if (is_quoted(field.kind)) return nlohmann::json(field.value).dump();
  return field.kind == FormField::Kind::List ? "[" + field.value + "]" : field.value;
}

struct Section {
  const char* prefix;
  const char* name;
};
constexpr Section kSections[] = {
    {"model", "Model"},    {"spark", "SPaRK"},         {"optimizer", "Optimizer"},
    {"data", "Data"},      {"train", "Training"},      {"evaluation", "Evaluation"},
    {"probe", "Watching"}, {"sample", "Text samples"}, {"recording", "Recording"}};

std::string section_of(const std::string& prefix) {
  for (const Section& section : kSections) {
    if (prefix == section.prefix) return section.name;
  }
  return prefix.empty() ? "Experiment" : viz::label_from_key(prefix);
}

FormField field_of(const Key& key, const experiments::Experiment& preset) {
  const std::size_t dot = key.name.find('.');
  const std::string prefix = dot == std::string::npos ? "" : key.name.substr(0, dot);
  FormField field;
  field.key = key.name;
  field.section = section_of(prefix);
  field.label = viz::label_from_key(dot == std::string::npos ? key.name : key.name.substr(dot + 1));
  field.unit = key.unit == "1" ? "" : key.unit;
  field.help = key.text;
  field.kind = kind_of(key);
  if (key.type != Key::Type::Text && key.type != Key::Type::Switch && key.type != Key::Type::Choice)
    field.fits = experiments::what_fits(key);
  field.choices = key.name == "data.corpus" ? train::corpus_names() : key.choices;
  field.is_advanced = key.is_advanced;
  field.preset_value = field.value = typed_value(field.kind, experiments::get(preset, key.name));
  return field;
}

void put(viz::NewRunForm& form, const std::string& key, const std::string& value) {
  if (FormField* field = form.find(key)) field->value = value;
}

// A contradiction between values belongs to the fields it names, to those that were changed if any were.
void place_contradiction(viz::NewRunForm& form, const std::string& sentence) {
  std::vector<FormField*> named;
  for (FormField& field : form.fields) {
    if (field.key.find('.') != std::string::npos && sentence.find(field.key) != std::string::npos)
      named.push_back(&field);
    if (field.key == "name" && sentence.starts_with("name ")) named.push_back(&field);
  }
  if (named.empty()) {
    form.problem = sentence;
    return;
  }
  const bool any_changed =
      std::any_of(named.begin(), named.end(), [](const FormField* field) { return field->is_changed(); });
  for (FormField* field : named) {
    if (!any_changed || field->is_changed()) field->error = sentence;
  }
}

void estimate(viz::NewRunForm& form, const experiments::Experiment& experiment,
              const std::optional<TrainingRate>& rate) {
  const std::string device = device_of(form.device);
  const auto on = device == "cuda" ? train::Device::Cuda : train::Device::Cpu;
  const train::RunEstimate plain = train::estimate_run(experiment, on);
  std::optional<double> tokens_per_second;
  // What a token costs grows about as the parameters do.
  if (rate && rate->device == device && rate->tokens_per_second > 0 && plain.parameters > 0)
    tokens_per_second = rate->tokens_per_second * static_cast<double>(rate->parameters) /
                        static_cast<double>(plain.parameters);
  const train::RunEstimate run = train::estimate_run(experiment, on, tokens_per_second);
  form.estimates.push_back(
      run.seconds
          ? viz::FormEstimate{"Time", "about " + viz::format_duration(*run.seconds),
                              fmt::format(
                                  "without evaluations, at {} tokens/s as scaled from the last run here",
                                  viz::format_quantity(*tokens_per_second))}
          : viz::FormEstimate{"Time", viz::kAbsent,
                              "known after the first run on this device since the program started"});
  form.estimates.push_back({"Memory", "about " + viz::format_bytes(run.memory_bytes),
                            device == "cuda" ? "of the GPU, at the peak of a step" : "of this program"});
  form.estimates.push_back(
      {"Recording", "about " + viz::format_bytes(run.file_bytes), "without checkpoints"});
  form.estimates.push_back({"Checkpoint", viz::format_bytes(run.checkpoint_bytes), "each"});
  form.estimates.push_back({"Parameters", viz::format_quantity(static_cast<double>(run.parameters)), ""});
}

}  // namespace

viz::NewRunForm form_of_preset(const std::string& preset, const std::string& device) {
  const experiments::Experiment values = experiments::load_preset(preset, profile_of(device));
  viz::NewRunForm form;
  form.preset = preset;
  form.title = values.title;
  form.text = values.text;
  form.devices = devices();
  form.device = device;
  form.device_note = values.profile == "gpu" ? "GPU profile" : "CPU profile";
  for (const Key& key : experiments::keys()) {
    // The profile follows from the device.
    if (key.name != "profile") form.fields.push_back(field_of(key, values));
  }
  return form;
}

void put_arguments(viz::NewRunForm& form, const RunArguments& arguments) {
  for (const std::string& set : arguments.sets) {
    const std::size_t equals = set.find('=');
    if (equals != std::string::npos) put(form, set.substr(0, equals), set.substr(equals + 1));
  }
  if (arguments.corpus.size() == 1) put(form, "data.corpus", arguments.corpus[0]);
  if (arguments.steps > 0) put(form, "train.steps", std::to_string(arguments.steps));
  if (arguments.seed >= 0) put(form, "train.seed", std::to_string(arguments.seed));
}

void check_form(viz::NewRunForm& form, const std::optional<TrainingRate>& rate) {
  form.problem.clear();
  form.estimates.clear();
  for (FormField& field : form.fields) field.error.clear();
  try {
    experiments::Experiment experiment = experiments::load_preset(form.preset, profile_of(form.device));
    for (FormField& field : form.fields) {
      if (!field.is_changed()) continue;
      try {
        experiments::set(experiment, field.key, toml_value(field));
      } catch (const Error& error) {
        field.error = field.fits.empty() ? error.what() : "This must be " + field.fits;
      }
    }
    if (form.errors() > 0) return;
    try {
      experiments::validate(experiment);
    } catch (const Error& error) {
      return place_contradiction(form, error.what());
    }
    estimate(form, experiment, rate);
  } catch (const Error& error) {
    form.problem = error.what();
  }
}

experiments::Experiment experiment_of(const viz::NewRunForm& form) {
  experiments::Experiment experiment = experiments::load_preset(form.preset, profile_of(form.device));
  for (const FormField& field : form.fields) {
    if (field.is_changed()) experiments::set(experiment, field.key, toml_value(field));
  }
  experiments::validate(experiment);
  return experiment;
}

RunArguments arguments_of(const viz::NewRunForm& form) {
  RunArguments arguments;
  arguments.preset = form.preset;
  arguments.device = form.device;
  for (const FormField& field : form.fields) {
    if (field.is_changed()) arguments.sets.push_back(field.key + "=" + toml_value(field));
  }
  return arguments;
}

}  // namespace sparsescope::app

// Looking through the form; nothing here knows what its values mean.
#include "viz/model/new_run_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace sparsescope::viz {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

template <typename Fields>
auto* find_in(Fields& fields, std::string_view key) {
  const auto it =
      std::find_if(fields.begin(), fields.end(), [&](const FormField& f) { return f.key == key; });
  return it == fields.end() ? nullptr : &*it;
}

}  // namespace

FormField* NewRunForm::find(std::string_view key) { return find_in(fields, key); }
const FormField* NewRunForm::find(std::string_view key) const { return find_in(fields, key); }

std::size_t NewRunForm::errors() const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(), [](const FormField& f) { return !f.error.empty(); }));
}

std::size_t NewRunForm::changed() const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(), [](const FormField& f) { return f.is_changed(); }));
}

std::string NewRunForm::why_not_ready() const {
  if (!problem.empty()) return problem;
  const std::size_t wrong = errors();
  if (wrong == 0) return "";
  const auto first =
      std::find_if(fields.begin(), fields.end(), [](const FormField& f) { return !f.error.empty(); });
  return wrong == 1 ? first->label + ": " + first->error
                    : fmt::format("{} values will not do; the first is {}", wrong, first->label);
}

bool matches(const FormField& field, std::string_view search) {
  const std::string place = lowered(field.label + ' ' + field.key + ' ' + field.section + ' ' + field.help);
  const std::string words = lowered(search);
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t begin = words.find_first_not_of(' ', at);
    if (begin == std::string::npos) break;
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    if (place.find(words.substr(begin, end - begin)) == std::string::npos) return false;
    at = end;
  }
  return true;
}

void carry_changes(const NewRunForm& from, NewRunForm& to) {
  for (const FormField& field : from.fields) {
    if (!field.is_changed()) continue;
    if (FormField* there = to.find(field.key)) there->value = field.value;
  }
}

std::string label_from_key(std::string_view name) {
  std::string label(name);
  std::replace(label.begin(), label.end(), '_', ' ');
  if (!label.empty()) label[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(label[0])));
  return label;
}

}  // namespace sparsescope::viz

// Values of single keys: text to value, value to field with type and range, and the nearest known key for a
// wrong one.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "engine/experiments/fields.h"
#include "engine/trace/error.h"

namespace sparsescope::experiments {
namespace {

std::string shown(double number) {
  return number == std::floor(number) && std::abs(number) < 1e15 ? fmt::format("{:.0f}", number)
                                                                 : fmt::format("{}", number);
}

// Edits (insert, delete, replace) that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::string nearest_key(std::string_view name) {
  const Key* best = nullptr;
  std::size_t best_distance = 0;
  for (const Key& key : keys()) {
    // A person who writes "learning_rate", or puts a key under another table, means the key that ends so.
    const std::size_t distance =
        std::min(edit_distance(name, key.name), edit_distance(last_part(name), last_part(key.name)) + 1);
    if (best == nullptr || distance < best_distance) best = &key, best_distance = distance;
  }
  return best->name;
}

[[noreturn]] void refuse(const Key& key, const std::string& value) {
  throw Error(fmt::format("{} = {} does not fit: it takes {}", key.name, value, what_fits(key)),
              ExitCode::Usage);
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") + 1 - begin));
}

template <typename T>
std::optional<T> parsed(const std::string& text) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  T number{};
  const auto [stop, status] = std::from_chars(begin, end, number);
  if (status != std::errc() || stop != end) return std::nullopt;
  return number;
}

template <typename T>
std::optional<std::vector<T>> parsed_list(std::string text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = trimmed(std::string_view(text).substr(1, text.size() - 2));
  std::vector<T> list;
  for (std::size_t begin = 0; !text.empty() && begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::optional<T> number = parsed<T>(trimmed(std::string_view(text).substr(begin, end - begin)));
    if (!number) return std::nullopt;
    list.push_back(*number);
    begin = end + 1;
  }
  return list;
}

template <typename T>
Value value_or_refuse(const Key& key, const std::string& text, const std::optional<T>& value) {
  if (!value) refuse(key, text.empty() ? "(nothing)" : text);
  return Value(*value);
}

Value value_from_text(const Key& key, const std::string& given) {
  const std::string text = trimmed(given);
  switch (key.type) {
    case Key::Type::Integer:
      return value_or_refuse(key, text, parsed<std::int64_t>(text));
    case Key::Type::Number:
      return value_or_refuse(key, text, parsed<double>(text));
    case Key::Type::Integers:
      return value_or_refuse(key, text, parsed_list<std::int64_t>(text));
    case Key::Type::Numbers:
      return value_or_refuse(key, text, parsed_list<double>(text));
    case Key::Type::Switch:
      if (text != "true" && text != "false") refuse(key, text.empty() ? "(nothing)" : text);
      return text == "true";
    case Key::Type::Choice:
    case Key::Type::Text:
      break;
  }
  const bool is_quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return is_quoted ? text_from_toml(text) : given;
}

void check_range(const Key& key, double number) {
  if (!(number >= key.minimum && number <= key.maximum)) refuse(key, shown(number));
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string text_of(double number) {
  std::string text = fmt::format("{}", number);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}
std::string text_of(std::int64_t number) { return std::to_string(number); }

template <typename T>
std::string text_of(const std::vector<T>& list) {
  std::string text;
  for (const T& item : list) text += (text.empty() ? "" : ", ") + text_of(item);
  return "[" + text + "]";
}

std::string text_of(const Value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, bool>)
          return held ? "true" : "false";
        else if constexpr (std::is_same_v<T, std::string>)
          return quoted(held);
        else
          return text_of(held);
      },
      value);
}

// Writes a value that already has the right type; the range is checked here.
void write_integer(const Key& key, std::int64_t number, const FieldRef& place) {
  check_range(key, static_cast<double>(number));
  if (auto* const* signed_place = std::get_if<std::int64_t*>(&place)) **signed_place = number;
  if (auto* const* unsigned_place = std::get_if<std::uint64_t*>(&place))
    **unsigned_place = static_cast<std::uint64_t>(number);
}

template <typename T>
void write_list(const Key& key, const std::vector<T>& list, const FieldRef& place) {
  if (list.empty()) refuse(key, "[]");
  for (const T& item : list) check_range(key, static_cast<double>(item));
  *std::get<std::vector<T>*>(place) = list;
}

void write_choice(const Key& key, const std::string& name, const FieldRef& place) {
  const auto found = std::find(key.choices.begin(), key.choices.end(), name);
  if (found == key.choices.end()) refuse(key, name.empty() ? "(nothing)" : name);
  if (auto* const* text = std::get_if<std::string*>(&place)) {
    **text = name;
  } else {
    std::get<ChoiceRef>(place).write(static_cast<std::size_t>(found - key.choices.begin()));
  }
}

}  // namespace

const Field& field_of(std::string_view name) {
  for (const Field& field : fields()) {
    if (field.key.name == name) return field;
  }
  throw Error(fmt::format("there is no key '{}'; did you mean {}?", name, nearest_key(name)),
              ExitCode::Usage);
}

std::string what_fits(const Key& key) {
  const std::string unit = key.unit == "1" ? "" : " " + key.unit;
  const std::string range = fmt::format("between {} and {}{}", shown(key.minimum), shown(key.maximum), unit);
  switch (key.type) {
    case Key::Type::Integer:
      return "a whole number " + range;
    case Key::Type::Number:
      return "a number " + range;
    case Key::Type::Integers:
      return "a list of whole numbers " + range;
    case Key::Type::Numbers:
      return "a list of numbers " + range;
    case Key::Type::Switch:
      return "true or false";
    case Key::Type::Text:
      return "text";
    case Key::Type::Choice:
      break;
  }
  if (key.choices.size() == 1) return "only " + key.choices.front();
  std::string text = "one of ";
  for (std::size_t i = 0; i < key.choices.size(); ++i) text += (i == 0 ? "" : ", ") + key.choices[i];
  return text;
}

Value value_of(const Experiment& experiment, const Field& field) {
  Experiment copy = experiment;  // fields are located in mutable experiments only
  return std::visit(
      [&field](const auto& place) -> Value {
        using T = std::decay_t<decltype(place)>;
        if constexpr (std::is_same_v<T, ChoiceRef>)
          return field.key.choices.at(place.read());
        else if constexpr (std::is_same_v<T, std::uint64_t*>)
          return static_cast<std::int64_t>(*place);
        else
          return *place;
      },
      field.locate(copy));
}

void set_value(Experiment& experiment, const Field& field, const Value& value) {
  const Key& key = field.key;
  const FieldRef place = field.locate(experiment);
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* number = std::get_if<double>(&value);
  const auto* toggle = std::get_if<bool>(&value);
  const auto* text = std::get_if<std::string>(&value);
  const auto* integers = std::get_if<std::vector<std::int64_t>>(&value);
  const auto* numbers = std::get_if<std::vector<double>>(&value);
  if (key.type == Key::Type::Integer && integer) {
    write_integer(key, *integer, place);
  } else if (key.type == Key::Type::Number && (number || integer)) {
    const double wanted = number ? *number : static_cast<double>(*integer);
    check_range(key, wanted);
    *std::get<double*>(place) = wanted;
  } else if (key.type == Key::Type::Switch && toggle) {
    *std::get<bool*>(place) = *toggle;
  } else if (key.type == Key::Type::Text && text) {
    *std::get<std::string*>(place) = *text;
  } else if (key.type == Key::Type::Choice && text) {
    write_choice(key, *text, place);
  } else if (key.type == Key::Type::Integers && integers) {
    write_list(key, *integers, place);
  } else if (key.type == Key::Type::Numbers && (numbers || integers)) {
    write_list(key, numbers ? *numbers : std::vector<double>(integers->begin(), integers->end()), place);
  } else {
    refuse(key, text_of(value));
  }
}

std::string get(const Experiment& experiment, const std::string& key) {
  return text_of(value_of(experiment, field_of(key)));
}

std::string default_value(const std::string& key) { return get(Experiment(), key); }

void set(Experiment& experiment, const std::string& key, const std::string& value) {
  const Field& field = field_of(key);
  if (key == "profile")
    throw Error("profile cannot be set: it follows from the device; use --device cpu or --device cuda",
                ExitCode::Usage);
  set_value(experiment, field, value_from_text(field.key, value));
}

}  // namespace sparsescope::experiments

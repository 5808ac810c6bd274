// The word rule, byte by byte, without locale or Unicode tables.
#include "engine/data/words.h"

#include <algorithm>
#include <array>

namespace sparsescope::data {
namespace {

enum class Class : unsigned char { Letter, Digit, Space, Sign };

constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> classes{};
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_letter =
        (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 128;
    const bool is_space = byte == ' ' || (byte >= '\t' && byte <= '\r');
    classes[static_cast<std::size_t>(byte)] = is_letter                    ? Class::Letter
                                              : byte >= '0' && byte <= '9' ? Class::Digit
                                              : is_space                   ? Class::Space
                                                                           : Class::Sign;
  }
  return classes;
}
constexpr std::array<Class, 256> kClasses = make_classes();

Class class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }

std::size_t run_end(std::string_view text, std::size_t begin, std::size_t limit) {
  const Class kind = class_of(text[begin]);
  std::size_t end = begin;
  while (end < limit && class_of(text[end]) == kind) ++end;
  return end;
}

}  // namespace

std::size_t first_word(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t limit = std::min(text.size(), kLongestWord);
  const bool has_space = text[0] == ' ' && limit > 1 && class_of(text[1]) != Class::Space;
  const std::size_t begin = has_space ? 1 : 0;
  if (class_of(text[begin]) == Class::Digit) return run_end(text, begin, std::min(limit, begin + 3));
  const std::size_t end = run_end(text, begin, limit);
  const bool is_space = class_of(text[begin]) == Class::Space;
  const bool leaves_space =
      is_space && end > 1 && end < text.size() && text[end - 1] == ' ' && class_of(text[end]) != Class::Space;
  return leaves_space ? end - 1 : end;
}

}  // namespace sparsescope::data

// One function per format of a corpus file.
#include "engine/data/strip.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "engine/data/files.h"
#include "engine/data/html_text.h"
#include "engine/data/program.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

constexpr std::size_t kMostUnpacked = std::size_t{256} << 20;  // bytes of one file

// A gzip file ends with its size, which is only a first guess: the sum of several members is larger.
std::string unpacked(const std::string& path, std::string_view bytes) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::uint32_t size = 0;
  if (bytes.size() >= 4) std::memcpy(&size, bytes.data() + bytes.size() - 4, 4);
  std::string text;
  std::size_t used = 0;
  if (size <= kMostUnpacked) {
    text.resize(std::max<std::size_t>(size, 1));
    if (libdeflate_gzip_decompress(decompressor.get(), bytes.data(), bytes.size(), text.data(), text.size(),
                                   &used) == LIBDEFLATE_SUCCESS) {
      text.resize(used);
      return text;
    }
  }
  throw Error(
      fmt::format("{} is not a gzip file of at most {} MiB, so its package is not the one that the "
                  "corpus file describes; get a newer version of this program",
                  path, kMostUnpacked >> 20));
}

// A page that only refers to another one.
bool is_reference(std::string_view page) {
  const std::size_t begin = page.find_first_not_of(" \n");
  return begin != std::string_view::npos && page.substr(begin, 4) == ".so ";
}

std::string text_from_man(const std::string& path, std::string_view page, const PackageText& how,
                          const Task& task) {
  if (is_reference(page)) return {};
  const ProgramResult result = run_program(
      {.arguments = {"mandoc", "-K", "utf-8", "-T", "html", "-O", "fragment"}, .input = page}, task);
  if (result.output.empty())
    throw Error(
        fmt::format("mandoc makes nothing of the manual page {} (exit code {}); see whether the "
                    "Debian package mandoc is whole",
                    path, result.exit_code));
  return text_from_html(result.output, {.keep = {".manual-text"}, .skip = how.skip});
}

}  // namespace

std::vector<std::string> strip_file(const std::string& path, std::string_view bytes, const PackageText& how,
                                    const Task& task) {
  std::string plain;
  if (path.ends_with(".gz")) {
    plain = unpacked(path, bytes);
    bytes = plain;
  }
  std::vector<std::string> texts;
  switch (how.format) {
    case TextFormat::Plain:
      texts = {std::string(binary_reason(bytes).empty() ? bytes : "")};
      break;
    case TextFormat::Html:
      texts = {text_from_html(bytes, {.keep = how.keep, .skip = how.skip})};
      break;
    case TextFormat::Man:
      texts = {text_from_man(path, bytes, how, task)};
      break;
    case TextFormat::Metamath:
      texts = sections_from_metamath(bytes);
      break;
  }
  std::erase_if(
      texts, [](const std::string& text) { return text.find_first_not_of(" \n\t\r") == std::string::npos; });
  return texts;
}

LineFilter::LineFilter(const CorpusFile& file)
    : repeated_(file.repeated_lines),
      dropped_(file.drop_lines),
      own_(file.language.own.begin(), file.language.own.end()),
      foreign_(file.language.foreign.begin(), file.language.foreign.end()) {}

bool LineFilter::is_wanted(std::string_view line) const {
  const std::string text(line);
  for (const std::string& glob : dropped_) {
    if (::fnmatch(glob.c_str(), text.c_str(), 0) == 0) return false;
  }
  if (own_.empty()) return true;
  int own = 0, foreign = 0;
  std::string word;
  const auto end_word = [&] {
    own += static_cast<int>(own_.count(word));
    foreign += static_cast<int>(foreign_.count(word));
    word.clear();
  };
  for (const char c : line) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    if (is_capital || (c >= 'a' && c <= 'z') || (c & 0x80) != 0) {
      word += is_capital ? static_cast<char>(c - 'A' + 'a') : c;
    } else {
      end_word();
    }
  }
  end_word();
  return own > 0 && foreign <= own;
}

std::string LineFilter::apply(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      if (!kept.empty() && !kept.ends_with("\n\n")) kept += '\n';
    } else if (is_wanted(line) && (repeated_ == RepeatedLines::Kept || seen_.emplace(line).second)) {
      kept.append(line) += '\n';
    }
  }
  while (kept.ends_with("\n\n")) kept.pop_back();
  return kept;
}

}  // namespace sparsescope::data

#include "engine/train/text_samples.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "engine/data/utf8.h"

namespace sparsescope::train {
namespace {

constexpr std::array<std::string_view, 6> kKept = {"step", "reason", "temperature",
                                                   "seed", "tokens", "distinct_4gram_share"};

}  // namespace

std::optional<double> distinct_4gram_share(const std::vector<std::int32_t>& ids) {
  if (ids.size() < 4) return std::nullopt;
  std::set<std::array<std::int32_t, 4>> distinct;
  for (std::size_t i = 0; i + 4 <= ids.size(); ++i)
    distinct.insert({ids[i], ids[i + 1], ids[i + 2], ids[i + 3]});
  return static_cast<double>(distinct.size()) / static_cast<double>(ids.size() - 3);
}

std::string utf8_or_escaped(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t length = data::character_bytes(bytes);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

void TextSampleLog::add(std::uint64_t step, Reason reason, const TextSample& sample) {
  nlohmann::ordered_json object = {{"step", step},
                                   {"reason", reason == Reason::Schedule ? "schedule" : "asked"},
                                   {"temperature", sample.temperature},
                                   {"seed", sample.seed},
                                   {"tokens", sample.ids.size()},
                                   {"distinct_4gram_share", nullptr},
                                   {"prompt", utf8_or_escaped(sample.prompt)},
                                   {"ids", sample.ids},
                                   {"text", utf8_or_escaped(sample.bytes)}};
  if (const std::optional<double> share = distinct_4gram_share(sample.ids))
    object["distinct_4gram_share"] = *share;
  elements_.add(object, kKept);
}

}  // namespace sparsescope::train

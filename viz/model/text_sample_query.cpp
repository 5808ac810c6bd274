// From samples to the picture of the view, and that picture in words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/model/format.h"
#include "viz/model/text_sample.h"

namespace sparsescope::viz {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::string step_words(std::uint64_t step) { return format_count(static_cast<std::int64_t>(step)); }

// The sample whole: from its payload where it lies there.
TextSample whole(const QueryFrame& frame, const TextSampleEntry& entry, TextSamplePicture& picture) {
  if (!entry.sample.payload) return entry.sample;
  const trace::Channel* channel = frame.run.schema()->find("text_sample_payloads");
  if (channel == nullptr) {
    picture.remark = "its text was not recorded: the channel 'text_sample_payloads' is missing";
    return entry.sample;
  }
  const RowCache::Answer row = frame.run.cache().get(frame.run.row(entry.place.first).row, channel->id);
  if (row.state == RowCache::State::Loading) {
    picture.remark = "its text is being read";
    picture.is_reading = true;
    return entry.sample;
  }
  const auto [begin, end] = *entry.sample.payload;
  if (row.state != RowCache::State::Ready || end > row.data->bytes.size()) {
    picture.remark =
        row.state == RowCache::State::Ready ? "its text lies outside what was recorded" : row.message;
    return entry.sample;
  }
  const auto* bytes = reinterpret_cast<const char*>(row.data->bytes.data());
  return text_sample_from_json({bytes + begin, end - begin}, entry.sample.step);
}

void mark_repeats(const QueryFrame& frame, TextSamplePicture& picture) {
  const TextSample& sample = *picture.shown;
  picture.repeated_share = kUnknown;
  if (!sample.problem.empty() || !picture.remark.empty()) return;
  picture.pieces = {{sample.text, false}};
  if (sample.ids.empty()) {
    picture.remark = "its token ids were not recorded, so repeats are not marked";
    return;
  }
  const ProbeText words(frame.run, frame.cursor_step());
  const std::vector<bool> marks = repeated_ids(sample.ids);
  picture.repeated_share = static_cast<double>(std::ranges::count(marks, true)) /
                           static_cast<double>(std::max<std::size_t>(1, marks.size()));
  if (!words.has_vocabulary()) {
    picture.remark = "this run has no vocabulary, so repeats are counted and not marked";
    return;
  }
  picture.pieces = marked_text(words, sample.ids, marks);
}

std::string in_words(const TextSamplePicture& picture) {
  if (!picture.shown || !picture.shown->distinct_share) return {};
  const TextSample& sample = *picture.shown;
  std::string words = format_percent(*sample.distinct_share) + " of its 4-grams are distinct";
  // Against the first sample that is known: where it came from.
  for (auto entry = picture.list.rbegin(); entry != picture.list.rend(); ++entry) {
    if (!entry->sample.distinct_share || entry->sample.step >= sample.step) continue;
    words += fmt::format(", {} at step {}", format_percent(*entry->sample.distinct_share),
                         step_words(entry->sample.step));
    break;
  }
  if (!std::isnan(picture.repeated_share))
    words += "; " + format_percent(picture.repeated_share) + " of its tokens stand in repeats";
  return words;
}

const char* help() {
  return "Text that the model wrote at that step after the prompt, with its own random stream: sampling "
         "changes "
         "nothing in training.\n"
         "Repeats: a token is marked, by colour and underline, when it is part of four tokens in a row that "
         "occur "
         "at least twice in the generated part of this sample. Longer repeats are made of such fours.\n"
         "Distinct 4-grams: different runs of four tokens divided by all runs of four, of the generated "
         "part; 1 "
         "means nothing repeats. It falls when a model begins to loop.";
}

}  // namespace

TextSamplePicture text_sample_query(const QueryFrame& frame, const TextSampleSettings& settings,
                                    TextSampleStore& store) {
  TextSamplePicture picture;
  begin_head(frame, "samples", "text_samples", picture);
  picture.title = "Text sample";
  picture.help = help();
  picture.repeated_share = kUnknown;
  if (picture.state == PictureState::NotApplicable) {
    picture.words =
        "This run records no text samples. Every preset records the channel 'text_samples' when sample.every "
        "is "
        "above 0 or a sample is asked for";
    return picture;
  }
  if (picture.state == PictureState::Waiting && frame.run.schema()->find("text_samples")->cadence == 0)
    picture.words = "No sample yet: this run writes one when it is asked to";
  if (picture.state != PictureState::Ready) return picture;
  const TextSampleStore::Answer answer = store.read(frame.run, picture.cursor_step);
  std::optional<TextSampleStore::Place> newest;
  for (const auto& [place, sample] : *answer.samples) {
    if (frame.run.row(place.first).step <= picture.cursor_step) newest = place;
    picture.list.push_back({place, sample, false});
  }
  std::ranges::reverse(picture.list);
  if (newest && settings.chosen && answer.samples->contains(*settings.chosen) &&
      frame.run.row(settings.chosen->first).step == frame.run.row(newest->first).step)
    newest = settings.chosen;
  if (!picture.list.empty())
    picture.steps = {static_cast<double>(picture.list.back().sample.step),
                     static_cast<double>(picture.list.front().sample.step)};
  picture.limits =
      fmt::format("{} {}", step_words(picture.list.size()), picture.list.size() == 1 ? "sample" : "samples");
  picture.is_reading = answer.unread > 0;
  if (answer.unread > 0) picture.hidden = fmt::format("{} still being read", step_words(answer.unread));
  if (!answer.problem.empty() && picture.problem.empty()) picture.problem = answer.problem;
  for (TextSampleEntry& entry : picture.list) {
    if (!newest || entry.place != *newest) continue;
    entry.is_shown = true;
    picture.shown = whole(frame, entry, picture);
  }
  if (!picture.shown) {
    if (answer.unread > 0) {
      picture.state = PictureState::Loading;
      picture.words = "Reading the samples";
    } else {
      picture.words = "No sample at or before step " + step_words(picture.cursor_step);
      if (!picture.list.empty())
        picture.action = {"Go to the first sample", "", picture.list.back().sample.step};
      picture.state = PictureState::Empty;
    }
    return picture;
  }
  mark_repeats(frame, picture);
  picture.detail = "step " + step_words(picture.shown->step);
  picture.takeaway = picture.shown->problem.empty() ? in_words(picture) : picture.shown->problem;
  return picture;
}

TextSamplePicture text_sample_query(const QueryFrame& frame, const TextSampleSettings& settings) {
  TextSampleStore store;
  return text_sample_query(frame, settings, store);
}

Twin twin_of(const TextSamplePicture& picture) {
  Twin twin = twin_of(static_cast<const PictureHead&>(picture));
  if (picture.shown) {
    twin.lines.push_back("Prompt: " + picture.shown->prompt);
    std::string text, repeated;
    for (const TextPiece& piece : picture.pieces) text += piece.text;
    twin.lines.push_back("Generated: " + text);
    for (const TextPiece& piece : picture.pieces) {
      if (piece.is_repeated) repeated += (repeated.empty() ? "" : " | ") + piece.text;
    }
    if (!repeated.empty()) twin.lines.push_back("Marked as repeated: " + repeated);
    if (!picture.remark.empty()) twin.lines.push_back("Remark: " + picture.remark);
  }
  twin.table.header = {"step", "reason", "tokens", "temperature", "seed", "distinct 4-grams, share", "shown"};
  for (const TextSampleEntry& entry : picture.list) {
    const TextSample& sample = entry.sample;
    twin.table.rows.push_back(
        {std::to_string(sample.step), sample.reason, std::to_string(sample.tokens),
         sample.temperature ? format_number(*sample.temperature, 6) : kAbsent,
         sample.seed ? std::to_string(*sample.seed) : kAbsent,
         sample.distinct_share ? fmt::format("{:.9g}", *sample.distinct_share) : kAbsent,
         entry.is_shown ? "yes" : ""});
  }
  return twin;
}

}  // namespace sparsescope::viz

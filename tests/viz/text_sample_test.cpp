// Text samples: what is read, what is marked as repeated, and the view over it.
#include "viz/model/text_sample.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/trace/text.h"
#include "tests/viz/viz_support.h"
#include "viz/views/text_sample_view.h"

namespace sparsescope::viz {
namespace {

// Pieces 0 "a", 1 "b", ... 25 "z", 26 " ", 27 line end, 28 and 29 the two bytes of "é".
std::string piece(std::int64_t id) {
  if (id < 26) return std::string(1, static_cast<char>('a' + id));
  return id == 26 ? " " : id == 27 ? "\n" : id == 28 ? "\xC3" : "\xA9";
}
constexpr std::int64_t kPieces = 30;

std::vector<std::int64_t> ids_of(const std::string& text) {
  std::vector<std::int64_t> ids;
  for (char c : text) ids.push_back(c == ' ' ? 26 : c == '\n' ? 27 : c - 'a');
  return ids;
}

struct SampleRun {
  explicit SampleRun(bool has_payloads = true, std::int64_t cadence = 50) {
    trace::Schema made;
    made.run_uuid = "33333333-0000-0000-0000-000000000000";
    made.title = "small samples";
    const auto channel = [](const char* name, trace::ChannelKind kind, trace::DType dtype,
                            std::vector<trace::Axis> axes, std::int64_t every) {
      trace::Channel channel;
      channel.name = name;
      channel.kind = kind;
      channel.dtype = dtype;
      channel.axes = std::move(axes);
      channel.cadence = every;
      return channel;
    };
    using enum trace::ChannelKind;
    using enum trace::DType;
    made.channels = {channel("text_samples", Ragged, Text, {}, cadence),
                     channel("vocabulary", Ragged, U8, {}, 0), channel("vocabulary_ends", Ragged, U32, {}, 0),
                     channel("probe_ids", Dense, I32, {{"sequence", 1, {}}, {"position", 4, {}}}, 0),
                     channel("text_sample_payloads", Ragged, U8, {}, 0)};
    if (!has_payloads) made.channels.pop_back();
    schema = std::make_shared<const trace::Schema>(trace::finish_schema(made));
  }
  // Samples as JSON, in a payload where they are too long for an element.
  std::shared_ptr<trace::Frame> frame(std::uint64_t step, const std::vector<nlohmann::json>& samples) {
    auto made = std::make_shared<trace::Frame>();
    made->row = next_row++;
    made->step = step;
    std::vector<std::string> texts;
    std::vector<std::uint8_t> payload;
    for (const nlohmann::json& sample : samples) {
      std::string text = sample.dump();
      if (text.size() > trace::kTextBytes) {
        nlohmann::json stub = sample;
        for (const char* key : {"prompt", "text", "ids"}) stub.erase(key);
        stub["payload_row"] = 0;
        stub["payload_begin"] = payload.size();
        payload.insert(payload.end(), text.begin(), text.end());
        stub["payload_end"] = payload.size();
        text = stub.dump();
      }
      texts.push_back(text);
    }
    if (!texts.empty()) trace::add_texts(*made, 0, texts);
    if (made->row == 0) {
      std::vector<std::uint8_t> bytes;
      std::vector<std::uint32_t> ends;
      for (std::int64_t id = 0; id < kPieces; ++id) {
        for (char c : piece(id)) bytes.push_back(static_cast<std::uint8_t>(c));
        ends.push_back(static_cast<std::uint32_t>(bytes.size()));
      }
      trace::add_values<std::uint8_t>(*made, 1, bytes);
      trace::add_values<std::uint32_t>(*made, 2, ends);
      trace::add_values<std::int32_t>(*made, 3, std::vector<std::int32_t>{0, 1, 2, 3});
    }
    if (!payload.empty()) trace::add_values<std::uint8_t>(*made, 4, payload);
    return made;
  }
  trace::SchemaPtr schema;
  std::uint64_t next_row = 0;
};

nlohmann::json sample(std::uint64_t step, const std::string& text, double share,
                      const char* reason = "schedule") {
  return {{"step", step},        {"reason", reason},      {"prompt", "once "},
          {"ids", ids_of(text)}, {"text", text},          {"temperature", 0.8},
          {"seed", 7},           {"tokens", text.size()}, {"distinct_4gram_share", share}};
}

struct Samples {
  void feed(const std::vector<trace::FramePtr>& frames, Feed feed = {}) {
    feed.mailbox = test::mailbox_with(source.schema, frames);
    mailbox = feed.mailbox;
    timeline.add_run(std::move(feed));
    timeline.drain_all();
  }
  TextSamplePicture ask(std::uint64_t step, TextSampleSettings settings = {}) {
    timeline.cursor().seek(step);
    return text_sample_query({timeline, *timeline.runs().front()}, settings, store);
  }
  SampleRun source;
  Timeline timeline;
  std::shared_ptr<trace::Mailbox> mailbox;
  TextSampleStore store;
};

std::string marked(const std::vector<TextPiece>& pieces) {
  std::string text;
  for (const TextPiece& piece : pieces) text += piece.is_repeated ? "[" + piece.text + "]" : piece.text;
  return text;
}

TEST(Repeats, FourInARowThatOccurTwiceAreMarkedAndNothingShorter) {
  const auto marks_of = [](const std::string& text) {
    std::string marks;
    for (bool mark : repeated_ids(ids_of(text))) marks += mark ? '1' : '0';
    return marks;
  };
  EXPECT_EQ(marks_of("abcdxabcdy"), "1111011110");
  EXPECT_EQ(marks_of("abcxabcy"), "00000000") << "three in a row are no repeat";
  EXPECT_EQ(marks_of("aaaaa"), "11111") << "they may overlap";
  EXPECT_EQ(marks_of("aaaa"), "0000") << "once is not twice";
  EXPECT_EQ(marks_of("abcdefxabcdef"), "1111110111111") << "longer ones are made of fours";
  EXPECT_EQ(marks_of("abc"), "000");
  EXPECT_TRUE(repeated_ids({}).empty());
}

TEST(TextSamples, TheNewestAtOrBeforeTheCursorIsShownWithItsRepeats) {
  Samples samples;
  samples.feed({samples.source.frame(0, {sample(0, "the cat sat", 1)}),
                samples.source.frame(50, {sample(50, "abcdxabcdy", 0.86)}),
                samples.source.frame(100, {sample(100, "zzzzzzzz", 0.2)})});
  TextSamplePicture picture = samples.ask(99);
  ASSERT_TRUE(picture.shown.has_value());
  EXPECT_EQ(picture.shown->step, 50u);
  EXPECT_EQ(picture.shown->prompt, "once ");
  EXPECT_EQ(marked(picture.pieces), "[abcd]x[abcd]y");
  EXPECT_DOUBLE_EQ(picture.repeated_share, 0.8);
  EXPECT_EQ(picture.takeaway,
            "86 % of its 4-grams are distinct, 100 % at step 0; 80 % of its tokens stand in repeats");
  ASSERT_EQ(picture.list.size(), 3u);
  EXPECT_EQ(picture.list.front().sample.step, 100u) << "newest first";
  EXPECT_TRUE(picture.list[1].is_shown);
  picture = samples.ask(100);
  EXPECT_EQ(marked(picture.pieces), "[zzzzzzzz]");
}

TEST(TextSamples, ALongOneIsReadFromThePayloadOfItsFrame) {
  Samples samples;
  std::string text;
  for (int i = 0; i < 120; ++i) text += fmt::format("{} ", static_cast<char>('a' + i * 7 % 26));
  samples.feed({samples.source.frame(
      0, {sample(0, "short", 1), sample(0, text, 0.9, "asked"), sample(0, text + "end", 0.9)})});
  const TextSamplePicture picture = samples.ask(0);
  ASSERT_EQ(picture.list.size(), 3u);
  EXPECT_FALSE(picture.list[2].sample.payload.has_value());
  ASSERT_TRUE(picture.list[1].sample.payload.has_value());
  EXPECT_TRUE(picture.list[1].sample.text.empty());
  ASSERT_TRUE(picture.shown.has_value());
  EXPECT_EQ(picture.shown->text, text + "end") << "of several at a step the last";
  TextSampleSettings settings;
  settings.chosen = TextSampleStore::Place{0, 1};
  const TextSamplePicture chosen = samples.ask(0, settings);
  EXPECT_EQ(chosen.shown->text, text);
  EXPECT_EQ(chosen.shown->reason, "asked");
}

TEST(TextSamples, AMissingPayloadIsSaid) {
  SampleRun source(false);
  Samples samples;
  samples.source = source;
  nlohmann::json stub = sample(0, "", 0.5);
  for (const char* key : {"prompt", "text", "ids"}) stub.erase(key);
  stub["payload_begin"] = 0;
  stub["payload_end"] = 20;
  samples.feed({samples.source.frame(0, {stub})});
  EXPECT_EQ(samples.ask(0).remark,
            "its text was not recorded: the channel 'text_sample_payloads' is missing");
}

TEST(TextSamples, CharactersSpreadOverTokensAreWholeAndStrangeBytesAreNamed) {
  Samples samples;
  nlohmann::json odd = sample(0, "", 1);
  odd["ids"] = {0, 28, 29, 1, 29, 27, 2};
  samples.feed({samples.source.frame(0, {odd})});
  EXPECT_EQ(marked(samples.ask(0).pieces), "aéb\\xa9\nc");
}

TEST(TextSamples, WhatCannotBeReadSaysSoAndTheOthersStay) {
  Samples samples;
  const auto fine = samples.source.frame(0, {sample(0, "fine", 1)}), broken = samples.source.frame(50, {});
  trace::add_texts(*broken, 0, std::vector<std::string>{"not json"});
  samples.feed({fine, broken});
  EXPECT_EQ(samples.ask(50).takeaway, "This sample is no JSON object, so it cannot be shown");
  EXPECT_TRUE(samples.ask(10).shown->problem.empty());
}

TEST(TextSamples, RowsAreReadOneByOneBeginningWithTheOneLookedAt) {
  Samples samples;
  auto rows = std::make_shared<test::ManualSource>();
  std::vector<trace::FramePtr> whole, bare;
  for (std::uint64_t step : {0, 50, 100, 150}) {
    auto frame = samples.source.frame(step, {sample(step, "abcd", 1)});
    whole.push_back(frame);
    auto without = std::make_shared<trace::Frame>(*frame);
    std::erase_if(without->data, [](const trace::ChannelData& part) { return part.channel == 0; });
    bare.push_back(without);
  }
  Feed feed;
  feed.rows = rows;
  samples.feed(bare, feed);
  TextSamplePicture picture = samples.ask(60);
  EXPECT_EQ(picture.state, PictureState::Loading);
  ASSERT_EQ(rows->asked.size(), 1u);
  EXPECT_EQ(rows->asked[0].request.first_row, 1u);
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 4; ++i) {
    const auto& asked = rows->asked.back();
    order.push_back(asked.request.first_row);
    rows->answer(asked.tag, whole[asked.request.first_row]);
    samples.timeline.drain_all();
    picture = samples.ask(60);
    EXPECT_EQ(picture.list.size(), static_cast<std::size_t>(i + 1));
    EXPECT_EQ(picture.hidden.empty(), i == 3) << picture.hidden;
  }
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 3, 2, 0}));
  EXPECT_TRUE(rows->cancelled.empty());
}

TEST(TextSamples, BeforeTheFirstOneThePictureOffersToGoThere) {
  Samples samples;
  samples.feed({samples.source.frame(0, {}), samples.source.frame(50, {sample(50, "abcd", 1)})});
  const TextSamplePicture picture = samples.ask(10);
  EXPECT_EQ(picture.state, PictureState::Empty);
  EXPECT_EQ(picture.words, "No sample at or before step 10");
  ASSERT_TRUE(picture.action.has_value());
  EXPECT_EQ(picture.action->step, 50u);
}

TEST(TextSamples, TheTwinHoldsTheTextItsRepeatsAndARowForEachSample) {
  Samples samples;
  samples.feed({samples.source.frame(0, {sample(0, "the cat", 1)}),
                samples.source.frame(50, {sample(50, "abcdxabcdy", 0.86)})});
  const Twin twin = twin_of(samples.ask(50));
  EXPECT_EQ(twin.table.rows.size(), 2u);
  for (const auto& row : twin.table.rows) EXPECT_EQ(row.size(), twin.table.header.size());
  const std::string text = text_of(twin);
  EXPECT_NE(text.find("Generated: abcdxabcdy"), std::string::npos) << text;
  EXPECT_NE(text.find("Marked as repeated: abcd | abcd"), std::string::npos) << text;
}

// --- the view ---
struct Stage : Samples {
  DrawHash draw(int frames = 3) {
    DrawHash hash;
    for (int i = 0; i < frames; ++i) {
      selection.begin_frame();
      hash = screen.frame([&] {
        ViewContext context{timeline, selection};
        context.size = ImGui::GetContentRegionAvail();
        context.post = post;
        view->draw(context);
      });
    }
    return hash;
  }
  Selection selection;
  test::NullScreen screen{{1000, 640}};
  std::unique_ptr<View> view = test::make_view("samples");
  std::function<void(trace::Command)> post;
};

TEST(TextSampleView, EveryStateOfItsDataLooksDifferentAndHasATwin) {
  const std::map<std::string, std::function<void(Stage&)>> states = {
      {"no run", [](Stage&) {}},
      {"not applicable",
       [](Stage& stage) {
         test::SmallRun small;
         stage.timeline.add_run({test::mailbox_with(small.schema, {small.frame(0)})});
       }},
      {"waiting", [](Stage& stage) { stage.feed({}); }},
      {"empty",
       [](Stage& stage) {
         stage.feed({});
         stage.mailbox->on_end({trace::RunStatus::Stopped, ""});
       }},
      {"failed",
       [](Stage& stage) {
         stage.feed({});
         stage.mailbox->on_end({trace::RunStatus::Failed, "the disk is full"});
       }},
      {"loading",
       [](Stage& stage) {
         Feed feed;
         feed.progress = [] { return LoadProgress{1, 10, 1 << 20}; };
         feed.cancel_loading = [] {};
         stage.feed({stage.source.frame(0, {sample(0, "abcd", 1)})}, feed);
       }},
      {"one", [](Stage& stage) { stage.feed({stage.source.frame(0, {sample(0, "the cat", 1)})}); }},
      {"repeats", [](Stage& stage) { stage.feed({stage.source.frame(0, {sample(0, "abcdabc", 1)})}); }},
      {"several",
       [](Stage& stage) {
         stage.feed({stage.source.frame(0, {sample(0, "the cat", 1)}),
                     stage.source.frame(50, {sample(50, "abcdxabcdy", 0.86)})});
       }},
      {"before the first",
       [](Stage& stage) {
         stage.feed({stage.source.frame(0, {}), stage.source.frame(50, {sample(50, "abcd", 1)})});
         stage.timeline.cursor().seek(10);
       }},
      {"unreadable",
       [](Stage& stage) {
         auto broken = stage.source.frame(0, {});
         trace::add_texts(*broken, 0, std::vector<std::string>{"not json"});
         stage.feed({broken});
       }},
      {"live",
       [](Stage& stage) {
         stage.feed({stage.source.frame(0, {sample(0, "the cat", 1)})});
         stage.post = [](trace::Command) {};
       }},
  };
  std::map<std::uint64_t, std::string> seen;
  for (const auto& [name, arrange] : states) {
    Stage stage;
    arrange(stage);
    stage.timeline.drain_all();
    const DrawHash hash = stage.draw();
    EXPECT_GT(hash.vertices, 50) << name;
    const auto [place, is_new] = seen.emplace(hash.value, name);
    EXPECT_TRUE(is_new) << name << " looks like " << place->second;
    ViewContext context{stage.timeline, stage.selection};
    EXPECT_FALSE(stage.view->text_twin(context).empty()) << name;
  }
}

TEST(TextSampleView, DrawsInLittleRoomAndALongTextOnlyWhereItIsSeen) {
  Stage stage;
  std::string text;
  for (int i = 0; i < 3000; ++i) text += fmt::format("{} ", static_cast<char>('a' + i * 7 % 26));
  stage.feed({stage.source.frame(0, {sample(0, text, 1)})});
  EXPECT_LT(stage.draw().vertices, 30'000);
  stage.screen.io().DisplaySize = {260, 180};
  EXPECT_GT(stage.draw().vertices, 20);
}

TEST(TextSampleView, GenerateNowPostsWhatWasTypedAndIsDimmedInAReplay) {
  Stage stage;
  stage.view->set_settings({{"prompt", "once"}, {"tokens", 40}, {"temperature", 0.5}, {"seed", 11}});
  const auto& wish = dynamic_cast<TextSampleView&>(*stage.view).wish();
  EXPECT_EQ(wish.prompt, "once");
  EXPECT_EQ(wish.tokens, 40);
  EXPECT_EQ(wish.temperature, 0.5);
  EXPECT_EQ(wish.seed, 11u);
  stage.view->set_settings({{"tokens", -4}, {"temperature", 99}, {"prompt", 3}, {"list", "yes"}});
  EXPECT_EQ(wish.tokens, 40) << "strange values are left out";
  EXPECT_EQ(wish.temperature, 5) << "and others cut to what is possible";
  EXPECT_EQ(wish.prompt, "once");
  EXPECT_EQ(stage.view->settings()["seed"], 11);

  stage.feed({stage.source.frame(0, {sample(0, "the cat", 1)})});
  std::vector<trace::Command> posted;
  // The button stands in the last line; walking along it finds it.
  const auto click_along = [&] {
    const float y = stage.screen.content_min.y + stage.screen.content_size.y - px(18);
    for (float x = px(250); x < px(700); x += px(40)) {
      stage.screen.io().AddMousePosEvent(stage.screen.content_min.x + x, y);
      stage.draw(1);
      stage.screen.io().AddMouseButtonEvent(0, true);
      stage.draw(1);
      stage.screen.io().AddMouseButtonEvent(0, false);
      stage.draw(1);
    }
  };
  stage.draw();
  click_along();
  EXPECT_TRUE(posted.empty()) << "there is no trainer";
  stage.post = [&](trace::Command command) { posted.push_back(std::move(command)); };
  click_along();
  ASSERT_FALSE(posted.empty());
  const auto& asked = std::get<trace::GenerateText>(posted[0]);
  EXPECT_EQ(asked.prompt, "once");
  EXPECT_EQ(asked.tokens, 40);
  EXPECT_EQ(asked.seed, 11u);
}

TEST(TextSampleView, SaysWhetherItAppliesAndWhyNot) {
  auto view = test::make_view("samples");
  viz::Run with(0, nullptr, 1 << 20), without(1, nullptr, 1 << 20);
  with.take(SampleRun().schema);
  without.take(test::SmallRun().schema);
  EXPECT_TRUE(view->applies(with).does);
  EXPECT_FALSE(view->applies(without).does);
  EXPECT_NE(view->applies(without).reason.find("preset"), std::string::npos);
}

}  // namespace
}  // namespace sparsescope::viz

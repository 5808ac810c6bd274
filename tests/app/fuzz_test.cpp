// Random hands: 300 commands and pointer actions from a seed. Nothing breaks, nothing freezes, every
// thirtieth picture shows something, and undo finds back to the picture of the start.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string_view>

#include "imgui_internal.h"
#include "tests/app/bench.h"
#include "viz/widgets/color_vision.h"
#include "viz/widgets/colormaps.h"

namespace sparsescope::test {
namespace {

constexpr int kActions = 300;
constexpr int kActionsPerPicture = 30;
constexpr double kFreezeSeconds = 8;

class Hands {
 public:
  Hands(Bench& bench, unsigned seed) : bench_(bench), random_(seed) {}

  // One action; its words, for the failure message.
  std::string act() {
    const auto begin = std::chrono::steady_clock::now();
    std::string words = number(10) < 6 ? command() : pointer();
    bench_.draw(2);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_LT(seconds, kFreezeSeconds) << words;
    // What ImGui complains of without breaking off.
    EXPECT_EQ(ImGui::GetCurrentContext()->ErrorCountCurrentFrame, 0) << words;
    EXPECT_LE(ImGui::GetCurrentContext()->HoveredIdPreviousFrameItemCount, 1)
        << "two widgets share an identity under the pointer, after " << words;
    return words;
  }

  // Lets go of everything that is held or open.
  void rest() {
    for (int button = 0; button < 3; ++button) ImGui::GetIO().AddMouseButtonEvent(button, false);
    ImGui::GetIO().AddMousePosEvent(-FLT_MAX, -FLT_MAX);
    for (int i = 0; i < 4; ++i) bench_.press(viz::chord_from_text("Escape"));
    bench_.draw(10);
  }

 private:
  int number(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  // Without a surface no picture can be drawn beside the window; leaving has its own journey.
  bool is_left_out(const std::string& id) const {
    return id == "view.export_again" || id == "view.copy_svg" || id == "app.quit";
  }

  std::string command() {
    const std::vector<viz::UiCommand>& all = bench_.commands().all();
    const viz::UiCommand& chosen = all[static_cast<std::size_t>(number(static_cast<int>(all.size())))];
    const std::string id = chosen.id;
    if (is_left_out(id)) return id;
    if (chosen.argument && number(2) == 0) {
      const std::string value = this->value(*chosen.argument);
      bench_.commands().run(id, value);
      return id + " " + value;
    }
    bench_.commands().run(id);
    return id;
  }

  std::string value(const viz::CommandArgument& argument) {
    using Kind = viz::CommandArgument::Kind;
    if (number(8) == 0) return "nonsense";
    if (argument.kind == Kind::Choice) {
      const std::vector<std::string> choices = argument.choices();
      return choices.empty() ? ""
                             : choices[static_cast<std::size_t>(number(static_cast<int>(choices.size())))];
    }
    if (argument.kind == Kind::Text) return argument.current ? argument.current() : "text";
    const viz::Range range = argument.range ? argument.range() : viz::Range{0, 40};
    return std::to_string(static_cast<long>(range.minimum + range.width() * number(1000) / 1000));
  }

  std::string pointer() {
    ImGuiIO& io = ImGui::GetIO();
    const auto x = static_cast<float>(number(1600)), y = static_cast<float>(number(900));
    const int button = number(6) == 0 ? 1 : 0;
    io.AddMousePosEvent(x, y);
    bench_.draw(1);
    switch (number(4)) {
      case 0:
        io.AddMouseWheelEvent(0, static_cast<float>(number(7) - 3));
        break;
      case 1:  // drag
        io.AddMouseButtonEvent(button, true);
        bench_.draw(2);
        io.AddMousePosEvent(static_cast<float>(number(1600)), static_cast<float>(number(900)));
        bench_.draw(2);
        io.AddMouseButtonEvent(button, false);
        break;
      default:
        io.AddMouseButtonEvent(button, true);
        bench_.draw(1);
        io.AddMouseButtonEvent(button, false);
    }
    return "pointer at " + std::to_string(x) + " " + std::to_string(y);
  }

  Bench& bench_;
  std::mt19937 random_;
};

// A pressed button may ask for a figure or for the end: neither is possible here.
void ask_for_nothing(Bench& bench) {
  bench.state().wanted_figure.reset();
  bench.host.leave.reset();
}

// Empty, or what is wrong with a picture that should show a window.
std::string trouble_in(const render::Pixels& picture) {
  if (picture.width != 1600 || picture.height != 900) return "it has another size";
  if (picture.rgba.size() != std::size_t{1600} * 900 * 4) return "it is not whole";
  std::map<std::uint32_t, std::size_t> colours;
  for (std::size_t i = 0; i < picture.rgba.size(); i += 4) {
    if (picture.rgba[i + 3] != 255) return "one can look through it";
    ++colours[picture.rgba[i] | picture.rgba[i + 1] << 8 | picture.rgba[i + 2] << 16];
  }
  std::size_t most = 0;
  for (const auto& [colour, count] : colours) most = std::max(most, count);
  if (colours.size() < 16) return fmt::format("it has only {} colours", colours.size());
  return most > 1600 * 900 * 0.995 ? "it is almost of one colour" : "";
}

TEST(Fuzz, NothingBreaksWhileARunIsTrainedAndEveryPictureShowsSomething) {
  SometimesPainted* screen = nullptr;
  Bench bench(true, [&](int width, int height) {
    auto made = std::make_unique<SometimesPainted>(width, height);
    screen = made.get();
    return made;
  });
  bench.draw(60);
  Hands hands(bench, 1);
  std::string last;
  std::vector<std::size_t> pictures;  // hashes
  for (int i = 1; i <= kActions; ++i) {
    ASSERT_NO_THROW(last = hands.act()) << "after " << last << ", action " << i;
    ask_for_nothing(bench);
    if (i % kActionsPerPicture != 0) continue;
    screen->paint_next();
    bench.draw(1);
    const render::Pixels picture = screen->read_pixels();
    EXPECT_EQ(trouble_in(picture), "") << "after " << last << ", action " << i;
    pictures.push_back(std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(picture.rgba.data()), picture.rgba.size()}));
  }
  EXPECT_EQ(pictures.size(), 10u);
  EXPECT_GE(std::set<std::size_t>(pictures.begin(), pictures.end()).size(), 5u)
      << "what is done changes what is seen";
  ASSERT_NO_THROW(hands.rest()) << last;
}

TEST(Fuzz, NothingBreaksWhateverTheSeed) {
  for (const unsigned seed : {2u, 4u, 5u}) {
    Bench bench;
    bench.host.no_figures = "there is no surface to draw them on";
    bench.draw(60);
    Hands hands(bench, seed);
    std::string last;
    for (int i = 0; i < kActions; ++i) {
      ASSERT_NO_THROW(last = hands.act()) << "seed " << seed << ", after " << last << ", action " << i;
      ask_for_nothing(bench);
    }
    ASSERT_NO_THROW(hands.rest()) << last;
  }
}

TEST(Fuzz, NothingBreaksOnTheStartPage) {
  Bench bench(false);
  bench.host.no_training = "this program only replays";
  Hands hands(bench, 3);
  for (int i = 0; i < kActions; ++i) {
    ASSERT_NO_THROW(hands.act()) << i;
    ask_for_nothing(bench);
  }
}

// The pictures of all views, each alone.
std::map<std::string, std::uint64_t> pictures(Bench& bench) {
  std::map<std::string, std::uint64_t> hashes;
  for (const std::string& view : bench.frame->view_ids()) {
    for (int i = 0; i < 6; ++i) {
      bench.frame->prepare();
      bench.surface->begin_frame();
      bench.frame->draw_view(view, 0);
      bench.surface->end_frame();
    }
    hashes[view] = viz::hash_draw_data(*ImGui::GetDrawData()).value;
  }
  return hashes;
}

TEST(Fuzz, UndoFindsBackToThePicturesOfTheStart) {
  for (const unsigned seed : {11u, 12u, 13u}) {
    // Of the program, whatever was drawn before.
    set_color_vision(ColorVision::Normal);
    set_default_color_map(ColorMap::Cividis);
    Bench bench(false);
    bench.host.start_training("spark-collapse");
    bench.host.scripted->advance(300);
    bench.host.scripted->close();
    bench.host.no_training = "one run is enough here";
    const std::uint32_t run = bench.timeline.runs().empty() ? 0 : bench.timeline.runs().front()->id();
    bench.draw(20);
    bench.run("timeline.go_to", "120");
    bench.draw(20);
    const nlohmann::json start = frame::snapshot(bench.state());
    const auto pictures_at_start = pictures(bench);
    bench.draw(20);

    Hands hands(bench, seed);
    for (int i = 0; i < kActions; ++i) {
      ASSERT_NO_THROW(hands.act()) << "seed " << seed << ", action " << i;
      ask_for_nothing(bench);
    }
    hands.rest();
    while (bench.commands().why_disabled("window.undo").empty()) {
      bench.commands().run("window.undo");
      bench.draw(8);
    }
    ASSERT_NE(bench.timeline.find(run), nullptr) << "closing it is undone";
    // A cell that the keyboard holds is no step, nor is time or replaying it.
    for (frame::State::Slot& slot : bench.state().slots) {
      viz::ViewContext context{bench.timeline, bench.state().selection};
      slot.view->walk(context, viz::Walk::Leave);
    }
    bench.timeline.cursor().set_loop(std::nullopt);
    bench.timeline.cursor().hold();
    bench.timeline.cursor().seek(120);
    bench.draw(20);
    const nlohmann::json now = frame::snapshot(bench.state());
    nlohmann::json changes = nlohmann::json::diff(start, now);
    // Which view has the keyboard is no step of its own.
    for (std::size_t i = changes.size(); i-- > 0;) {
      if (changes[i]["path"] == "/focus") changes.erase(i);
    }
    EXPECT_TRUE(changes.empty()) << "seed " << seed << ": " << changes.dump();
    EXPECT_EQ(pictures(bench), pictures_at_start) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sparsescope::test

#include "viz/views/text_sample_flow.h"

#include <cmath>
#include <string_view>

#include "imgui.h"

namespace sparsescope::viz {
namespace {

constexpr float kText = kSmallText, kLine = 19;  // at scale 1

class Flow {
 public:
  Flow(ImVec2 at, float width, Token ink) : origin_(at), at_(at), width_(width), ink_(ink) {}

  void add(const TextPiece& piece) {
    const std::string_view text = piece.text;
    for (std::size_t from = 0; from < text.size();) {
      if (text[from] == '\n') {
        next_line();
        ++from;
        continue;
      }
      // A word with the spaces behind it goes on the next line as a whole.
      std::size_t to = from;
      while (to < text.size() && text[to] != ' ' && text[to] != '\n') ++to;
      while (to < text.size() && text[to] == ' ') ++to;
      add_word(text.substr(from, to - from), piece.is_repeated);
      from = to;
    }
  }
  float height() const { return at_.y + px(kLine) - origin_.y; }

 private:
  void add_word(std::string_view word, bool is_marked) {
    const char *begin = word.data(), *end = begin + word.size();
    ImVec2 size = text_size(Font::Mono, kText, begin, end);
    if (at_.x > origin_.x && at_.x + size.x > origin_.x + width_) next_line();
    // One that is wider than a line is cut where the line ends.
    while (size.x > width_ && end - begin > 1) {
      const char* cut = begin + 1;
      while (cut < end && text_size(Font::Mono, kText, begin, next(cut, end)).x <= width_)
        cut = next(cut, end);
      draw(begin, cut, text_size(Font::Mono, kText, begin, cut).x, is_marked);
      next_line();
      begin = cut;
      size = text_size(Font::Mono, kText, begin, end);
    }
    draw(begin, end, size.x, is_marked);
  }
  // The end of the character that begins at `at`.
  static const char* next(const char* at, const char* end) {
    ++at;
    while (at < end && (static_cast<unsigned char>(*at) & 0xC0u) == 0x80u) ++at;
    return at;
  }
  void draw(const char* begin, const char* end, float width, bool is_marked) {
    ImDrawList* list = ImGui::GetWindowDrawList();
    const ImU32 ink = color(is_marked ? Token::Warn : ink_);
    if (ImGui::IsRectVisible(at_, {at_.x + width, at_.y + px(kLine)})) {
      draw_text(list, Font::Mono, kText, at_, ink, begin, end);
      if (is_marked) {
        const float y = at_.y + px(kLine - 3);
        list->AddLine({at_.x, y}, {at_.x + width, y}, ink, line_px(1.25f));
      }
    }
    at_.x += width;
  }
  void next_line() { at_ = {origin_.x, at_.y + px(kLine)}; }

  ImVec2 origin_, at_;
  float width_;
  Token ink_;
};

}  // namespace

void draw_text_flow(const std::vector<TextPiece>& pieces, float width, Token ink) {
  Flow flow(ImGui::GetCursorScreenPos(), width, ink);
  for (const TextPiece& piece : pieces) flow.add(piece);
  ImGui::Dummy({width, flow.height()});
}

}  // namespace sparsescope::viz

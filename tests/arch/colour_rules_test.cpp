// Colours have names: views and the window take them from the theme's tokens or a colour map, never from a
// number.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

bool has_literal_colour(const std::string& line) {
  static const std::regex pattern("IM_COL32|ImColor|0x[0-9a-fA-F]{6}u?\\b|0x[0-9a-fA-F]{8}u?\\b");
  return std::regex_search(line, pattern);
}

TEST(ColourRules, NoViewAndNoPartOfTheWindowNamesAColourByNumber) {
  std::vector<std::string> found;
  int files = 0;
  for (const char* folder : {"viz/views", "viz/frame"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(SPARSESCOPE_SOURCE_DIR) / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".h") continue;
      ++files;
      std::ifstream file(entry.path());
      int number = 0;
      for (std::string line; std::getline(file, line);) {
        ++number;
        if (has_literal_colour(line))
          found.push_back(fmt::format("{}:{}: {}", entry.path().filename().string(), number, line));
      }
    }
  }
  EXPECT_GT(files, 30);
  EXPECT_TRUE(found.empty()) << fmt::format("{}", fmt::join(found, "\n"));
}

TEST(ColourRules, TheRuleSeesEachWayToWriteOne) {
  EXPECT_TRUE(has_literal_colour("list->AddLine(a, b, IM_COL32(1, 2, 3, 255));"));
  EXPECT_TRUE(has_literal_colour("const ImU32 ink = 0xff00ff00;"));
  EXPECT_TRUE(has_literal_colour("unsigned red = 0xff0000;"));
  EXPECT_FALSE(has_literal_colour("value_ = (value_ ^ word) * 0x100000001b3ull;"));
  EXPECT_FALSE(has_literal_colour("list->AddLine(a, b, color(Token::Line));"));
}

}  // namespace

// Holds the table of who may include what: headers in /usr/include compile from anywhere, so only a test can.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// What an include line reaches for: a folder of ours, or a library.
std::string target_of(const std::string& include) {
  struct Rule {
    const char* pattern;
    const char* target;
  };
  static const std::vector<Rule> rules = {
      {"^engine/train/(trainer|run_choices|run_estimate|corpora|checkpoint_files)\\.h$", "trainer"},
      {"^engine/trace/", "trace"},
      {"^engine/detect/", "detect"},
      {"^engine/record/", "record"},
      {"^engine/experiments/", "experiments"},
      {"^engine/", "engine"},
      {"^kernels/.*_op\\.h$", "kernel ops"},
      {"^kernels/", "kernels"},
      {"^viz/model/", "viz model"},
      {"^viz/views/", "viz views"},
      {"^viz/widgets/", "viz widgets"},
      {"^viz/frame/", "viz frame"},
      {"^viz/render/", "viz render"},
      {"^app/", "app"},
      {"^tests/", "tests"},
      {"^(torch|ATen|c10|caffe2)/", "torch"},
      {"^(cuda|cublas|cudnn|nv)[a-z_]*(\\.h|/)", "CUDA"},
      {"^(hdf5|H5)", "HDF5"},
      {"^(imgui|implot|im[a-z]*_)", "ImGui"},
      {"^(GL|EGL|GLFW|glad)/", "GL"},
      {"^(gtest|gmock)/", "GoogleTest"},
      {"^CLI/", "CLI11"},
      {"^toml\\+\\+", "toml"},
      {"^sentencepiece", "sentencepiece"},
      {"^gumbo\\.h", "gumbo"},
      {"^png\\.h", "png"},
      {"^libdeflate\\.h", "libdeflate"},
      {"^fmt/", "std"},
      {"^nlohmann/", "json"},
  };
  for (const Rule& rule : rules) {
    if (std::regex_search(include, std::regex(rule.pattern))) return rule.target;
  }
  return "std";
}

struct Room {
  const char* name;
  const char* pattern;  // of the path from the repository root; the first room that matches is the file's
  std::set<std::string> may_include;
};

const std::vector<Room>& rooms() {
  static const std::vector<Room> table = {
      {"engine/trace", "^engine/trace/", {"trace"}},
      {"engine/detect", "^engine/detect/", {"trace", "detect"}},
      {"engine/record", "^engine/record/", {"trace", "record", "HDF5", "json", "libdeflate"}},
      {"engine/experiments", "^engine/experiments/", {"trace", "experiments", "toml", "json"}},
      {"what the application sees of training",
       "^engine/train/(trainer|run_choices|run_estimate|corpora|checkpoint_files)\\.h$",
       {"trace", "experiments", "trainer"}},
      {"kernel adapters", "^kernels/.*_op\\.(h|cpp)$", {"trace", "kernels", "kernel ops", "torch", "CUDA"}},
      {"kernels", "^kernels/", {"trace", "kernels", "CUDA"}},
      {"engine",
       "^engine/(data|model|train|probes|evaluate)/",
       {"trace", "detect", "experiments", "engine", "trainer", "kernel ops", "kernels", "torch", "CUDA",
        "json", "sentencepiece", "toml", "gumbo", "libdeflate"}},
      {"viz/model", "^viz/model/", {"trace", "viz model", "json"}},
      {"viz/views and widgets",
       "^viz/(views|widgets|frame)/",
       {"trace", "viz model", "viz views", "viz widgets", "viz frame", "ImGui", "json"}},
      {"viz/render",
       "^viz/render/",
       {"viz model", "viz widgets", "viz render", "trace", "ImGui", "GL", "png"}},
      {"app/cli",
       "^app/cli/",
       {"trace", "record", "experiments", "trainer", "viz model", "app", "CLI11", "json"}},
      {"app",
       "^app/",
       {"trace", "record", "experiments", "trainer", "viz model", "viz views", "viz widgets", "viz frame",
        "viz render", "app", "ImGui", "CLI11", "json"}},
  };
  return table;
}

std::vector<std::string> includes_in(const fs::path& path) {
  static const std::regex line_pattern("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]");
  std::vector<std::string> includes;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_search(line, match, line_pattern)) includes.push_back(match[1]);
  }
  return includes;
}

bool is_source(const fs::path& path) {
  static const std::set<std::string> extensions = {".h", ".cpp", ".cu", ".cuh"};
  return extensions.count(path.extension().string()) != 0;
}

TEST(IncludeRules, EveryFileIncludesOnlyWhatItsRoomMay) {
  const fs::path root = SPARSESCOPE_SOURCE_DIR;
  std::vector<std::string> violations;
  int files = 0;
  for (const char* top : {"engine", "kernels", "viz", "app"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      ++files;
      const std::string path = fs::relative(entry.path(), root).string();
      const Room* room = nullptr;
      for (const Room& candidate : rooms()) {
        if (std::regex_search(path, std::regex(candidate.pattern))) {
          room = &candidate;
          break;
        }
      }
      ASSERT_NE(room, nullptr) << path << " belongs to no room of the table";
      for (const std::string& include : includes_in(entry.path())) {
        const std::string target = target_of(include);
        if (target != "std" && room->may_include.count(target) == 0) {
          violations.push_back(fmt::format("{} ({}) includes <{}> ({})", path, room->name, include, target));
        }
      }
    }
  }
  EXPECT_GT(files, 50);
  EXPECT_TRUE(violations.empty()) << fmt::format("{}", fmt::join(violations, "\n"));
}

TEST(IncludeRules, OnlyOneFileSeesHdf5) {
  const fs::path root = SPARSESCOPE_SOURCE_DIR;
  std::vector<std::string> seers;
  for (const auto& entry : fs::recursive_directory_iterator(root / "engine")) {
    if (!entry.is_regular_file() || !is_source(entry.path())) continue;
    for (const std::string& include : includes_in(entry.path())) {
      if (target_of(include) == "HDF5") {
        seers.push_back(fs::relative(entry.path(), root).string());
        break;
      }
    }
  }
  EXPECT_EQ(seers, std::vector<std::string>{"engine/record/h5.h"});
}

TEST(IncludeRules, TheRulesKnowEachKindOfInclude) {
  EXPECT_EQ(target_of("ATen/ops/mm.h"), "torch");
  EXPECT_EQ(target_of("cuda_runtime.h"), "CUDA");
  EXPECT_EQ(target_of("hdf5_hl.h"), "HDF5");
  EXPECT_EQ(target_of("imgui_internal.h"), "ImGui");
  EXPECT_EQ(target_of("engine/train/trainer.h"), "trainer");
  EXPECT_EQ(target_of("engine/train/optimizer.h"), "engine");
  EXPECT_EQ(target_of("vector"), "std");
}

}  // namespace

// Finds and reads the files of a corpus: paths, folders, globs. What their text means lives in corpus.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/corpus.h"

namespace sparsescope::data {

struct FoundFile {
  std::string path;  // to open it
  std::uint64_t bytes = 0;
  bool is_named = false;  // the person wrote this very path: it must be usable
};

struct FoundFiles {
  std::vector<FoundFile> files;  // of each source in the order of paths; regular, not empty, no file twice
  std::int64_t skipped = 0;      // empty ones and repetitions
  std::string source;            // for recordings: the sources without their leading folders
};

// Files, folders and globs; `named` are the named corpora, for sentences. Throws Error for a missing path, a
// glob without a match, a folder that cannot be read.
FoundFiles find_files(const std::vector<std::string>& sources, const std::vector<std::string>& named,
                      const Task& task);
// All files of a named corpus.
FoundFiles find_named(const NamedCorpus& named, const Task& task);

// The first `limit` bytes of a file. Throws Error when it cannot be read.
std::string read_file(const std::string& path, std::uint64_t limit);

// Why `text` is not text ("it holds a NUL byte"), or empty.
std::string binary_reason(std::string_view text);

}  // namespace sparsescope::data

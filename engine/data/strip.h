// From the files of a package to text: unpacking, HTML, manual pages, Metamath; repeated lines.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/data/corpus_file.h"
#include "engine/data/task.h"

namespace sparsescope::data {

// The texts of one file: one document, or for Metamath one per section; empty ones are left out. `path` ends
// in ".gz" where `bytes` are to be unpacked first and is named in sentences. Manual pages need the program
// mandoc. Throws Error, and Cancelled.
std::vector<std::string> strip_file(const std::string& path, std::string_view bytes, const PackageText& how,
                                    const Task& task);

// The sections of a Metamath database as text: comments, hypotheses, statements and the labels that a proof
// cites, without its compressed steps, conditions on variables, typesetting and what precedes the first
// section.
std::vector<std::string> sections_from_metamath(std::string_view database);

// What a corpus file says about lines, over all its documents in turn.
class LineFilter {
 public:
  explicit LineFilter(const CorpusFile& file);
  // Without boilerplate, lines that are no prose in the language and, where they are to be removed, lines
  // that were let through before; empty lines are folded.
  std::string apply(std::string_view text);

 private:
  bool is_wanted(std::string_view line) const;

  RepeatedLines repeated_;
  std::vector<std::string> dropped_;
  std::unordered_set<std::string> own_, foreign_, seen_;
};

}  // namespace sparsescope::data

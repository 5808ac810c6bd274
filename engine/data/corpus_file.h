// Named corpora as data: what a file assets/corpora/NAME.toml says. What is done with it lives in
// corpus_build.h. The members below are the keys of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/corpus.h"

namespace sparsescope::data {

enum class TextFormat { Plain, Html, Man, Metamath };  // files ending in .gz are unpacked first
enum class RepeatedLines { Kept, Removed };

// One Debian package and what is read of it.
struct PackageText {
  std::string package;               // "manpages-fr"
  std::string version;               // that the expected hash belongs to; whatever the archive has is used
  std::vector<std::string> files;    // globs on paths inside the package; * crosses folders
  std::vector<std::string> without;  // globs of files that are left out
  TextFormat format = TextFormat::Plain;
  std::vector<std::string>
      keep;  // HTML: "tag", ".class" or "#id"; only text inside the first one that occurs
  std::vector<std::string> skip;  // HTML: elements whose text is dropped
};

// Function words that tell a language: a line with more foreign words than own ones, at least two, is
// dropped.
struct LanguageWords {
  std::vector<std::string> own, foreign;  // lower-case
};

struct CorpusFile {
  std::string name;                    // of the file, without ".toml"
  std::string title;                   // one line
  std::string text;                    // what it is good for
  std::string licence;                 // in words
  std::string source;                  // in words
  std::int64_t approximate_bytes = 0;  // of the text
  std::int64_t download_bytes = 0;     // of its packages, about
  std::int64_t max_bytes = 0;          // sampled down to this many unless a run says otherwise; 0: whole
  RepeatedLines repeated_lines = RepeatedLines::Kept;
  std::vector<std::string> drop_lines;  // globs; lines that match one are boilerplate
  LanguageWords language;
  NamedCorpus installed;  // files of this machine; `folder` is empty where packages are meant
  std::vector<PackageText> packages;
  std::string sha256;      // of the text that the versions above give; empty: not known
  std::string definition;  // SHA-256 of everything the text depends on: packages, globs, formats

  bool is_installed() const { return !installed.folder.empty(); }
};

// Reads one. Throws Error (Refused) with file and line for what is no TOML, for a missing, unknown or
// ill-typed key, and for a name, package or path that would leave the place it belongs to.
CorpusFile read_corpus_file(const std::string& path);

// Names of those that ship with the program, in alphabetical order; none where its assets are not installed.
std::vector<std::string> corpus_names();
// One of them; nothing when there is none of that name. Throws like read_corpus_file.
std::optional<CorpusFile> find_corpus_file(const std::string& name);

}  // namespace sparsescope::data

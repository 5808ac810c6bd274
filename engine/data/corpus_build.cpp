// The build itself, and what is said when its text is not the expected one.
#include "engine/data/corpus_build.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/data/cache.h"
#include "engine/data/debian_package.h"
#include "engine/data/documents.h"
#include "engine/data/files.h"
#include "engine/data/strip.h"
#include "engine/trace/error.h"

namespace sparsescope::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLongestFile = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostText = std::uint64_t{2} << 30;  // of a corpus; a file cannot make more
constexpr double kFetchShare = 0.5;                          // of a package's progress; the rest is stripping
constexpr auto kLockPause = std::chrono::milliseconds(100);

std::string entry_name(const CorpusFile& file) {
  return fmt::format("{}-{}.corpus", file.name, file.definition.substr(0, 16));
}

// One process builds at a time; who holds the lock may remove what a killed one left behind.
class BuildLock {
 public:
  BuildLock(const std::string& folder, const Task& task) {
    std::error_code error;
    fs::create_directories(folder, error);
    descriptor_ = ::open((folder + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (descriptor_ < 0)
      throw Error(fmt::format(
          "corpora cannot be kept in {}; set SPARSESCOPE_CACHE to a folder that can be written", folder));
    while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      try {
        task.report("waiting for another program that builds a corpus", -1);
      } catch (const Cancelled&) {
        ::close(descriptor_);
        throw;
      }
      std::this_thread::sleep_for(kLockPause);
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().filename().native().starts_with(".build-")) fs::remove_all(entry.path(), error);
    }
  }
  ~BuildLock() { ::close(descriptor_); }
  BuildLock(const BuildLock&) = delete;
  BuildLock& operator=(const BuildLock&) = delete;

 private:
  int descriptor_ = -1;
};

// Reads packages into documents.
class Builder {
 public:
  Builder(const CorpusFile& file, const std::string& folder, const Task& task)
      : file_(file), folder_(folder), task_(task), lines_(file) {}

  PackedCorpus build() {
    for (const PackageText& package : file_.packages) {
      add_package(package);
      ++done_;
    }
    pack_.name = file_.name, pack_.title = file_.title, pack_.licence = file_.licence;
    pack_.source = file_.source, pack_.definition = file_.definition, pack_.max_bytes = file_.max_bytes;
    choose_documents();
    pack_.offered_bytes = static_cast<std::int64_t>(pack_.text.size());
    return std::move(pack_);
  }

 private:
  Task share(double begin, double end) const {
    const auto all = static_cast<double>(file_.packages.size());
    return {.progress =
                [this, begin, end, all](const std::string& text, double fraction) {
                  if (task_.progress)
                    task_.progress(file_.name + ": " + text,
                                   (static_cast<double>(done_) + begin + (end - begin) * fraction) / all);
                },
            .cancelled = task_.cancelled};
  }

  void add_package(const PackageText& package) {
    const PassingFolder place(folder_);
    const UnpackedPackage unpacked = fetch_package(package.package, place.path(), share(0, kFetchShare));
    pack_.packages.push_back({package.package, unpacked.version});
    const std::vector<std::string> paths = matching_files(unpacked.folder, package.files, package.without);
    if (paths.empty())
      throw refused(
          fmt::format("the Debian package {} {} holds none of the files that the corpus {} is made of; "
                      "the corpus file fits another version ({})",
                      package.package, unpacked.version, file_.name, package.version));
    const Task task = share(kFetchShare, 1);
    for (std::size_t i = 0; i < paths.size(); ++i) {
      task.report("reading " + package.package, static_cast<double>(i) / static_cast<double>(paths.size()));
      add_file(unpacked.folder, paths[i], package, task);
    }
  }

  void add_file(const std::string& folder, const std::string& path, const PackageText& package,
                const Task& task) {
    bool has_text = false;
    for (std::string& text : strip_file(path, read_file(folder + "/" + path, kLongestFile), package, task)) {
      text = lines_.apply(text);
      if (text.empty()) continue;
      has_text = true;
      documents_.push_back(std::move(text));
      text_bytes_ += documents_.back().size();
      if (package.format == TextFormat::Metamath) has_sections_ = true;
    }
    if (text_bytes_ > kMostText)
      throw refused(
          fmt::format("the corpus {} has more than {} GiB of text; name fewer files in its corpus file",
                      file_.name, kMostText >> 30));
    ++(has_text ? pack_.files : pack_.files_skipped);
  }

  // Files, or sections of them; the blocks of few; one stream of fewer (corpus.h).
  void choose_documents() {
    std::vector<std::string_view> views(documents_.begin(), documents_.end());
    pack_.rule = has_sections_ ? DocumentRule::Blocks : DocumentRule::Files;
    if (views.size() < kFewestDocuments) {
      std::vector<std::string_view> blocks;
      for (const std::string& document : documents_) {
        const auto more = blocks_of(document);
        blocks.insert(blocks.end(), more.begin(), more.end());
      }
      pack_.rule = blocks.size() < kFewestDocuments ? DocumentRule::Stream : DocumentRule::Blocks;
      if (pack_.rule == DocumentRule::Blocks) views = blocks;
    }
    if (views.empty())
      throw refused(
          fmt::format("no text is left of the packages of the corpus {}; its corpus file fits other "
                      "versions of them",
                      file_.name));
    if (pack_.rule != DocumentRule::Stream) {
      for (std::string_view view : views) pack_.add_document(view);
      return;
    }
    std::string stream;
    for (std::string_view view : views) stream += view;
    pack_.add_document(stream);
  }

  const CorpusFile& file_;
  const std::string& folder_;
  const Task& task_;
  PackedCorpus pack_;
  LineFilter lines_;
  std::vector<std::string> documents_;
  std::uint64_t text_bytes_ = 0;
  std::size_t done_ = 0;  // packages
  bool has_sections_ = false;
};

}  // namespace

std::optional<PackedCorpus> find_built(const CorpusFile& file) {
  const std::optional<std::string> bytes = Cache::of_user("corpora").find(entry_name(file));
  if (!bytes) return std::nullopt;
  try {
    return pack_from_bytes(*bytes, file.name);
  } catch (const Error&) {
    return std::nullopt;  // of another version: built again, which replaces it
  }
}

BuiltCorpus build_corpus(const CorpusFile& file, const Task& task) {
  check(!file.is_installed(), "installed files are read, not built");
  if (std::optional<PackedCorpus> found = find_built(file)) return {std::move(*found), ""};
  const Cache cache = Cache::of_user("corpora");
  // Without a cache folder the work is done in the temporary one, and done again next time.
  const std::string folder =
      cache.folder().empty()
          ? (fs::temp_directory_path() / fmt::format("sparsescope-{}", ::getuid())).native()
          : cache.folder();
  const BuildLock lock(folder, task);
  if (std::optional<PackedCorpus> found = find_built(file)) return {std::move(*found), ""};
  BuiltCorpus built;
  built.pack = Builder(file, folder, task).build();
  built.cache_note = cache.store(entry_name(file), bytes_from_pack(built.pack));
  return built;
}

std::string unexpected_text(const CorpusFile& file, const PackedCorpus& pack) {
  if (file.is_installed()) return {};
  if (pack.definition != file.definition)
    return fmt::format(
        "The corpus {} was packed by other rules than this program's corpus file has, so figures "
        "made with it cannot be compared with this program's.",
        file.name);
  const std::string hash = pack.text_sha256();
  if (file.sha256.empty() || hash == file.sha256) return {};
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < std::min(file.packages.size(), pack.packages.size()); ++i) {
    if (!file.packages[i].version.empty() && file.packages[i].version != pack.packages[i].version)
      reasons.push_back(fmt::format("{} is {} instead of {}", pack.packages[i].name, pack.packages[i].version,
                                    file.packages[i].version));
  }
  if (reasons.empty()) reasons.push_back("its packages are the same, so the programs that strip them differ");
  return fmt::format(
      "The text of the corpus {} is not the one that its corpus file describes (SHA-256 {} instead "
      "of {}): {}; figures made with it are not exactly those of the README.",
      file.name, hash.substr(0, 12), file.sha256.substr(0, 12), fmt::join(reasons, ", "));
}

}  // namespace sparsescope::data

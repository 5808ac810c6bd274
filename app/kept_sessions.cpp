#include "app/kept_sessions.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <sstream>
#include <utility>
#include <vector>

#include "app/file_text.h"
#include "engine/trace/error.h"
#include "engine/trace/write_file.h"

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;

// "4711-1234567": the process and when it started, as numbers are given again. Empty: there is no such one.
std::string name_of_process(const std::string& id) {
  const std::string stat = file_text(fs::path("/proc") / id / "stat");
  // The second field, the program's name, may hold anything; 20 fields later stands the start.
  const std::size_t after_name = stat.rfind(')');
  if (after_name == std::string::npos) return "";
  std::istringstream fields(stat.substr(after_name + 1));
  std::string field;
  for (int i = 0; i < 20; ++i) fields >> field;
  return fields ? id + "-" + field : "";
}

bool is_alive(const fs::path& file) {
  const std::string name = file.stem().string();
  return name_of_process(name.substr(0, name.find('-'))) == name;
}

// Of processes that live no more, newest first.
std::vector<fs::path> left_files(const std::string& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code failure, ignored;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    if (it->path().extension() == ".json" && !is_alive(it->path()))
      found.emplace_back(it->last_write_time(ignored), it->path());
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> files;
  for (auto& [time, path] : found) files.push_back(std::move(path));
  return files;
}

}  // namespace

KeptSessions::KeptSessions(const std::string& folder) : exceptions_(std::uncaught_exceptions()) {
  if (folder.empty()) return;
  folder_ = folder + "/sessions";
  own_ = folder_ + "/" + name_of_process(std::to_string(::getpid())) + ".json";
  for (const fs::path& file : left_files(folder_)) {
    const std::optional<frame::Session> session = frame::session_from_text(file_text(file));
    if (!session) continue;
    std::error_code failure;
    frame::Session there = *session;
    std::erase_if(there.files, [&](const std::string& path) { return !fs::exists(path, failure); });
    if (!there.recording.empty() && !fs::exists(there.recording, failure)) there.recording.clear();
    if (there.files.empty() && there.recording.empty()) continue;
    lost_ = std::move(there);
    return;
  }
}

KeptSessions::~KeptSessions() {
  if (own_.empty() || std::uncaught_exceptions() > exceptions_) return;
  std::error_code ignored;
  fs::remove(own_, ignored);
}

std::string KeptSessions::keep(const frame::Session& session) {
  if (own_.empty()) return "";
  try {
    fs::create_directories(folder_);
    trace::write_file(own_, frame::text_of(session));
    return "";
  } catch (const std::exception& error) {
    return fmt::format("What is open could not be kept for a crash: {}", error.what());
  }
}

void KeptSessions::forget_lost() {
  lost_.reset();
  std::error_code ignored;
  if (folder_.empty()) return;
  for (const fs::path& file : left_files(folder_)) fs::remove(file, ignored);
}

}  // namespace sparsescope::app

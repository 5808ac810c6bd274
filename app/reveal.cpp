#include "app/reveal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <thread>

#include "engine/trace/error.h"

extern char** environ;

namespace sparsescope::app {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPatience{1500};  // the window waits no longer

// Everything but what a path may hold unescaped (RFC 3986).
std::string uri_of(const std::string& path) {
  constexpr std::string_view kPlain = "/-._~";
  std::string uri = "file://";
  for (const char letter : path) {
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || kPlain.find(letter) != std::string_view::npos;
    uri += is_plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
  }
  return uri;
}

std::string filled_in(std::string argument, const fs::path& file) {
  for (const auto& [word, value] :
       {std::pair<std::string_view, std::string>{"%file", uri_of(file.string())},
        std::pair<std::string_view, std::string>{"%folder", file.parent_path().string()}}) {
    const std::size_t at = argument.find(word);
    if (at != std::string::npos) argument.replace(at, word.size(), value);
  }
  return argument;
}

// It says nothing on our terminal. Throws nothing; 0: it could not be started.
pid_t started(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  pid_t child = 0;
  const int failure = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failure == 0 ? child : 0;
}

// Whether it ended with 0 or goes on: some of these are the file manager itself, and it is not ours to end.
bool answers(const std::vector<std::string>& words) {
  const pid_t child = started(words);
  if (child == 0) return false;
  int status = 0;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::thread([child] { waitpid(child, nullptr, 0); }).detach();  // so that it leaves nothing when it ends
  return true;
}

}  // namespace

const RevealPrograms& reveal_programs() {
  // The first chooses the file in the window that it opens; the second only opens the folder.
  static const RevealPrograms programs = {
      {"dbus-send", "--session", "--print-reply", "--reply-timeout=1000",
       "--dest=org.freedesktop.FileManager1", "/org/freedesktop/FileManager1",
       "org.freedesktop.FileManager1.ShowItems", "array:string:%file", "string:"},
      {"xdg-open", "%folder"}};
  return programs;
}

void reveal_file(const std::string& path, const RevealPrograms& programs) {
  std::error_code failure;
  const fs::path file = fs::absolute(path, failure);
  if (!fs::exists(file, failure)) throw Error(path + " is not there any more");
  for (std::vector<std::string> words : programs) {
    for (std::string& word : words) word = filled_in(std::move(word), file);
    if (answers(words)) return;
  }
  throw Error(fmt::format("no file manager answers here; the file lies in {}", file.parent_path().string()));
}

}  // namespace sparsescope::app

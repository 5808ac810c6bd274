// posix_spawn with pipes; the input lies in an anonymous file, so that nothing can wait for each other.
#include "engine/data/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "engine/trace/error.h"

extern char** environ;

namespace sparsescope::data {
namespace {

constexpr int kPollMillis = 100;                             // between two questions whether to go on
constexpr std::size_t kMostOutput = std::size_t{256} << 20;  // of a program that never ends

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void set(int number) { close(), number_ = number; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

[[noreturn]] void fail(const std::string& what) {
  throw Error("a program cannot be started: " + what + ": " + std::strerror(errno));
}

void make_pipe(Descriptor& read_end, Descriptor& write_end) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("no pipe");
  read_end.set(ends[0]);
  write_end.set(ends[1]);
}

void fill_input(Descriptor& file, std::string_view bytes) {
  file.set(::memfd_create("input", MFD_CLOEXEC));
  if (!file.is_open()) fail("no room for its input");
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail("no room for its input");
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  ::lseek(file.number(), 0, SEEK_SET);
}

// Our environment with English messages in UTF-8.
std::vector<char*> environment() {
  static char language[] = "LC_ALL=C.UTF-8";
  std::vector<char*> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "LC_ALL=", 7) != 0) entries.push_back(*entry);
  }
  entries.push_back(language);
  entries.push_back(nullptr);
  return entries;
}

// A started program; killed with everything it started when it is not waited for.
class Child {
 public:
  Child(const ProgramCall& call, int input, int output, int errors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (!call.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, call.folder.c_str());
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    std::vector<char*> arguments;
    for (const std::string& argument : call.arguments)
      arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const int error =
        ::posix_spawnp(&id_, arguments[0], &actions, &attributes, arguments.data(), environment().data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error == 0) return;
    id_ = -1;
    if (error == ENOENT)
      throw Error(
          "the program " + call.arguments[0] +
          " is needed and not installed; install it, or bring a packed corpus (sparsescope-cli corpus "
          "prepare) from another machine");
    throw Error("the program " + call.arguments[0] + " cannot be started: " + std::strerror(error));
  }
  ~Child() {
    if (id_ < 0) return;
    ::kill(-id_, SIGKILL);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t id_ = -1;
};

// Appends what is there; closes the descriptor at its end.
void read_some(Descriptor& from, std::string& into) {
  std::array<char, 1 << 16> part;
  const ssize_t got = ::read(from.number(), part.data(), part.size());
  if (got > 0 && into.size() < kMostOutput) into.append(part.data(), static_cast<std::size_t>(got));
  if (got == 0 || (got < 0 && errno != EINTR)) from.close();
}

}  // namespace

ProgramResult run_program(const ProgramCall& call, const Task& task) {
  Descriptor input, output, output_end, errors, errors_end;
  fill_input(input, call.input);
  make_pipe(output, output_end);
  make_pipe(errors, errors_end);
  Child child(call, input.number(), output_end.number(), errors_end.number());
  output_end.close();
  errors_end.close();

  ProgramResult result;
  std::size_t line = 0;  // begin of the first one that was not handed on
  while (output.is_open() || errors.is_open()) {
    std::array<pollfd, 2> waiting = {{{output.number(), POLLIN, 0}, {errors.number(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), kPollMillis);
    if (waiting[0].revents != 0) read_some(output, result.output);
    if (waiting[1].revents != 0) read_some(errors, result.errors);
    for (std::size_t end; (end = result.output.find('\n', line)) != std::string::npos; line = end + 1) {
      if (call.on_line) call.on_line(std::string_view(result.output).substr(line, end - line));
    }
    if (task.cancelled && task.cancelled()) throw Cancelled();
  }
  result.exit_code = child.wait();
  return result;
}

}  // namespace sparsescope::data

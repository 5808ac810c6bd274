// The two kinds of failure that travel as exceptions: what the world did (Error) and our own bugs (check).
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace sparsescope {

// What became of a command; the values are the exit codes of sparsescope-cli.
enum class ExitCode {
  Done = 0,
  Failed = 1,
  Usage = 2,
  Refused = 3,
  NewerVersion = 4,
  DamagedTail = 5,
  DamagedMiddle = 6
};

// One sentence for a person: cause, place, way out.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence, ExitCode code = ExitCode::Failed)
      : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// What a person handed over cannot be used: a corpus, a recording, a checkpoint. Throw what it returns.
inline Error refused(const std::string& sentence) { return Error(sentence, ExitCode::Refused); }

// A broken promise inside this program. Throws std::logic_error naming the place.
inline void check(bool condition, const std::string& what,
                  std::source_location where = std::source_location::current()) {
  if (!condition) {
    throw std::logic_error(what + " (" + where.file_name() + ":" + std::to_string(where.line()) + ")");
  }
}

}  // namespace sparsescope

// Runs another program and collects what it writes, without a shell; nothing of ours is interrupted by it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/task.h"

namespace sparsescope::data {

struct ProgramCall {
  std::vector<std::string> arguments;                  // the program's name first; found along PATH
  std::string folder;                                  // to run in; empty: ours
  std::string_view input;                              // its standard input
  std::function<void(std::string_view line)> on_line;  // each line of its standard output as it comes
};

struct ProgramResult {
  int exit_code = 0;           // 128 + signal when one ended it
  std::string output, errors;  // standard output and standard error
};

// Runs it to its end, in a process group of its own and with English messages. When `task` is cancelled the
// whole group is killed and Cancelled thrown. Throws Error when the program is not there.
ProgramResult run_program(const ProgramCall& call, const Task& task);

}  // namespace sparsescope::data

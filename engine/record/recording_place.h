// Where a recording is written and where it belongs. The same place, but for folders on network file systems:
// a recording survives a kill because its writes reach the disk in order, which those do not promise.
#pragma once

#include <functional>
#include <string>

namespace sparsescope::record {

// Whether a folder lies on a network file system.
using NetworkProbe = std::function<bool(const std::string& folder)>;

struct RecordingPlace {
  std::string written;  // while the run goes on
  std::string asked;    // in the end
  bool is_apart() const { return written != asked; }
  // What a person should know before the run, one sentence; empty when there is nothing to say.
  std::string words() const;
};

// `asked` itself, or a new name in `local_folder` when the folder of `asked` lies on a network. Throws Error
// (Refused) when nothing can be written to `asked`, when a local folder is needed and there is none, when it
// lies on a network as well, or when the free space where it is written is below `free_bytes`. An empty probe
// asks the system.
RecordingPlace choose_place(const std::string& asked, const std::string& local_folder,
                            std::uint64_t free_bytes, const NetworkProbe& is_on_network);

// Gives `part` the name `asked` in the same folder unless something has it, and puts the folder on the disk.
// Throws Error; `part` is there as it was then.
void name_without_replacing(const std::string& part, const std::string& asked);

// Copies the closed file to where it was asked for under another name, puts that on the disk, gives it its
// name without replacing anything, then removes the local one. What fails leaves the local file whole.
struct MoveResult {
  std::string path;   // where the recording lies now
  std::string words;  // one sentence
};
MoveResult move_to_asked(const RecordingPlace& place);

}  // namespace sparsescope::record

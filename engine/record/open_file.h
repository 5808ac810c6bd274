// A recording that lies on the disk, opened and ready to be read: state, layout and reader together.
#pragma once

#include <memory>
#include <string>

#include "engine/record/layout.h"
#include "engine/record/recording_reader.h"

namespace sparsescope::record {

struct OpenFile {
  OpenFile(OpenedLayout from, bool unclosed, bool short_of_end)
      : opened(std::move(from)),
        reader(opened.schema, opened.layout),
        is_unclosed(unclosed),
        is_cut_short(short_of_end) {}
  OpenFile(const OpenFile&) = delete;

  OpenedLayout opened;
  RecordingReader reader;
  bool is_unclosed = false;   // being written, or its writer died
  bool is_cut_short = false;  // smaller than its writer left it: what lies behind the end would read as zeros
};

// Throws Error (Refused, NewerVersion) with a sentence that names the file.
std::unique_ptr<OpenFile> open_file(const std::string& path);

}  // namespace sparsescope::record

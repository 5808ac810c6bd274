// The JSON form of a schema, which is the truth about a recording (recording.md 2.2).
#pragma once

#include <string>
#include <string_view>

#include "engine/trace/schema.h"

namespace sparsescope::record {

inline constexpr int kFormatMajor = 1;
inline constexpr int kFormatMinor = 0;
inline constexpr std::size_t kMaxSchemaBytes = 1 << 20;

// Throws Error (Refused) for a schema that format 1.0 cannot hold.
std::string schema_to_json(const trace::Schema& schema);
// Checks limits (1 MiB, depth 32, strict UTF-8) and every field. Throws Error (Refused; NewerVersion for a
// higher major).
trace::Schema schema_from_json(std::string_view json);

}  // namespace sparsescope::record

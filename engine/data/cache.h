// A folder of finished work, one file per entry, named by the hash of what it was made from. Losing it costs
// time only.
#pragma once

#include <optional>
#include <string>

namespace sparsescope::data {

class Cache {
 public:
  // The user's folder: $SPARSESCOPE_CACHE, $XDG_CACHE_HOME/sparsescope or ~/.cache/sparsescope, and `kind` in
  // it. Without any of them nothing is found and store() says so.
  static Cache of_user(const std::string& kind = "text");
  // An empty folder name: no cache.
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }

  // The entry called `name`; nothing when it is missing or damaged (each entry carries its SHA-256).
  std::optional<std::string> find(const std::string& name) const;
  // Keeps `bytes` as `name`: a whole file appears at once or not at all. Old entries go when the folder holds
  // more than 512 MiB. Answers why it could not, or an empty text.
  std::string store(const std::string& name, const std::string& bytes) const;

 private:
  void remove_old_entries() const;
  std::string folder_;
};

}  // namespace sparsescope::data

// A Debian archive of a few tiny packages in a folder, and apt's own settings for it: apt-get download works
// on it as it does on the real one, without network and without root.
#pragma once

#include <map>
#include <string>

namespace sparsescope::test {

class LocalArchive {
 public:
  // In a folder that exists.
  explicit LocalArchive(std::string folder);

  // Packs `files` (path inside the package -> bytes) with dpkg-deb. A path that ends in "@" is a link to
  // where its bytes say.
  void add(const std::string& package, const std::string& version,
           const std::map<std::string, std::string>& files);
  // Tells apt about all that was added. False when apt or dpkg-deb is not here.
  bool publish();
  // Keeps the lists and takes the packages away.
  void lose_packages() const;
  // From now on the lists name a server that nobody reaches.
  void lose_network() const;
  // For APT_CONFIG.
  std::string settings() const { return folder_ + "/apt.conf"; }

 private:
  std::string folder_, index_;
  bool is_whole_ = true;
};

// `text` as a gzip file.
std::string gzip(const std::string& text);

}  // namespace sparsescope::test

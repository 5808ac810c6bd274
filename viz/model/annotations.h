// What a person says about one run: bookmarks and notes on its steps, its name and its tags; and their JSON.
// Kept beside the recording, never in it; who writes the file is the application's business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sparsescope::viz {

struct Bookmark {
  std::uint32_t id = 0;  // within this run and this start of the program
  int number = 0;        // 1..9: recalled by that key; 0: none
  std::uint64_t step = 0;
  std::string title;  // may be empty
  bool operator==(const Bookmark&) const = default;
};

struct Note {
  std::uint32_t id = 0;
  std::uint64_t step = 0;
  std::string text;
  bool operator==(const Note&) const = default;
};

class Annotations {
 public:
  // Both by rising step.
  const std::vector<Bookmark>& bookmarks() const { return bookmarks_; }
  const std::vector<Note>& notes() const { return notes_; }
  // What the person calls the run; empty: by the title it was recorded with.
  const std::string& run_name() const { return run_name_; }
  // In the order in which they were given, none twice.
  const std::vector<std::string>& tags() const { return tags_; }
  bool empty() const { return bookmarks_.empty() && notes_.empty() && run_name_.empty() && tags_.empty(); }

  // Adds a bookmark, or gives the one that is at `step` already the number and, unless empty, the title.
  // Another bookmark that has `number` (1..9) loses it. Returns its id.
  std::uint32_t mark(std::uint64_t step, int number = 0, std::string title = {});
  std::uint32_t write_note(std::uint64_t step, std::string text);
  // The title of a bookmark or the text of a note. False: there is no such one.
  bool rename(std::uint32_t id, std::string text);
  // Removes a bookmark or a note. False: there is no such one.
  bool remove(std::uint32_t id);
  void name_run(std::string name);
  void set_tags(std::vector<std::string> tags);

  const Bookmark* numbered(int number) const;  // nullptr: no such one
  const Bookmark* at(std::uint64_t step) const;
  // The nearest bookmark before or after `step`; nullptr: there is none.
  const Bookmark* previous(std::uint64_t step) const;
  const Bookmark* next(std::uint64_t step) const;
  // The lowest number of 1..9 that is free, or 0.
  int free_number() const;

  // Another one after every change.
  std::uint64_t version() const { return version_; }
  // Takes what `earlier`, a copy of this made at `version`, says. Changes after it get versions of their own.
  void go_back_to(const Annotations& earlier, std::uint64_t version);

 private:
  void changed() { version_ = ++newest_version_; }
  void insert(Bookmark bookmark);
  void insert(Note note);
  void take_number_from_others(int number);

  std::vector<Bookmark> bookmarks_;
  std::vector<Note> notes_;
  std::string run_name_;
  std::vector<std::string> tags_;
  std::uint32_t next_id_ = 1;
  std::uint64_t version_ = 0, newest_version_ = 0;
};

// "a, b" as {"a", "b"}: without spaces around them, empty ones and repeats left out.
std::vector<std::string> tags_from_text(std::string_view text);
std::string text_from_tags(const std::vector<std::string>& tags);

// One JSON object that names the run it belongs to.
std::string json_from_annotations(const Annotations& annotations, std::string_view run_uuid);
// Throws Error (Refused), one sentence without the file's name: what is no JSON, another format or version,
// another run, or a value of the wrong kind.
Annotations annotations_from_json(std::string_view json, std::string_view run_uuid);

// Puts into `ours` what `theirs` added to `base` since, and takes out what it removed: two windows on one run
// lose nothing of each other. A number that both gave stays ours.
void merge(Annotations& ours, const Annotations& base, const Annotations& theirs);

// "Bookmark 3: before the collapse", "Bookmark at step 1,200".
std::string words_of(const Bookmark& bookmark);

}  // namespace sparsescope::viz

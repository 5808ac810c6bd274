// Two short lists kept in order, a name, tags, and the format of the file.
#include "viz/model/annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/trace/error.h"
#include "viz/model/format.h"

namespace sparsescope::viz {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr std::size_t kMostItems = 100'000;  // of a file that somebody hands over
constexpr const char* kFormat = "sparsescope notes";

std::string step_words(std::uint64_t step) { return "step " + format_count(static_cast<std::int64_t>(step)); }

template <typename Item>
auto find_id(std::vector<Item>& items, std::uint32_t id) {
  return std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.id == id; });
}

template <typename Item>
void insert_by_step(std::vector<Item>& items, Item item) {
  const auto place =
      std::upper_bound(items.begin(), items.end(), item.step,
                       [](std::uint64_t step, const Item& other) { return step < other.step; });
  items.insert(place, std::move(item));
}

const Json& list_of(const Json& file, const char* name) {
  const auto it = file.find(name);
  if (it == file.end() || !it->is_array()) throw refused(fmt::format("it has no list '{}'", name));
  if (it->size() > kMostItems) throw refused(fmt::format("its list '{}' has {} entries", name, it->size()));
  return *it;
}

std::uint64_t step_in(const Json& item) {
  const auto it = item.is_object() ? item.find("step") : item.end();
  if (it == item.end() || !it->is_number_unsigned()) throw refused("an entry has no step");
  return it->get<std::uint64_t>();
}

std::string text_in(const Json& item, const char* name) {
  const auto it = item.find(name);
  if (it == item.end()) return {};
  if (!it->is_string()) throw refused(fmt::format("the '{}' of an entry is no text", name));
  return it->get<std::string>();
}

int number_in(const Json& item) {
  const auto it = item.find("number");
  if (it == item.end()) return 0;
  if (!it->is_number_integer() || it->get<std::int64_t>() < 0 || it->get<std::int64_t>() > 9)
    throw refused("the number of a bookmark is not between 1 and 9");
  return it->get<int>();
}

std::vector<std::string> tags_in(const Json& list) {
  std::vector<std::string> tags;
  for (const Json& tag : list) {
    if (!tag.is_string()) throw refused("a tag is no text");
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag.get<std::string>());
  }
  return tags;
}

}  // namespace

void Annotations::insert(Bookmark bookmark) { insert_by_step(bookmarks_, std::move(bookmark)); }
void Annotations::insert(Note note) { insert_by_step(notes_, std::move(note)); }

void Annotations::take_number_from_others(int number) {
  if (number == 0) return;
  for (Bookmark& bookmark : bookmarks_) {
    if (bookmark.number == number) bookmark.number = 0;
  }
}

std::uint32_t Annotations::mark(std::uint64_t step, int number, std::string title) {
  check(number >= 0 && number <= 9, "bookmarks are numbered 1 to 9");
  changed();
  take_number_from_others(number);
  for (Bookmark& bookmark : bookmarks_) {
    if (bookmark.step != step) continue;
    if (number != 0) bookmark.number = number;
    if (!title.empty()) bookmark.title = std::move(title);
    return bookmark.id;
  }
  insert(Bookmark{next_id_, number, step, std::move(title)});
  return next_id_++;
}

std::uint32_t Annotations::write_note(std::uint64_t step, std::string text) {
  changed();
  insert(Note{next_id_, step, std::move(text)});
  return next_id_++;
}

bool Annotations::rename(std::uint32_t id, std::string text) {
  if (const auto it = find_id(bookmarks_, id); it != bookmarks_.end()) {
    it->title = std::move(text);
  } else if (const auto note = find_id(notes_, id); note != notes_.end()) {
    note->text = std::move(text);
  } else {
    return false;
  }
  changed();
  return true;
}

bool Annotations::remove(std::uint32_t id) {
  if (const auto it = find_id(bookmarks_, id); it != bookmarks_.end()) {
    bookmarks_.erase(it);
  } else if (const auto note = find_id(notes_, id); note != notes_.end()) {
    notes_.erase(note);
  } else {
    return false;
  }
  changed();
  return true;
}

void Annotations::name_run(std::string name) {
  if (name == run_name_) return;
  run_name_ = std::move(name);
  changed();
}

void Annotations::set_tags(std::vector<std::string> tags) {
  if (tags == tags_) return;
  tags_ = std::move(tags);
  changed();
}

void Annotations::go_back_to(const Annotations& earlier, std::uint64_t version) {
  bookmarks_ = earlier.bookmarks_;
  notes_ = earlier.notes_;
  run_name_ = earlier.run_name_;
  tags_ = earlier.tags_;
  version_ = version;
}

std::vector<std::string> tags_from_text(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view tag = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!tag.empty() && (tag.front() == ' ' || tag.front() == '#')) tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.emplace_back(tag);
  }
  return tags;
}

std::string text_from_tags(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += (text.empty() ? "" : ", ") + tag;
  return text;
}

const Bookmark* Annotations::numbered(int number) const {
  const auto it = std::find_if(bookmarks_.begin(), bookmarks_.end(),
                               [&](const Bookmark& bookmark) { return bookmark.number == number; });
  return number == 0 || it == bookmarks_.end() ? nullptr : &*it;
}

const Bookmark* Annotations::at(std::uint64_t step) const {
  const auto it = std::find_if(bookmarks_.begin(), bookmarks_.end(),
                               [&](const Bookmark& bookmark) { return bookmark.step == step; });
  return it == bookmarks_.end() ? nullptr : &*it;
}

const Bookmark* Annotations::previous(std::uint64_t step) const {
  const Bookmark* found = nullptr;
  for (const Bookmark& bookmark : bookmarks_) {
    if (bookmark.step < step) found = &bookmark;
  }
  return found;
}

const Bookmark* Annotations::next(std::uint64_t step) const {
  const auto it = std::find_if(bookmarks_.begin(), bookmarks_.end(),
                               [&](const Bookmark& bookmark) { return bookmark.step > step; });
  return it == bookmarks_.end() ? nullptr : &*it;
}

int Annotations::free_number() const {
  for (int number = 1; number <= 9; ++number) {
    if (numbered(number) == nullptr) return number;
  }
  return 0;
}

std::string json_from_annotations(const Annotations& annotations, std::string_view run_uuid) {
  Json file = {{"format", kFormat}, {"version", kVersion}, {"run", run_uuid}};
  if (!annotations.run_name().empty()) file["name"] = annotations.run_name();
  if (!annotations.tags().empty()) file["tags"] = annotations.tags();
  file["bookmarks"] = Json::array();
  for (const Bookmark& bookmark : annotations.bookmarks()) {
    Json item;
    if (bookmark.number != 0) item["number"] = bookmark.number;
    item["step"] = bookmark.step;
    if (!bookmark.title.empty()) item["title"] = bookmark.title;
    file["bookmarks"].push_back(std::move(item));
  }
  file["notes"] = Json::array();
  for (const Note& note : annotations.notes())
    file["notes"].push_back({{"step", note.step}, {"text", note.text}});
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Annotations annotations_from_json(std::string_view json, std::string_view run_uuid) {
  const Json file = Json::parse(json, nullptr, false);
  if (!file.is_object() || file.value("format", Json()) != kFormat)
    throw refused("it holds no notes of ours");
  if (file.value("version", Json()) != kVersion) throw refused("a newer version of this program wrote it");
  if (file.value("run", Json()) != run_uuid) throw refused("it belongs to another run");
  Annotations annotations;
  for (const Json& item : list_of(file, "bookmarks"))
    annotations.mark(step_in(item), number_in(item), text_in(item, "title"));
  for (const Json& item : list_of(file, "notes"))
    annotations.write_note(step_in(item), text_in(item, "text"));
  annotations.name_run(text_in(file, "name"));
  if (file.contains("tags")) annotations.set_tags(tags_in(list_of(file, "tags")));
  return annotations;
}

namespace {

bool is_same(const Bookmark& a, const Bookmark& b) {
  return a.step == b.step && a.number == b.number && a.title == b.title;
}
bool is_same(const Note& a, const Note& b) { return a.step == b.step && a.text == b.text; }

template <typename Item>
const Item* same_in(const std::vector<Item>& items, const Item& wanted) {
  const auto it =
      std::find_if(items.begin(), items.end(), [&](const Item& item) { return is_same(item, wanted); });
  return it == items.end() ? nullptr : &*it;
}

template <typename Item>
std::vector<std::uint32_t> removed_by(const std::vector<Item>& ours, const std::vector<Item>& base,
                                      const std::vector<Item>& theirs) {
  std::vector<std::uint32_t> ids;
  for (const Item& item : base) {
    const Item* here = same_in(ours, item);
    if (here != nullptr && same_in(theirs, item) == nullptr) ids.push_back(here->id);
  }
  return ids;
}

std::vector<std::string> merged_tags(std::vector<std::string> ours, const std::vector<std::string>& base,
                                     const std::vector<std::string>& theirs) {
  const auto has = [](const std::vector<std::string>& tags, const std::string& tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  };
  std::erase_if(ours, [&](const std::string& tag) { return has(base, tag) && !has(theirs, tag); });
  for (const std::string& tag : theirs) {
    if (!has(base, tag) && !has(ours, tag)) ours.push_back(tag);
  }
  return ours;
}

}  // namespace

void merge(Annotations& ours, const Annotations& base, const Annotations& theirs) {
  for (const std::uint32_t id : removed_by(ours.bookmarks(), base.bookmarks(), theirs.bookmarks()))
    ours.remove(id);
  for (const std::uint32_t id : removed_by(ours.notes(), base.notes(), theirs.notes())) ours.remove(id);
  for (const Bookmark& bookmark : theirs.bookmarks()) {
    if (same_in(base.bookmarks(), bookmark) != nullptr || same_in(ours.bookmarks(), bookmark) != nullptr)
      continue;
    const bool is_taken = bookmark.number != 0 && ours.numbered(bookmark.number) != nullptr;
    const Bookmark* here = ours.at(bookmark.step);
    if (here != nullptr && (here->number != 0 || is_taken) &&
        (!here->title.empty() || bookmark.title.empty()))
      continue;  // the step is marked already, by our words
    ours.mark(bookmark.step, is_taken || (here != nullptr && here->number != 0) ? 0 : bookmark.number,
              here != nullptr && !here->title.empty() ? "" : bookmark.title);
  }
  for (const Note& note : theirs.notes()) {
    if (same_in(base.notes(), note) == nullptr && same_in(ours.notes(), note) == nullptr)
      ours.write_note(note.step, note.text);
  }
  if (theirs.run_name() != base.run_name() && ours.run_name() == base.run_name())
    ours.name_run(theirs.run_name());
  ours.set_tags(merged_tags(ours.tags(), base.tags(), theirs.tags()));
}

std::string words_of(const Bookmark& bookmark) {
  const std::string name = bookmark.number != 0 ? fmt::format("Bookmark {}", bookmark.number) : "Bookmark";
  return bookmark.title.empty() ? name + " at " + step_words(bookmark.step) : name + ": " + bookmark.title;
}

}  // namespace sparsescope::viz

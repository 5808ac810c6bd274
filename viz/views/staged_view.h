// What all views have in common: header, settings popover, every state of the data, context menu, text twin.
// A view adds its query and its marks.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "viz/model/picture_head.h"
#include "viz/model/query.h"
#include "viz/views/view.h"

namespace sparsescope::viz {

class StagedView : public View {
 public:
  void draw(ViewContext& context) final;
  Twin twin(ViewContext& context) const final;

 protected:
  // The picture at the cursor, made again only when something it depends on changed.
  virtual const PictureHead& refresh(ViewContext& context, Run& run) = 0;
  // Makes the picture afresh and describes it.
  virtual Twin fresh_twin(ViewContext& context, Run& run) const = 0;
  // Makes the next refresh() ask again: settings changed, or a failed read is retried.
  virtual void forget() = 0;
  // The marks of the picture that refresh() returned last; its state is Ready or Waiting.
  virtual void draw_marks(ViewContext& context) = 0;
  // Fills the settings popover; true when something changed.
  virtual bool draw_settings(ViewContext& context) = 0;
  // The sentence shown while no run is open.
  virtual const char* empty_words() const = 0;
  // The view's own entries at the top of the context menu, after Copy value and Copy table.
  virtual void draw_menu(ViewContext&) {}
  // What the context menu is about; called when it opens.
  virtual void open_menu(ViewContext&) {}
  // Copy value and Copy row of the menu: texts of the place it was opened at; empty disables them.
  virtual std::string menu_value(ViewContext& context) const { return values_text(context); }
  virtual std::string menu_row(ViewContext&) const { return {}; }

 private:
  // False: there is no picture to draw below.
  bool draw_state(const PictureHead& head, ViewContext& context, Run& run);
  // Lets `change` set what it likes, then does the same by the commands of the settings it changed, as the
  // palette would.
  template <typename Change>
  void by_commands(ViewContext& context, Change change);
  void draw_context_menu(ViewContext& context, Run& run);
};

// All that a picture depends on besides the view's own settings.
struct PictureKey {
  std::uint32_t run = 0;
  std::uint64_t run_version = 0, timeline_version = 0, cursor_step = 0, pending = 0, rows_read = 0;
  std::uint64_t others_version = 0;  // of the runs it is compared with
  Cursor::Mode mode = Cursor::Mode::Follow;
  TimeAxis axis = TimeAxis::Step;
  std::optional<Range> chosen, brush;
  Marks locked;
  Comparison comparison;
  std::optional<std::uint64_t> step;
  int columns = 0;
  bool operator==(const PictureKey&) const = default;
};
PictureKey picture_key(const ViewContext& context, const Run& run, int columns);
// The query frame of the current selection.
QueryFrame query_frame(const ViewContext& context, Run& run, int columns);

// A view over one kind of picture: caches it, and keeps the last good one while a heavy row is being read.
template <typename PictureType>
class QueriedView : public StagedView {
 protected:
  virtual PictureType query(const QueryFrame& frame) const = 0;
  // Pixel columns of the picture in the room there is.
  virtual int columns(const ViewContext& context) const {
    return context.size.x > 0 ? static_cast<int>(context.size.x) : kMostColumns;
  }
  // What is said over the last good picture while `fresh` is not ready; empty: too short a wait to be said.
  virtual std::string words_behind(const PictureType& fresh) const { return fresh.words; }

  const PictureHead& refresh(ViewContext& context, Run& run) override {
    const PictureKey key = picture_key(context, run, columns(context));
    if (!picture_ || is_stale_ || key != key_) {
      PictureType fresh = query(query_frame(context, run, key.columns));
      const bool keeps_last = picture_ && fresh.state == PictureState::Loading && key.run == key_.run &&
                              picture_->state == PictureState::Ready;
      if (keeps_last) {
        picture_->behind = words_behind(fresh);
        picture_->cursor_step = fresh.cursor_step;
      } else {
        picture_ = std::move(fresh);
      }
      key_ = key;
      is_stale_ = false;
    }
    return *picture_;
  }
  Twin fresh_twin(ViewContext& context, Run& run) const override {
    return twin_of(query(query_frame(context, run, key_.columns > 0 ? key_.columns : kMostColumns)));
  }
  void forget() override { is_stale_ = true; }
  // What refresh() made last.
  const PictureType& picture() const { return *picture_; }
  bool has_picture() const { return picture_.has_value(); }

 private:
  PictureKey key_;
  std::optional<PictureType> picture_;
  bool is_stale_ = false;
};

}  // namespace sparsescope::viz

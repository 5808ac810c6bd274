// The reader stands behind the timeline and ends before its mailbox does.
#include "app/opened_recording.h"

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "app/file_text.h"
#include "engine/trace/error.h"
#include "viz/model/annotations.h"

namespace sparsescope::app {
namespace {

constexpr std::size_t kWaitingBytes = 64u << 20;  // the reader waits for the screen beyond this

class OpenedRecording final : public trace::RowSource {
 public:
  explicit OpenedRecording(const std::string& path)
      : mailbox_(std::make_shared<trace::Mailbox>(kWaitingBytes, trace::Overflow::Block)),
        client_(record::open_recording(path, *mailbox_)) {}
  ~OpenedRecording() override {
    mailbox_->close();  // a reader that waits for room would never end
    client_.reset();
  }
  std::uint64_t request(trace::ReadRequest request) override { return client_->request(std::move(request)); }
  void cancel(std::uint64_t tag) override { client_->cancel(tag); }
  std::vector<trace::ReadAnswer> poll() override { return client_->poll(); }

  const std::shared_ptr<trace::Mailbox>& mailbox() const { return mailbox_; }
  record::ReaderClient& client() { return *client_; }

 private:
  std::shared_ptr<trace::Mailbox> mailbox_;
  std::unique_ptr<record::ReaderClient> client_;
};

// Empty: no name was given, or the notes cannot be used, which whoever opens them in the window is told.
std::string name_beside(const std::string& recording, const std::string& uuid) {
  const std::string text = file_text(sidecar_path(recording));
  try {
    return text.empty() ? "" : viz::annotations_from_json(text, uuid).run_name();
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

viz::Feed feed_of_recording(const std::string& path) {
  const auto opened = std::make_shared<OpenedRecording>(path);
  viz::Feed feed;
  feed.mailbox = opened->mailbox();
  feed.rows = opened;
  feed.progress = [opened] {
    const record::OpenProgress progress = opened->client().progress();
    return viz::LoadProgress{progress.rows_read, progress.rows_total, progress.bytes_read};
  };
  feed.cancel_loading = [opened] { opened->client().cancel_loading(); };
  feed.name = std::filesystem::path(path).filename().string();
  std::error_code failure;
  feed.path = std::filesystem::absolute(path, failure).lexically_normal().string();
  const std::uintmax_t bytes = std::filesystem::file_size(path, failure);
  feed.bytes = failure ? 0 : bytes;
  return feed;
}

std::string sidecar_path(const std::string& recording) {
  return std::filesystem::path(recording).replace_extension(".notes.json").string();
}

viz::Run& load_recording(viz::Timeline& timeline, const std::string& path) {
  viz::Run& run = timeline.add_run(feed_of_recording(path));
  for (timeline.drain_all(); run.end() == nullptr; timeline.drain_all())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (run.schema() == nullptr) throw Error(run.end()->message, ExitCode::Refused);
  run.call(name_beside(path, run.uuid()));
  return run;
}

}  // namespace sparsescope::app

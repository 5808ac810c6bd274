// What the next start offers after a window that did not end as it should.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "app/kept_sessions.h"
#include "tests/app/bench.h"
#include "tests/support/process.h"

namespace sparsescope::test {
namespace {

namespace fs = std::filesystem;

const std::string kDemo = std::string(SPARSESCOPE_SOURCES) + "/recordings/small.h5";
const frame::Session kSession{{kDemo}, "", 120, R"({"tree": {"views": ["loss"], "front": "loss"}})"};

// A process that keeps `session` and waits; ended by `signal`.
class OtherWindow {
 public:
  OtherWindow(const std::string& folder, const frame::Session& session) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    child_ = ::fork();
    if (child_ == 0) {
      app::KeptSessions sessions(folder);
      const char told = sessions.keep(session).empty() ? 'y' : 'n';
      static_cast<void>(!::write(ready[1], &told, 1));
      for (;;) ::pause();
    }
    char told = 0;
    EXPECT_EQ(::read(ready[0], &told, 1), 1);
    EXPECT_EQ(told, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  void end(int signal) {
    ::kill(child_, signal);
    int status = 0;
    ::waitpid(child_, &status, 0);
  }

 private:
  pid_t child_ = 0;
};

TEST(LostSession, AKilledWindowLeavesWhatItShowedAndALivingOneDoesNot) {
  const TemporaryFolder folder;
  OtherWindow other(folder.path(), kSession);
  EXPECT_FALSE(app::KeptSessions(folder.path()).lost().has_value());
  other.end(SIGKILL);
  {
    app::KeptSessions next(folder.path());
    ASSERT_TRUE(next.lost().has_value());
    EXPECT_EQ(*next.lost(), kSession);
    EXPECT_EQ(next.keep(kSession), "");
  }
  // The next one ended as it should: only the lost one is still offered, until it is forgotten.
  app::KeptSessions again(folder.path());
  ASSERT_TRUE(again.lost().has_value());
  again.forget_lost();
  EXPECT_FALSE(app::KeptSessions(folder.path()).lost().has_value());
  EXPECT_TRUE(fs::is_empty(folder / "sessions"));
}

TEST(LostSession, WhatIsNotThereAnyMoreIsNotOffered) {
  const TemporaryFolder folder;
  frame::Session gone = kSession;
  gone.files = {folder / "gone.h5"};
  OtherWindow other(folder.path(), gone);
  other.end(SIGKILL);
  EXPECT_FALSE(app::KeptSessions(folder.path()).lost().has_value());
  EXPECT_FALSE(frame::session_from_text("{}").has_value());
  EXPECT_FALSE(frame::session_from_text("not json").has_value());
  EXPECT_EQ(frame::session_from_text(frame::text_of(kSession)), kSession);
}

TEST(LostSession, ItIsReopenedAtItsStepInItsLayoutOrForgotten) {
  Bench bench(false);
  EXPECT_EQ(bench.commands().why_disabled("file.reopen_session"), "the last window ended as it should");
  const std::uint64_t without = bench.hash();
  bench.host.lost = kSession;
  EXPECT_NE(bench.hash(), without);
  EXPECT_NE(bench.commands().why_disabled("file.recover_session"), "");
  bench.run("file.reopen_session");
  ASSERT_EQ(bench.timeline.runs().size(), 1u);
  EXPECT_FALSE(bench.host.lost.has_value());
  bench.timeline.drain_all();
  bench.draw(10);
  EXPECT_EQ(bench.timeline.cursor().step(), 120u);
  EXPECT_TRUE(frame::is_in_front(frame::layout_now(bench.state()), "loss"));
  // It is kept in turn, a few seconds later, though nothing is drawn meanwhile.
  bench.frame->spent(1, 0);
  EXPECT_FALSE(bench.host.kept_session.has_value());
  bench.frame->spent(1, 0);
  ASSERT_TRUE(bench.host.kept_session.has_value());
  EXPECT_EQ(bench.host.kept_session->files, kSession.files);
  EXPECT_EQ(bench.host.kept_session->step, 120u);

  bench.host.lost = kSession;
  bench.run("file.forget_session");
  EXPECT_FALSE(bench.host.lost.has_value());
}

}  // namespace
}  // namespace sparsescope::test

#include "app/stop_signals.h"

#include <csignal>
#include <initializer_list>

namespace sparsescope::app {
namespace {

volatile std::sig_atomic_t stop_seen = 0;

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_seen = 1; };
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

bool stop_signal_seen() { return stop_seen != 0; }

}  // namespace sparsescope::app

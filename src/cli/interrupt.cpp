#include "cli/interrupt.h"

#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "core/error.h"

namespace actio::cli {
namespace {

sem_t signalled;
std::atomic<pid_t> child_to_end{0};

std::stop_source& source() {
  static std::stop_source instance;
  return instance;
}

void wait_for_signal() {
  while (::sem_wait(&signalled) != 0 && errno == EINTR) {
  }
}

// Launchers (timeout, mpirun, a shell that passes it on) send one Ctrl-C twice.
constexpr std::chrono::seconds kOneRequest{1};

void on_signal(int) { ::sem_post(&signalled); }

}  // namespace

// A handler, not a blocked signal and sigwait: libraries start threads before main, and the kernel may choose those.
void install_interrupt_handler() {
  source();
  ::sem_init(&signalled, 0, 0);
  std::thread([] {
    wait_for_signal();
    const auto first = std::chrono::steady_clock::now();
    source().request_stop();
    do {
      wait_for_signal();
    } while (std::chrono::steady_clock::now() - first < kOneRequest);
    if (const pid_t child = child_to_end; child != 0) ::kill(child, SIGTERM);  // its second one too
    ::_exit(static_cast<int>(ErrorCode::kInterrupted));
  }).detach();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGXFSZ, SIG_IGN);  // so that a limit on the size of files is an error of writing, as a full disk is
}

std::stop_token interrupt_token() { return source().get_token(); }

void set_child_to_end(pid_t child) { child_to_end = child; }

void throw_if_interrupted() {
  if (source().stop_requested()) throw Error(ErrorCode::kInterrupted, "interrupted");
}

}  // namespace actio::cli

#include "cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "core/error.h"

namespace actio::cli {
namespace {

std::stop_source& source() {
  static std::stop_source instance;
  return instance;
}

}  // namespace

void install_interrupt_handler() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // Every later thread inherits the mask, so that only the waiting thread below sees the signals.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  source();
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    source().request_stop();
    sigwait(&signals, &signal);
    ::_exit(static_cast<int>(ErrorCode::kInterrupted));
  }).detach();
}

std::stop_token interrupt_token() { return source().get_token(); }

void throw_if_interrupted() {
  if (source().stop_requested()) throw Error(ErrorCode::kInterrupted, "interrupted");
}

}  // namespace actio::cli

// recognize_many MODEL VIDEO...: a line of JSON for each, by two threads that share the weights of one recogniser. Ctrl-C ends it at once.
#include <actio/recognizer.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: recognize_many MODEL VIDEO...\n", stderr), 2;
  // A thread of its own waits for Ctrl-C: a signal handler could not ask for a stop.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::stop_source stop;
  std::thread([signals, stop]() mutable {
    for (int signal = 0; sigwait(&signals, &signal) == 0;) stop.request_stop();
  }).detach();

  try {
    const actio::Recognizer recognizer(actio::Model::open(argv[1]), {.run = {.threads = 1}});
    const std::vector<actio::VideoSource> videos(argv + 2, argv + argc);
    const std::size_t half = (videos.size() + 1) / 2;
    std::mutex mutex;
    std::size_t done = 0;
    std::atomic<int> code = 0;
    const auto work = [&](std::span<const actio::VideoSource> mine) {
      try {
        actio::Hooks hooks;
        hooks.stop = stop.get_token();
        hooks.progress = [&](const actio::ProgressReport& report) {
          const std::scoped_lock lock(mutex);
          std::fprintf(stderr, "%s: %zu of %zu\n", report.what.c_str(), ++done, videos.size());
        };
        const auto print = [&](std::size_t i, const actio::Answer& answer) {
          const std::string line = recognizer.to_json(answer, mine[i].name(), 3);
          const std::scoped_lock lock(mutex);
          std::puts(line.c_str());
        };
        recognizer.recognize_all(mine, print, 2, hooks);
      } catch (const actio::Error& error) {
        code = error.exit_code();
      }
    };
    std::jthread other(work, std::span(videos).subspan(half));
    work(std::span(videos).first(half));
    other.join();
    return code;
  } catch (const actio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}

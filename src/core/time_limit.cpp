#include "core/time_limit.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"

namespace actio {

TimeLimit::TimeLimit(double seconds, std::stop_token stop) : seconds_(seconds), stop_(std::move(stop)) {
  if (seconds_ > 0) forward_.emplace(stop_, Forward{*this});
}

TimeLimit::~TimeLimit() = default;

TimeLimit::Running::Running(TimeLimit& of, const std::string& name) : limit(of) {
  const std::lock_guard lock(limit.mutex_);
  if (!limit.watcher_.joinable()) {
    try {
      limit.watcher_ = std::jthread([&watched = limit](const std::stop_token& end) { watched.watch(end); });
    } catch (const std::system_error& error) {
      fail(code_of_system_error(error.code().value()), "{}: no thread to watch over its time: {}", name, error.code().message());
    }
  }
  if (limit.running_++ == 0) limit.begun_ = Clock::now();
  if (limit.idle_) limit.changed_.notify_all();
}

TimeLimit::Running::~Running() {
  const std::lock_guard lock(limit.mutex_);
  if (--limit.running_ == 0) limit.before_ += Clock::now() - limit.begun_;
}

TimeLimit::Clock::duration TimeLimit::used() const { return running_ > 0 ? before_ + (Clock::now() - begun_) : before_; }

// Sleeps until the time could be up; it is not where no call ran meanwhile.
void TimeLimit::watch(const std::stop_token& end) {
  constexpr double kLongest = 1e9;
  const auto whole = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds_, kLongest)));
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      idle_ = true;
      changed_.wait(lock, end, [&] { return running_ > 0; });
      idle_ = false;
      if (end.stop_requested()) return;
      const Clock::duration left = whole - used();
      if (left <= Clock::duration::zero()) break;
      changed_.wait_for(lock, end, left, [] { return false; });
    }
    up_ = true;
  }
  own_.request_stop();
}

void TimeLimit::throw_if_up(const std::string& name) {
  double taken = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!up_ || stop_.stop_requested()) return;
    taken = std::chrono::duration<double>(used()).count();
  }
  fail_data("{}: reading it took {:.1f} s, at most {} s are given (--max-seconds)", name, taken, seconds_);
}

}  // namespace actio

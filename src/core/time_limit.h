// core: a limit on the wall time that something may take. In: seconds, and what else asks to stop. Out: a stop token for both, and an
// error that tells which limit was passed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace actio {

// Threads: run() may be called from several at once.
class TimeLimit {
 public:
  // 0 `seconds`: no limit, and no cost.
  TimeLimit(double seconds, std::stop_token stop);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  // Calls `work` with a token that asks to stop as the caller's does, and once the time is up. Time passes while at least one call
  // runs. Throws: what `work` throws; where the time was up by then, Error(kBadData) with `name`, the seconds it took and the limit.
  template <class Work>
  auto run(const std::string& name, Work&& work) {
    if (!(seconds_ > 0)) return std::forward<Work>(work)(std::as_const(stop_));
    const Running running(*this, name);
    try {
      return std::forward<Work>(work)(std::as_const(own_token_));
    } catch (...) {
      throw_if_up(name);
      throw;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Running {
    Running(TimeLimit& limit, const std::string& name);
    ~Running();
    TimeLimit& limit;
  };

  void throw_if_up(const std::string& name);
  void watch(const std::stop_token& end);
  Clock::duration used() const;  // to be called with the lock

  double seconds_ = 0;
  std::stop_token stop_;
  std::stop_source own_;
  std::stop_token own_token_ = own_.get_token();
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int running_ = 0;                                   // calls
  Clock::time_point begun_;                           // of the first of them
  Clock::duration before_ = Clock::duration::zero();  // of those that ended
  bool idle_ = false;                                 // the watcher waits for a call
  bool up_ = false;
  struct Forward {
    TimeLimit& limit;
    void operator()() const { limit.own_.request_stop(); }
  };
  std::optional<std::stop_callback<Forward>> forward_;
  std::jthread watcher_;  // last: it looks at the others
};

}  // namespace actio

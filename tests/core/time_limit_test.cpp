#include "core/time_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "core/error.h"

namespace actio {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Waits until it is told to stop, like a read from a server that is away.
int wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
  fail(ErrorCode::kInterrupted, "stopped");
}

template <class Work>
Error error_of(TimeLimit& limit, const Work& work) {
  try {
    limit.run("a.mp4", work);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kFailed, "no error");
}

TEST(TimeLimit, ends_what_waits_too_long_and_the_error_has_both_times) {
  TimeLimit limit(0.2, {});
  const Error error = error_of(limit, wait_for);
  EXPECT_EQ(error.code(), ErrorCode::kBadData);
  EXPECT_THAT(error.what(), ::testing::MatchesRegex("a.mp4: reading it took [0-9.]+ s, at most 0.2 s are given .--max-seconds."));
  EXPECT_EQ(error_of(limit, wait_for).code(), ErrorCode::kBadData) << "its time is up for good";
}

TEST(TimeLimit, counts_the_time_of_calls_and_not_what_lies_between_them) {
  TimeLimit limit(0.5, {});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(limit.run("a.mp4", [](const std::stop_token& stop) { return stop.stop_requested() ? 1 : 0; }), 0);
    std::this_thread::sleep_for(milliseconds(200));
  }
  const auto start = Clock::now();
  EXPECT_EQ(error_of(limit, wait_for).code(), ErrorCode::kBadData);
  EXPECT_GT(Clock::now() - start, milliseconds(300));
}

TEST(TimeLimit, of_calls_that_run_together_is_one) {
  TimeLimit limit(0.3, {});
  const auto start = Clock::now();
  auto other = std::async(std::launch::async, [&] { return error_of(limit, wait_for).code(); });
  EXPECT_EQ(error_of(limit, wait_for).code(), ErrorCode::kBadData);
  EXPECT_EQ(other.get(), ErrorCode::kBadData);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(10));
}

TEST(TimeLimit, leaves_the_callers_stop_and_other_errors_what_they_are) {
  for (const double seconds : {0.0, 1000.0}) {
    std::stop_source stop;
    TimeLimit limit(seconds, stop.get_token());
    EXPECT_EQ(error_of(limit, [](const std::stop_token&) -> int { fail_usage("wrong"); }).code(), ErrorCode::kUsage);
    auto waits = std::async(std::launch::async, [&] { return error_of(limit, wait_for).code(); });
    stop.request_stop();
    EXPECT_EQ(waits.get(), ErrorCode::kInterrupted);
  }
}

}  // namespace
}  // namespace actio

#include "data/patience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <stdexcept>

#include "core/error.h"

namespace actio::data {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// Fails as `failures` say, one after the other, then works.
struct Failing {
  explicit Failing(std::vector<std::function<void()>> wanted) : failures(std::move(wanted)) {}
  ClipInput operator()(const ClipRequest& request, ClipMemory&, const std::stop_token&) {
    EXPECT_EQ(request.path, "a.mp4");
    if (tries++ < failures.size()) failures[tries - 1]();
    ClipInput clip;
    clip.frames = static_cast<std::int64_t>(tries);
    return clip;
  }
  std::vector<std::function<void()>> failures;
  std::size_t tries = 0;
};

std::function<void()> error(ErrorCode code) {
  return [code] { throw Error(code, "a.mp4: failed"); };
}

ClipInput read(Failing& failing, const Patience& patience, const std::stop_token& stop = {}) {
  ClipMemory memory;
  ClipRequest request;
  request.path = "a.mp4";
  return read_patiently(std::ref(failing), patience, request, memory, stop);
}

Error error_of(Failing& failing, const Patience& patience, const std::stop_token& stop = {}) {
  try {
    read(failing, patience, stop);
  } catch (const Error& caught) {
    return caught;
  }
  return Error(ErrorCode::kFailed, "no error");
}

const Patience kTwice = {milliseconds(0), milliseconds(0)};

TEST(Patience, has_the_clip_when_what_failed_has_passed) {
  Failing twice({error(ErrorCode::kTransient), error(ErrorCode::kTransient)});
  EXPECT_EQ(read(twice, kTwice).frames, 3);
  Failing memory({[] { throw std::bad_alloc(); }, [] { throw std::system_error(EMFILE, std::generic_category()); }});
  EXPECT_EQ(read(memory, kTwice).frames, 3);
}

TEST(Patience, ends_with_the_last_error_and_how_often_it_was_tried) {
  Failing always({error(ErrorCode::kTransient), error(ErrorCode::kTransient), error(ErrorCode::kTransient)});
  const Error last = error_of(always, kTwice);
  EXPECT_EQ(last.code(), ErrorCode::kTransient);
  EXPECT_STREQ(last.what(), "a.mp4: failed; tried 3 times");
  EXPECT_EQ(always.tries, 3U);
}

TEST(Patience, is_not_for_what_will_not_pass) {
  for (const ErrorCode code :
       {ErrorCode::kFailed, ErrorCode::kUsage, ErrorCode::kBadData, ErrorCode::kInternal, ErrorCode::kInterrupted}) {
    Failing once({error(code)});
    EXPECT_EQ(error_of(once, kTwice).code(), code);
    EXPECT_EQ(once.tries, 1U);
  }
  Failing then({error(ErrorCode::kTransient), error(ErrorCode::kBadData)});
  EXPECT_EQ(error_of(then, kTwice).code(), ErrorCode::kBadData);
}

TEST(Patience, makes_an_error_of_the_clip_of_whatever_is_thrown) {
  const auto caught = [](std::function<void()> failure) {
    Failing once({std::move(failure)});
    return error_of(once, {});
  };
  const Error locked =
      caught([] { throw std::filesystem::filesystem_error("x", std::make_error_code(std::errc::permission_denied)); });
  EXPECT_EQ(locked.code(), ErrorCode::kFailed);
  EXPECT_STREQ(locked.what(), "a.mp4: cannot be read: Permission denied");
  EXPECT_EQ(caught([] { throw std::out_of_range("index"); }).code(), ErrorCode::kInternal);
  EXPECT_STREQ(caught([] { throw std::out_of_range("index"); }).what(), "a.mp4: index");
  EXPECT_EQ(caught([] { throw std::bad_alloc(); }).code(), ErrorCode::kTransient);
}

TEST(Patience, ends_where_it_is_told_to_stop_however_long_it_would_wait) {
  std::stop_source source;
  Failing always({[&] {
    source.request_stop();
    error(ErrorCode::kTransient)();
  }});
  EXPECT_EQ(error_of(always, {std::chrono::hours(1000)}, source.get_token()).code(), ErrorCode::kInterrupted);
  EXPECT_EQ(always.tries, 1U);
}

TEST(Patience, ends_with_the_time_of_the_request_which_is_that_of_all_tries_together) {
  Failing always({error(ErrorCode::kTransient), error(ErrorCode::kTransient)});
  ClipMemory memory;
  ClipRequest request;
  request.path = "a.mp4";
  request.limits.max_seconds = 0.2;
  try {
    read_patiently(std::ref(always), {std::chrono::hours(1000)}, request, memory);
    FAIL() << "it was read";
  } catch (const Error& caught) {
    EXPECT_EQ(caught.code(), ErrorCode::kBadData);
    EXPECT_THAT(caught.what(), HasSubstr("at most 0.2 s are given"));
  }
}

}  // namespace
}  // namespace actio::data

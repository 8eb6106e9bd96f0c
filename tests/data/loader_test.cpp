#include "data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "clips.h"
#include "core/error.h"
#include "core/file.h"
#include "support/inputs.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::write_moving_clip;

constexpr std::int64_t kClips = 11;

// The clips are made once for all tests.
class LoaderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new actio::testing::TempDir;
    for (std::int64_t i = 0; i < kClips; ++i) {
      write_moving_clip(path_of(i), {.frames = 6 + i}, 0.5 * static_cast<double>(i) - 2, 1);
    }
    std::ofstream(*dir_ / "bad.mp4") << "no video";
  }
  static void TearDownTestSuite() {
    delete dir_;
    dir_ = nullptr;
  }
  static std::string path_of(std::int64_t i) { return *dir_ / fmt::format("{:02}.mp4", i); }
  static std::vector<Item> items() {
    std::vector<Item> all;
    for (std::int64_t i = 0; i < kClips; ++i) all.push_back({path_of(i), "x", i, {}, {}});
    return all;
  }
  static std::vector<Item> bad_items(std::int64_t count) {
    std::vector<Item> all;
    for (std::int64_t i = 0; i < count; ++i) all.push_back({*dir_ / fmt::format("missing{}.mp4", i), "x", 100 + i, {}, {}});
    return all;
  }
  static ClipRequest request() {
    ClipRequest request;
    request.segments = 3;
    Preprocess preprocess;
    preprocess.input_size = 24;
    preprocess.short_side = 27;
    preprocess.motion = Motion::kVectors;
    preprocess.motion_length = 2;
    request.inputs = actio::testing::inputs_for(preprocess);
    request.sampling = Sampling::kRandom;
    request.augment = true;
    return request;
  }
  static std::string text_of(const Batch& batch) {
    std::string text = fmt::format("{} {}", fmt::join(batch.labels, ","), fmt::join(batch.paths, ","));
    for (const auto& [name, tensor] : batch.inputs) {
      text += fmt::format(" {} {} {}", name, shape_text(tensor.shape()), content_hash({tensor.raw(), tensor.bytes()}));
    }
    return text;
  }
  static std::vector<std::string> epoch_of(Loader& loader, std::int64_t epoch, std::int64_t first_batch = 0) {
    std::vector<std::string> texts;
    loader.start_epoch(epoch, first_batch);
    while (const auto batch = loader.next()) texts.push_back(text_of(*batch));
    return texts;
  }
  static actio::testing::TempDir* dir_;
};

actio::testing::TempDir* LoaderTest::dir_ = nullptr;

TEST_F(LoaderTest, gives_the_same_bytes_whatever_the_number_of_threads) {
  std::map<std::int64_t, std::vector<std::string>> expected;
  for (const std::int64_t threads : {1, 2, 5}) {
    for (const std::int64_t prefetch : {1, 4}) {
      Loader loader(items(), request(), {.batch_size = 4, .threads = threads, .prefetch = prefetch});
      for (const std::int64_t epoch : {0, 1}) {
        const auto texts = epoch_of(loader, epoch);
        EXPECT_EQ(expected.emplace(epoch, texts).first->second, texts) << threads << " threads, prefetch " << prefetch;
      }
    }
  }
  EXPECT_EQ(expected[0].size(), 3u);
  EXPECT_NE(expected[0], expected[1]);
}

TEST_F(LoaderTest, reads_every_clip_once_and_stacks_segments_fastest) {
  Loader loader(items(), request(), {.batch_size = 4});
  EXPECT_EQ(loader.batches(), 3);
  std::set<std::int64_t> labels;
  std::vector<std::size_t> sizes;
  while (const auto batch = loader.next()) {
    sizes.push_back(batch->labels.size());
    const auto clips = static_cast<std::int64_t>(batch->labels.size());
    EXPECT_EQ(batch->inputs.at("rgb").shape(), (Shape{clips * 3, 3, 24, 24}));
    EXPECT_EQ(batch->inputs.at("motion").shape(), (Shape{clips * 3, 4, 24, 24}));
    for (std::size_t i = 0; i < batch->labels.size(); ++i) {
      EXPECT_EQ(batch->paths[i], path_of(batch->labels[i]));
      labels.insert(batch->labels[i]);
    }
  }
  EXPECT_THAT(sizes, ElementsAre(4u, 4u, 3u));
  EXPECT_EQ(labels.size(), static_cast<std::size_t>(kClips));
  EXPECT_FALSE(loader.next()) << "the end must stay the end";
}

TEST_F(LoaderTest, holds_the_bytes_that_read_clip_gives) {
  ClipRequest wanted = request();
  wanted.augment = false;
  wanted.sampling = Sampling::kCentre;
  Loader loader(items(), wanted, {.batch_size = 4, .threads = 3, .shuffle = false});
  std::int64_t position = 0;
  while (const auto batch = loader.next()) {
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(batch->labels.size()); ++i, ++position) {
      EXPECT_EQ(batch->labels[static_cast<std::size_t>(i)], position);
      wanted.path = path_of(position);
      for (const auto& [name, tensor] : read_clip(wanted).inputs) {
        const Tensor rows = batch->inputs.at(name).rows(i * 3, 3);
        EXPECT_EQ(std::memcmp(rows.raw(), tensor.raw(), tensor.bytes()), 0);
      }
    }
  }
  EXPECT_EQ(position, kClips);
}

TEST_F(LoaderTest, drops_a_last_batch_that_is_not_full_on_request) {
  Loader loader(items(), request(), {.batch_size = 4, .drop_last = true});
  EXPECT_EQ(loader.batches(), 2);
  EXPECT_EQ(epoch_of(loader, 0).size(), 2u);
  Loader large(items(), request(), {.batch_size = 40, .drop_last = true});
  EXPECT_EQ(large.batches(), 0);
  EXPECT_FALSE(large.next());
}

TEST_F(LoaderTest, resumes_in_the_middle_of_an_epoch) {
  Loader loader(items(), request(), {.batch_size = 3});
  const auto whole = epoch_of(loader, 5);
  const auto rest = epoch_of(loader, 5, 2);
  EXPECT_EQ(std::vector<std::string>(whole.begin() + 2, whole.end()), rest);
  EXPECT_TRUE(epoch_of(loader, 5, 4).empty());
}

TEST_F(LoaderTest, reads_on_into_the_next_epoch_without_changing_a_byte) {
  for (const std::int64_t batch_size : {2, 4, 11, 40}) {
    for (const bool drop_last : {false, true}) {
      SCOPED_TRACE(fmt::format("batches of {}, drop_last {}", batch_size, drop_last));
      LoaderOptions options{.batch_size = batch_size, .prefetch = 3, .drop_last = drop_last};
      Loader each(items(), request(), options);
      options.last_epoch = 3;
      Loader on(items(), request(), options);
      for (const std::int64_t epoch : {0, 1, 2, 3, 4, 2}) EXPECT_EQ(epoch_of(on, epoch), epoch_of(each, epoch)) << epoch;
      on.start_epoch(0);
      on.next();
      EXPECT_EQ(epoch_of(on, 1), epoch_of(each, 1)) << "after an epoch that was not read to its end";
      EXPECT_EQ(epoch_of(on, 2, 1), epoch_of(each, 2, 1)) << "in the middle of the next";
      EXPECT_FALSE(on.next()) << "the end must stay the end";
    }
  }
}

TEST_F(LoaderTest, replaces_a_failing_video_and_reports_it_once) {
  std::vector<Item> some = items();
  some.push_back({*dir_ / "bad.mp4", "x", 99, {}, {}});
  std::vector<std::string> expected;
  for (const std::int64_t threads : {1, 4}) {
    std::vector<std::string> warnings;
    Loader loader(some, request(), {.batch_size = 4, .threads = threads},
                  [&](const std::string& text) { warnings.push_back(text); });
    std::vector<std::string> texts;
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
      for (std::string& text : epoch_of(loader, epoch)) {
        EXPECT_THAT(text, ::testing::Not(HasSubstr("bad.mp4")));
        texts.push_back(std::move(text));
      }
    }
    EXPECT_EQ(texts.size(), 9u);
    if (expected.empty()) expected = texts;
    EXPECT_EQ(texts, expected);
    EXPECT_THAT(warnings, ElementsAre(::testing::AllOf(HasSubstr("bad.mp4"), HasSubstr("another clip takes its place"))));
    EXPECT_EQ(loader.failed_videos(), 1);
  }
}

TEST_F(LoaderTest, leaves_out_a_failing_video_where_results_are_counted) {
  std::vector<Item> some = items();
  some.insert(some.begin() + 1, Item{*dir_ / "bad.mp4", "x", 99, {}, {}});
  Loader loader(some, request(), {.batch_size = 4, .threads = 3, .shuffle = false, .replace_failed = false});
  std::vector<std::int64_t> labels;
  while (const auto batch = loader.next()) {
    EXPECT_EQ(batch->inputs.at("rgb").dim(0), static_cast<std::int64_t>(batch->labels.size()) * 3);
    labels.insert(labels.end(), batch->labels.begin(), batch->labels.end());
  }
  EXPECT_THAT(labels, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  Loader clean(items(), request(), {.batch_size = 3, .shuffle = false});
  loader.start_epoch(0);
  EXPECT_EQ(loader.next()->paths, clean.next()->paths);
}

TEST_F(LoaderTest, replaces_a_video_past_the_limits_of_reading) {
  write_moving_clip(*dir_ / "large.mp4", {.width = 96, .height = 64, .frames = 8}, 1, 1);
  std::vector<Item> some = items();
  some.push_back({*dir_ / "large.mp4", "x", 50, {}, {}});
  ClipRequest limited = request();
  limited.limits.max_pixels = 64 * 48;
  std::vector<std::string> warnings;
  Loader loader(some, limited, {.batch_size = 4}, [&](const std::string& line) { warnings.push_back(line); });
  for (const std::string& batch : epoch_of(loader, 0)) EXPECT_THAT(batch, ::testing::Not(HasSubstr("large.mp4")));
  EXPECT_EQ(loader.failed_videos(), 1);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("claims 96 x 64 pixels, 6144 in all; at most 3072 a frame are read (--max-pixels); another clip"));
}

TEST_F(LoaderTest, says_so_when_no_video_can_be_read) {
  for (const bool replace : {true, false}) {
    Loader loader(bad_items(9), request(), {.batch_size = 2, .threads = 3, .replace_failed = replace});
    try {
      while (loader.next()) FAIL() << "a batch of nothing";
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      EXPECT_THAT(error.what(), HasSubstr("none of the 9 clips could be read; the first: "));
      EXPECT_THAT(error.what(), HasSubstr("missing"));
    }
  }
}

TEST_F(LoaderTest, passes_on_a_request_that_makes_no_sense) {
  ClipRequest wrong = request();
  wrong.views = {{1.5}};
  std::vector<std::string> warnings;
  Loader loader(items(), wrong, {}, [&](const std::string& text) { warnings.push_back(text); });
  for (int repeat = 0; repeat < 2; ++repeat) {
    try {
      loader.next();
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("a place must be between 0 and 1, got 1.5"));
    }
  }
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(loader.failed_videos(), 0);
  EXPECT_THROW(Loader({}, request(), {}), Error);
  EXPECT_THROW(Loader(items(), request(), {.batch_size = 0}), Error);
  EXPECT_THROW(Loader(items(), request(), {.threads = 0}), Error);
}

TEST_F(LoaderTest, gives_the_same_batches_after_it_was_left_or_started_again_at_any_moment) {
  const LoaderOptions options{.batch_size = 2, .threads = 3, .prefetch = 3};
  Loader undisturbed(items(), request(), options);
  for (int i = 0; i < 30; ++i) {
    Loader loader(items(), request(), options);
    loader.start_epoch(i);
    if (i % 3 == 1) loader.next();
    if (i % 3 == 2) loader.start_epoch(i + 1);
    if (i % 10 < 9) continue;  // left as it is
    EXPECT_EQ(epoch_of(loader, i / 10), epoch_of(undisturbed, i / 10)) << i;
  }
  const Loader unused(items(), request(), {});
}

// Reads that wait until they are told to stop.
struct Stuck {
  std::atomic<int> begun = 0, ended = 0;
  ClipInput operator()(const ClipRequest& request, ClipMemory&, const std::stop_token& stop) {
    ++begun;
    begun.notify_all();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait(lock, stop, [] { return false; });
    ++ended;
    fail(ErrorCode::kInterrupted, "{}: stopped", request.path);
  }
};

TEST_F(LoaderTest, stops_the_reading_and_the_waiting_when_asked_to) {
  Stuck stuck;
  std::stop_source source;
  Loader loader(items(), request(), {.batch_size = 4, .threads = 3, .read = std::ref(stuck)}, {}, source.get_token());
  std::jthread stopper([&] {
    for (int seen = 0; seen < 3; seen = stuck.begun) stuck.begun.wait(seen);
    source.request_stop();
  });
  for (int repeat = 0; repeat < 2; ++repeat) {
    try {
      loader.next();
      FAIL() << "a batch of clips that nobody could read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
    }
    EXPECT_EQ(stuck.ended, 3) << "each thread has let its clip go, and took no other";
  }
  EXPECT_GT(loader.wait_seconds(), 0);
  EXPECT_EQ(loader.failed_videos(), 0) << "it is no clip's fault";
}

TEST_F(LoaderTest, stops_the_reading_when_it_is_destroyed) {
  Stuck stuck;
  {
    Loader loader(items(), request(), {.batch_size = 4, .threads = 2, .read = std::ref(stuck)});
    loader.start_epoch(0);
    for (int seen = 0; seen < 2; seen = stuck.begun) stuck.begun.wait(seen);
  }
  EXPECT_EQ(stuck.ended, 2);
}

// Reads clips, but fails with `code` the first `times` that a clip named `name` is read.
struct Hiccup {
  std::string name;
  ErrorCode code;
  int times;
  std::atomic<int> tries = 0;
  ClipInput operator()(const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop) {
    if (request.path.ends_with(name) && tries++ < times) fail(code, "{}: failed", request.path);
    return read_clip(request, memory, stop);
  }
};

TEST_F(LoaderTest, tries_again_what_may_pass_and_gives_the_batches_that_it_would_have_given) {
  Loader plain(items(), request(), {.batch_size = 4});
  const Patience twice(2, std::chrono::milliseconds(0));
  Hiccup hiccup{"03.mp4", ErrorCode::kTransient, 2};
  std::vector<std::string> warnings;
  Loader loader(items(), request(), {.batch_size = 4, .patience = twice, .read = std::ref(hiccup)},
                [&](const std::string& text) { warnings.push_back(text); });
  for (const std::int64_t epoch : {0, 1}) EXPECT_EQ(epoch_of(loader, epoch), epoch_of(plain, epoch));
  EXPECT_EQ(hiccup.tries, 4);
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(loader.failed_videos(), 0);
}

TEST_F(LoaderTest, ends_rather_than_to_replace_a_clip_that_the_system_cannot_read) {
  for (const bool replace : {true, false}) {
    Hiccup away{"03.mp4", ErrorCode::kTransient, 1000};
    Loader loader(items(), request(),
                  {.batch_size = 4, .replace_failed = replace, .patience = {std::chrono::milliseconds(0)}, .read = std::ref(away)});
    try {
      while (loader.next()) {
      }
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kTransient);
      EXPECT_THAT(error.what(), HasSubstr("03.mp4: failed; tried 2 times"));
    }
    EXPECT_EQ(loader.failed_videos(), 0);
  }
}

TEST_F(LoaderTest, takes_a_mistake_of_its_own_for_a_failure_of_one_clip) {
  Hiccup mistake{"03.mp4", ErrorCode::kInternal, 1000};
  std::vector<std::string> warnings;
  Loader loader(items(), request(), {.batch_size = 4, .read = std::ref(mistake)},
                [&](const std::string& text) { warnings.push_back(text); });
  EXPECT_EQ(epoch_of(loader, 0).size(), 3U);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("03.mp4: failed; another clip takes its place")));
}

TEST_F(LoaderTest, that_is_told_what_failed_before_draws_the_clips_that_it_would_have_drawn) {
  const LoaderOptions options{.batch_size = 3};
  Hiccup missing{"04.mp4", ErrorCode::kFailed, 1000};
  LoaderOptions failing = options;
  failing.read = std::ref(missing);
  Loader first(items(), request(), failing);
  const auto whole = epoch_of(first, 0), second = epoch_of(first, 1);
  EXPECT_THAT(first.failed_items(), ElementsAre(4));
  Loader later(items(), request(), options);  // by now the clip can be read
  EXPECT_NE(epoch_of(later, 1), second);
  Loader resumed(items(), request(), options);
  resumed.take_for_failed({4, -1, 11, 1'000'000});
  EXPECT_THAT(resumed.failed_items(), ElementsAre(4));
  EXPECT_EQ(epoch_of(resumed, 1), second);
  EXPECT_EQ(resumed.failed_videos(), 1);
  resumed.take_for_failed({0, 1, 2, 3, 5, 6, 7, 8, 9, 10});
  EXPECT_THROW(epoch_of(resumed, 2), Error) << "nothing is left";
}

}  // namespace
}  // namespace actio::data

#include "data/frame_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"

namespace actio::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Times = std::vector<std::int64_t>;

// `parts` of (frames, milliseconds to the next).
Times times_of(const std::vector<std::pair<int, double>>& parts) {
  Times times;
  double now = 0;
  for (const auto& [frames, step] : parts) {
    for (int i = 0; i < frames; ++i, now += step) times.push_back(std::llround(now * 1000));
  }
  return times;
}

Times rounded_to_milliseconds(int frames, double step) {
  Times times;
  for (int i = 0; i < frames; ++i) times.push_back(1000 * std::llround(i * step));
  return times;
}

TEST(FrameTimes, at_a_constant_rate_are_none) {
  for (const Times& times : {Times{}, Times{0}, Times{0, 7}, times_of({{300, 40}}), times_of({{301, 1001.0 / 30}}),
                             rounded_to_milliseconds(1000, 1001.0 / 30), rounded_to_milliseconds(1000, 1000.0 / 240),
                             rounded_to_milliseconds(700, 1001.0 / 60)}) {
    const FrameTimes found = frame_times(times);
    EXPECT_THAT(found.microseconds, IsEmpty()) << times.size();
    EXPECT_EQ(found.fault, "");
  }
}

TEST(FrameTimes, at_a_constant_rate_of_hours_are_none) { EXPECT_EQ(frame_times(times_of({{10, 7'200'000.0}})).fault, ""); }

TEST(FrameTimes, with_uneven_pictures_of_film_are_none) {
  Times times = {0};
  for (int i = 0; i < 100; ++i) times.push_back(times.back() + (i % 2 == 0 ? 33'367 : 50'050));
  EXPECT_THAT(frame_times(times).microseconds, IsEmpty());
}

TEST(FrameTimes, at_a_variable_rate_are_kept) {
  for (const Times& times :
       {times_of({{30, 40}, {30, 200}}), times_of({{30, 40}, {30, 50}}), times_of({{30, 40}, {1, 3000}, {30, 40}})}) {
    EXPECT_EQ(frame_times(times).microseconds, times);
    EXPECT_EQ(frame_times(times).fault, "");
  }
}

TEST(FrameTimes, that_make_no_sense_are_named) {
  const auto fault_of = [](const Times& times) {
    const FrameTimes found = frame_times(times);
    EXPECT_THAT(found.microseconds, IsEmpty());
    return found.fault;
  };
  EXPECT_EQ(fault_of({0, 40'000, 40'000, 80'000}), "repeat: frames 1 and 2 are both at 0.040 s");
  EXPECT_EQ(fault_of({0, 0, 0}), "repeat: frames 0 and 1 are both at 0.000 s");
  EXPECT_EQ(fault_of({0, 40'000, 20'000, 80'000}), "jump back from 0.040 s to 0.020 s at frame 2");
  EXPECT_EQ(fault_of({0, 40'000, 3'600'040'000, 3'600'080'000}), "leave a gap of 3600 s before frame 2");
  EXPECT_EQ(fault_of({0, to_microseconds(1e300), to_microseconds(-1e300)}),
            "jump back from 1000000000.000 s to -1000000000.000 s at frame 2");
}

// 30 frames at 25 a second, then 30 at 5: 1.2 s and 6 s. Eight parts of 0.9 s have their middles at 0.45 s, 1.35 s, ...
TEST(SampleByTime, takes_what_is_seen_in_the_middle_of_parts_that_are_equal_in_time) {
  Rng rng(1);
  const Times times = times_of({{30, 40}, {30, 200}});
  EXPECT_THAT(sample_by_time(times, 8, Sampling::kCentre, rng), ElementsAre(11, 30, 35, 39, 44, 48, 53, 57));
  EXPECT_THAT(sample_by_time(times, 2, Sampling::kCentre, rng, 0.0), ElementsAre(0, 42));
  EXPECT_THAT(sample_by_time(times, 2, Sampling::kCentre, rng, 1.0), ElementsAre(41, 59));
  EXPECT_EQ(rng.next(), Rng(1).next()) << "the centre must draw nothing";
}

TEST(SampleByTime, sees_a_picture_for_as_long_as_it_stands) {
  Rng rng(1);
  const Times times = times_of({{10, 40}, {1, 10'000}, {10, 40}});
  EXPECT_THAT(sample_by_time(times, 5, Sampling::kCentre, rng), ElementsAre(10, 10, 10, 10, 10));
  EXPECT_THAT(sample_by_time(times, 5, Sampling::kCentre, rng, 0.0), ElementsAre(0, 10, 10, 10, 10));
}

// Where frames do not fill the parts, sampling by frames gives the one on a border to the later part.
TEST(SampleByTime, at_an_even_rate_is_sampling_by_frames) {
  Rng rng(1);
  for (int frames = 2; frames < 60; ++frames) {
    for (const std::int64_t segments : {1, 3, 7, 25}) {
      const auto by_frames = sample_segments(frames, segments, Sampling::kCentre, rng, 0.5);
      const auto by_time = sample_by_time(times_of({{frames, 64}}), segments, Sampling::kCentre, rng);
      for (std::size_t k = 0; k < by_time.size(); ++k) {
        const std::int64_t difference = by_time[k] - by_frames[k];
        EXPECT_TRUE(difference == 0 || (difference == 1 && frames % segments != 0)) << frames << " " << segments << " " << k;
      }
    }
  }
}

TEST(SampleByTime, stays_in_order_and_inside_its_part_and_reaches_every_picture_at_random) {
  Rng rng(7);
  const Times times = times_of({{30, 40}, {30, 200}});
  std::set<std::int64_t> seen;
  int in_first = 0;
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    const auto sampled = sample_by_time(times, 4, Sampling::kRandom, rng);
    ASSERT_EQ(sampled.size(), 4U);
    ASSERT_TRUE(std::ranges::is_sorted(sampled));
    // Parts of 1.8 s: the first has the 30 quick frames and 3 of the slow.
    ASSERT_LE(sampled[0], 32);
    ASSERT_GE(sampled[1], 33);
    ASSERT_LE(sampled[3], 59);
    in_first += sampled[0] < 30 ? 1 : 0;
    seen.insert(sampled.begin(), sampled.end());
  }
  EXPECT_EQ(seen.size(), 60U);
  EXPECT_NEAR(in_first, kRounds * 1.2 / 1.8, 120) << "the quick frames are 1.2 s of the first part's 1.8 s";
}

TEST(SampleByTime, refuses_what_is_no_clip) {
  Rng rng(1);
  EXPECT_THROW(sample_by_time({0}, 3, Sampling::kCentre, rng), Error);
  EXPECT_THROW(sample_by_time({0, 1}, 0, Sampling::kCentre, rng), Error);
  EXPECT_THROW(sample_by_time({0, 1}, 3, Sampling::kCentre, rng, 1.5), Error);
}

}  // namespace
}  // namespace actio::data

#include "data/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"

namespace actio::data {
namespace {

using ::testing::ElementsAre;

TEST(Sampling, takes_the_middle_of_each_segment) {
  Rng rng(1);
  EXPECT_THAT(sample_segments(30, 3, Sampling::kCentre, rng), ElementsAre(5, 15, 25));
  EXPECT_THAT(sample_segments(7, 7, Sampling::kCentre, rng), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(sample_segments(10, 1, Sampling::kCentre, rng), ElementsAre(5));
  EXPECT_EQ(rng.next(), Rng(1).next()) << "the centre must draw nothing";
}

TEST(Sampling, takes_other_places_of_a_segment_on_request) {
  Rng rng(1);
  EXPECT_THAT(sample_segments(30, 3, Sampling::kCentre, rng, 0.0), ElementsAre(0, 10, 20));
  EXPECT_THAT(sample_segments(30, 3, Sampling::kCentre, rng, 1.0), ElementsAre(9, 19, 29));
  EXPECT_THAT(sample_segments(50, 1, Sampling::kCentre, rng, 0.3), ElementsAre(15));
}

TEST(Sampling, repeats_frames_of_short_clips_in_order) {
  Rng rng(1);
  EXPECT_THAT(sample_segments(1, 5, Sampling::kCentre, rng), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(sample_segments(2, 5, Sampling::kCentre, rng), ElementsAre(0, 0, 0, 1, 1));
  EXPECT_THAT(sample_segments(3, 5, Sampling::kRandom, rng), ElementsAre(0, 0, 1, 1, 2));
}

TEST(Sampling, stays_in_order_and_inside_for_every_length) {
  Rng rng(7);
  for (std::int64_t frames = 1; frames < 70; ++frames) {
    for (std::int64_t segments = 1; segments < 12; ++segments) {
      for (const Sampling sampling : {Sampling::kCentre, Sampling::kRandom}) {
        for (const double place : {0.0, 0.1, 0.5, 0.9, 1.0}) {
          const auto sampled = sample_segments(frames, segments, sampling, rng, place);
          ASSERT_EQ(sampled.size(), static_cast<std::size_t>(segments));
          ASSERT_TRUE(std::ranges::is_sorted(sampled));
          ASSERT_GE(sampled.front(), 0);
          ASSERT_LT(sampled.back(), frames);
        }
      }
    }
  }
}

TEST(Sampling, reaches_every_frame_of_a_segment_at_random) {
  Rng rng(3);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 400; ++i) {
    const auto sampled = sample_segments(17, 3, Sampling::kRandom, rng);
    seen.insert(sampled.begin(), sampled.end());
  }
  EXPECT_EQ(seen.size(), 17u);
}

TEST(Sampling, refuses_an_empty_clip) {
  Rng rng(1);
  EXPECT_THROW(sample_segments(0, 3, Sampling::kCentre, rng), Error);
  EXPECT_THROW(sample_segments(3, 0, Sampling::kCentre, rng), Error);
}

TEST(MotionWindow, starts_after_the_sampled_frame) {
  EXPECT_THAT(motion_window(10, 100, 5, MotionWindow::kStarting), ElementsAre(11, 12, 13, 14, 15));
}

TEST(MotionWindow, is_centred_on_the_sampled_frame) {
  EXPECT_THAT(motion_window(10, 100, 10, MotionWindow::kCentred), ElementsAre(6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  EXPECT_THAT(motion_window(10, 100, 5, MotionWindow::kCentred), ElementsAre(8, 9, 10, 11, 12));
  EXPECT_THAT(motion_window(10, 100, 1, MotionWindow::kCentred), ElementsAre(10));
}

TEST(MotionWindow, repeats_the_first_and_last_field_at_the_borders) {
  EXPECT_THAT(motion_window(97, 100, 5, MotionWindow::kStarting), ElementsAre(98, 99, 99, 99, 99));
  EXPECT_THAT(motion_window(0, 100, 6, MotionWindow::kCentred), ElementsAre(1, 1, 1, 1, 2, 3));
  EXPECT_THAT(motion_window(0, 2, 3, MotionWindow::kStarting), ElementsAre(1, 1, 1));
}

TEST(MotionWindow, is_still_for_a_clip_of_one_frame) {
  EXPECT_THAT(motion_window(0, 1, 3, MotionWindow::kStarting), ElementsAre(0, 0, 0));
}

}  // namespace
}  // namespace actio::data

// Frames over include/actio.
#include <actio/video.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "api/sources.h"
#include "core/error.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"

namespace actio {
namespace {

class FramesOfAVideo : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_synthetic_clip({.path = clip_, .frames = 20, .dx = 2}); }

  testing::TempDir dir_;
  std::string clip_ = dir_ / "clip.mp4";
};

std::vector<Frame> all(Video video) {
  std::vector<Frame> frames;
  while (std::optional<Frame> frame = video.next()) frames.push_back(std::move(*frame));
  return frames;
}

TEST_F(FramesOfAVideo, are_the_same_from_a_file_memory_and_functions_and_outlive_the_video) {
  const VideoOptions options = {.vectors = true};
  const std::vector<Frame> of_file = all(Video(clip_, options));
  ASSERT_EQ(of_file.size(), 20U);
  for (std::size_t i = 0; i < of_file.size(); ++i) EXPECT_EQ(testing::read_index(of_file[i].rgb()), static_cast<std::int64_t>(i));
  EXPECT_FALSE(of_file[5].vectors.empty());
  EXPECT_EQ(of_file[5].grey().shape(), (Shape{96, 128}));
  for (const VideoSource& source :
       {testing::memory_source(clip_), testing::functions_source(clip_, true), testing::functions_source(clip_, false)}) {
    const std::vector<Frame> frames = all(Video(source, options));
    ASSERT_EQ(frames.size(), of_file.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const Tensor a = frames[i].rgb(), b = of_file[i].rgb();
      EXPECT_EQ(std::memcmp(a.raw(), b.raw(), b.bytes()), 0) << i;
      EXPECT_EQ(frames[i].pts, of_file[i].pts);
      EXPECT_EQ(frames[i].vectors.size(), of_file[i].vectors.size());
    }
  }
}

TEST_F(FramesOfAVideo, can_be_selected_and_the_video_tells_what_it_is) {
  Video video(clip_);
  EXPECT_EQ(video.info().codec, "h264");
  EXPECT_EQ(video.info().width, 128);
  EXPECT_TRUE(video.info().carries_vectors);
  video.select({3, 17});
  EXPECT_EQ(testing::read_index(video.next().value().rgb()), 3);
  EXPECT_EQ(testing::read_index(video.next().value().rgb()), 17);
  EXPECT_FALSE(video.next().has_value());
  EXPECT_LT(video.counters().frames, 20);
}

TEST_F(FramesOfAVideo, that_nobody_gave_are_an_error) {
  EXPECT_THROW(Frame().rgb(), Error);
  EXPECT_THROW(Video(dir_ / "missing.mp4"), Error);
  EXPECT_THROW(Video(clip_, {.max_pixels = 100}), Error);
}

TEST_F(FramesOfAVideo, that_come_too_slowly_end_with_an_error_of_bad_data) {
  const testing::Bytes bytes = testing::bytes_of(clip_);
  const auto given = std::make_shared<std::size_t>(0);
  const auto read = [=](std::span<std::byte> target, const std::stop_token& stop) -> std::size_t {
    const std::size_t count = std::min(target.size(), bytes->size() / 2 - *given);
    std::ranges::copy(std::as_bytes(std::span(*bytes)).subspan(*given, count), target.begin());
    *given += count;
    while (count == 0 && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return count;
  };
  try {
    all(Video(VideoSource::callback(read, {}, "camera"), {.max_seconds = 0.3}));
    FAIL() << "all frames came";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("at most 0.3 s are given"));
  }
}

}  // namespace
}  // namespace actio

#include "motion/estimated_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "support/synthetic_clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"

namespace actio::motion {
namespace {

using testing::SyntheticClip;
using testing::TempDir;

std::vector<video::Frame> frames_of(SyntheticClip clip) {
  const TempDir dir;
  clip.path = dir / "clip.mp4";
  testing::write_synthetic_clip(clip);
  video::Decoder decoder(clip.path);
  std::vector<video::Frame> frames;
  while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
  return frames;
}

// Share of the cells away from the border and the corner that counts frames whose motion is that of the clip.
double share_right(const Tensor& field, const SyntheticClip& clip) {
  const std::int64_t rows = field.dim(1), columns = field.dim(2), border = 8;
  const auto values = field.values<float>();
  double right = 0, all = 0;
  for (std::int64_t y = border; y < rows - border; ++y) {
    for (std::int64_t x = border; x < columns - border; ++x) {
      const auto at = static_cast<std::size_t>(y * columns + x), of_y = static_cast<std::size_t>(rows * columns);
      right += std::abs(values[at] - clip.dx) <= 0.3 && std::abs(values[of_y + at] - clip.dy) <= 0.3;
      ++all;
    }
  }
  return right / all;
}

TEST(EstimatedStream, finds_the_motion_of_codecs_that_hand_out_no_vectors_key_frames_included) {
  for (const std::string codec : {"libx265", "mjpeg"}) {
    SCOPED_TRACE(codec);
    const SyntheticClip clip{.path = "", .codec = codec, .frames = 14, .width = 200, .height = 150, .dx = 3, .dy = -2, .gop = 5, .quality = codec == "mjpeg" ? 3 : 18};
    EstimatedStream stream;
    for (const video::Frame& frame : frames_of(clip)) {
      EXPECT_TRUE(frame.vectors.empty());
      const Tensor field = stream.field(frame);
      EXPECT_EQ(field.shape(), (Shape{2, 38, 50}));
      if (frame.index == 0) {
        EXPECT_TRUE(std::ranges::all_of(field.values<float>(), [](float value) { return value == 0; }));
      } else {
        EXPECT_GE(share_right(field, clip), 0.95) << frame.index;
      }
    }
  }
}

TEST(EstimatedStream, searches_large_pictures_at_a_smaller_size_in_pixels_of_the_frame) {
  const SyntheticClip clip{.path = "", .codec = "libx265", .frames = 4, .width = 1024, .height = 768, .dx = 9, .dy = 6};
  EstimatedStream stream;
  for (const video::Frame& frame : frames_of(clip)) {
    const Tensor field = stream.field(frame);
    EXPECT_EQ(field.shape(), (Shape{2, 192, 256}));
    if (frame.index == 0) continue;
    const auto values = field.values<float>();
    const std::size_t plane = values.size() / 2, middle = plane / 2 + 128;
    // A quarter of a pixel of the searched picture is 0.75 pixels here.
    EXPECT_LE(std::max(std::abs(values[middle] - clip.dx), std::abs(values[plane + middle] - clip.dy)), 0.76);
  }
}

TEST(EstimatedStream, sees_frames_whose_field_nobody_needs) {
  const SyntheticClip clip{.path = "", .codec = "libx265", .frames = 6, .width = 200, .height = 150, .dx = 2, .dy = 1};
  const std::vector<video::Frame> frames = frames_of(clip);
  EstimatedStream stream;
  stream.see(frames[3]);
  EXPECT_GE(share_right(stream.field(frames[4]), clip), 0.95);
}

TEST(EstimatedStream, takes_a_picture_of_another_size_for_one_that_nothing_came_before) {
  const SyntheticClip small{.path = "", .codec = "libx265", .frames = 2, .width = 96, .height = 96, .dx = 2};
  const SyntheticClip large{.path = "", .codec = "libx265", .frames = 2, .width = 200, .height = 150, .dx = 2};
  EstimatedStream stream;
  stream.field(frames_of(small)[0]);
  const std::vector<video::Frame> frames = frames_of(large);
  const Tensor first = stream.field(frames[0]);
  EXPECT_TRUE(std::ranges::all_of(first.values<float>(), [](float value) { return value == 0; }));
  EXPECT_GE(share_right(stream.field(frames[1]), large), 0.95);
}

}  // namespace
}  // namespace actio::motion

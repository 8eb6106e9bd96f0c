#include "motion/vector_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/synthetic_clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"

namespace actio::motion {
namespace {

using testing::SyntheticClip;
using testing::TempDir;
using video::Frame;
using video::FrameType;

Frame frame_with(float dx, int width = 32, int height = 16) {
  Frame frame;
  frame.type = FrameType::kP;
  frame.width = width;
  frame.height = height;
  frame.vectors = {{0, 0, 16, 16, dx, -dx, -1}};
  return frame;
}

Frame key_frame(int width = 32, int height = 16) {
  Frame frame = frame_with(0, width, height);
  frame.type = FrameType::kI;
  frame.key = true;
  frame.vectors.clear();
  return frame;
}

TEST(VectorStream, carries_the_last_field_over_key_frames) {
  VectorStream stream(true);
  EXPECT_EQ(stream.field(key_frame()).values<float>()[0], 0);
  EXPECT_EQ(stream.field(frame_with(3)).values<float>()[0], 3);
  EXPECT_EQ(stream.field(key_frame()).values<float>()[0], 3);
  EXPECT_EQ(stream.field(key_frame()).values<float>()[0], 3);
  EXPECT_EQ(stream.field(frame_with(5)).values<float>()[0], 5);
}

TEST(VectorStream, gives_zero_for_key_frames_where_asked_to) {
  VectorStream stream(false);
  EXPECT_EQ(stream.field(frame_with(3)).values<float>()[0], 3);
  const Tensor field = stream.field(key_frame());
  EXPECT_EQ(field.shape(), (Shape{2, 4, 8}));
  EXPECT_TRUE(std::ranges::all_of(field.values<float>(), [](float value) { return value == 0; }));
}

TEST(VectorStream, takes_a_frame_without_any_vector_as_unknown_and_zero_vectors_as_rest) {
  VectorStream stream(true);
  stream.field(frame_with(3));
  Frame intra = frame_with(0);
  intra.vectors.clear();
  EXPECT_EQ(stream.field(intra).values<float>()[0], 3);
  EXPECT_EQ(stream.field(frame_with(0)).values<float>()[0], 0);
  EXPECT_EQ(stream.field(key_frame()).values<float>()[0], 0);
}

TEST(VectorStream, hands_out_fields_that_the_caller_may_change) {
  VectorStream stream(true);
  Tensor first = stream.field(frame_with(3));
  first.values<float>()[0] = 99;
  Tensor second = stream.field(key_frame());
  EXPECT_EQ(second.values<float>()[0], 3);
  second.values<float>()[0] = 99;
  EXPECT_EQ(stream.field(key_frame()).values<float>()[0], 3);
}

TEST(VectorStream, does_not_carry_a_field_over_to_another_size) {
  VectorStream stream(true);
  stream.field(frame_with(3));
  const Tensor field = stream.field(key_frame(64, 48));
  EXPECT_EQ(field.shape(), (Shape{2, 12, 16}));
  EXPECT_EQ(field.values<float>()[0], 0);
}

// The field of every frame of a clip that moves steadily, key frames included, shows that motion in the middle.
TEST(VectorStream, shows_a_steady_motion_on_every_frame_of_a_clip) {
  const TempDir dir;
  for (const auto& [codec, ending] : {std::pair{"libx264", "mp4"}, {"mpeg4", "avi"}, {"mpeg2video", "mpg"}}) {
    SyntheticClip clip;
    clip.path = dir / ("a." + std::string(ending));
    clip.codec = codec;
    clip.width = 160;
    clip.height = 128;
    clip.dx = 2;
    clip.dy = -1;
    clip.gop = 9;
    clip.quality = clip.codec == "libx264" ? 18 : 3;
    write_synthetic_clip(clip);
    video::DecoderOptions options;
    options.vectors = true;
    video::Decoder decoder(clip.path, options);
    VectorStream stream(true);
    std::int64_t frames = 0;
    while (const auto frame = decoder.next()) {
      const Tensor field = stream.field(*frame);
      ASSERT_EQ(field.shape(), (Shape{2, 32, 40}));
      if (frames++ == 0) continue;
      for (const int axis : {0, 1}) {
        std::vector<float> middle;
        for (std::int64_t row = 8; row < 28; ++row) {
          for (std::int64_t column = 4; column < 36; ++column) {
            middle.push_back(field.values<float>()[static_cast<std::size_t>((axis * 32 + row) * 40 + column)]);
          }
        }
        std::ranges::sort(middle);
        EXPECT_NEAR(middle[middle.size() / 2], axis == 0 ? 2 : -1, 0.25) << codec << " frame " << frame->index;
      }
    }
    EXPECT_EQ(frames, clip.frames);
  }
}

}  // namespace
}  // namespace actio::motion

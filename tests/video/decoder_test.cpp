#include "video/decoder.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "clip_tools.h"
#include "video/encoder.h"

namespace actio::video {
namespace {

SyntheticClip clip_at(const std::string& path, const std::string& codec) {
  SyntheticClip clip;
  clip.path = path;
  clip.codec = codec;
  clip.dx = 1.5;
  clip.dy = -0.5;
  if (codec != "libx264" && codec != "libx265") clip.quality = 3;
  return clip;
}

void expect_every_index(const std::vector<Frame>& frames, int count) {
  ASSERT_EQ(frames.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(frames[i].index, i);
    EXPECT_EQ(read_index(frames[i].rgb()), i);
    EXPECT_FALSE(frames[i].damaged) << i;
  }
}

TEST(Decoder, returns_every_frame_in_display_order_with_b_frames) {
  const TempDir dir;
  const std::pair<const char*, const char*> cases[] = {
      {"a.mp4", "libx264"},    {"a.mkv", "libx264"},    {"a.264", "libx264"},   {"a.mov", "mpeg4"},   {"b.avi", "mpeg4"},
      {"a.mpg", "mpeg2video"}, {"b.mpg", "mpeg1video"}, {"a.ts", "mpeg2video"}, {"h.mp4", "libx265"}, {"f.flv", "flv"},
  };
  for (const auto& [name, codec] : cases) {
    SCOPED_TRACE(name);
    SyntheticClip clip = clip_at(dir / name, codec);
    clip.b_frames = 3;
    if (clip.codec == "flv") clip.b_frames = 0;
    write_synthetic_clip(clip);
    for (const bool vectors : {false, true}) {
      if (vectors && clip.codec == "libx265") continue;
      const auto frames = decode_all(clip.path, vectors);
      expect_every_index(frames, clip.frames);
      EXPECT_TRUE(frames.front().key);
      for (std::size_t i = 1; i < frames.size(); ++i) EXPECT_GT(frames[i].time_seconds, frames[i - 1].time_seconds);
    }
  }
}

TEST(Decoder, really_meets_b_frames_in_those_clips) {
  const TempDir dir;
  for (const char* codec : {"libx264", "mpeg4"}) {
    const SyntheticClip clip = clip_at(dir / "a.mp4", codec);
    write_synthetic_clip(clip);
    int b_frames = 0;
    for (const Frame& frame : decode_all(clip.path)) b_frames += frame.type == FrameType::kB;
    EXPECT_GT(b_frames, 5) << codec;
  }
}

TEST(Decoder, gives_the_same_frames_with_several_threads) {
  const TempDir dir;
  SyntheticClip clip = clip_at(dir / "a.mp4", "libx264");
  clip.b_frames = 3;
  write_synthetic_clip(clip);
  const auto expected = decode_all(clip.path, true);
  DecoderOptions options;
  options.threads = 3;
  options.vectors = true;
  Decoder decoder(clip.path, options);
  for (const Frame& wanted : expected) {
    const auto frame = decoder.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(read_index(frame->rgb()), wanted.index);
    ASSERT_EQ(frame->vectors.size(), wanted.vectors.size()) << wanted.index;
    for (std::size_t i = 0; i < wanted.vectors.size(); ++i) EXPECT_EQ(frame->vectors[i].dx, wanted.vectors[i].dx);
  }
  EXPECT_FALSE(decoder.next());
}

TEST(Decoder, gives_exact_timestamps) {
  const TempDir dir;
  SyntheticClip clip = clip_at(dir / "a.mp4", "libx264");
  clip.frames_per_second = 30;
  write_synthetic_clip(clip);
  for (const bool vectors : {false, true}) {
    const auto frames = decode_all(clip.path, vectors);
    ASSERT_EQ(frames.size(), 24U);
    for (int i = 0; i < 24; ++i) {
      EXPECT_EQ(frames[i].pts, i * (frames[1].pts - frames[0].pts));
      EXPECT_DOUBLE_EQ(frames[i].time_seconds, i / 30.0);
    }
  }
}

TEST(Decoder, gives_exact_timestamps_of_a_variable_frame_rate) {
  const TempDir dir;
  EncoderOptions options;
  options.width = 128;
  options.height = 96;
  options.frames_per_second = 1000;
  const SyntheticClip texture;
  const std::vector<int> ticks{0, 33, 66, 100, 400, 401, 433, 1500, 1533, 1566};
  Encoder encoder(dir / "vfr.mp4", options);
  for (std::size_t i = 0; i < ticks.size(); ++i)
    encoder.write_at(testing::synthetic_frame(texture, static_cast<int>(i)), ticks[i]);
  encoder.close();
  const auto frames = decode_all(dir / "vfr.mp4");
  ASSERT_EQ(frames.size(), ticks.size());
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    EXPECT_EQ(read_index(frames[i].rgb()), static_cast<std::int64_t>(i));
    EXPECT_NEAR(frames[i].time_seconds, ticks[i] / 1000.0, 1e-9);
  }
}

TEST(Decoder, keeps_odd_sizes_to_the_last_pixel) {
  const TempDir dir;
  const std::tuple<const char*, const char*, int, int> cases[] = {{"a.avi", "mpeg4", 131, 99},
                                                                  {"b.mp4", "mpeg4", 65, 17},
                                                                  {"c.mp4", "libx264", 130, 98},
                                                                  {"d.mkv", "mpeg2video", 97, 79}};
  for (const auto& [name, codec, width, height] : cases) {
    SCOPED_TRACE(name);
    SyntheticClip clip = clip_at(dir / name, codec);
    clip.width = width;
    clip.height = height;
    clip.quality = codec == std::string("libx264") ? 8 : 2;
    clip.frames = 9;
    write_synthetic_clip(clip);
    Decoder decoder(clip.path);
    EXPECT_EQ(decoder.info().width, width);
    EXPECT_EQ(decoder.info().height, height);
    while (const auto frame = decoder.next()) {
      const Tensor rgb = frame->rgb();
      const Tensor expected = testing::synthetic_frame(clip, static_cast<int>(frame->index));
      ASSERT_EQ(rgb.shape(), expected.shape());
      // The last column and row hold the picture and not what lies behind its edge.
      double column_error = 0, row_error = 0;
      const auto difference = [&](int y, int x) {
        const std::int64_t at = (static_cast<std::int64_t>(y) * width + x) * 3 + 1;
        return std::abs(rgb.data<std::uint8_t>()[at] - expected.data<std::uint8_t>()[at]);
      };
      for (int y = 0; y < height; ++y) column_error += difference(y, width - 1);
      for (int x = 0; x < width; ++x) row_error += difference(height - 1, x);
      EXPECT_LT(column_error / height, 12) << frame->index;
      EXPECT_LT(row_error / width, 12) << frame->index;
    }
  }
}

TEST(Decoder, turns_pictures_as_the_container_says) {
  const TempDir dir;
  SyntheticClip clip = clip_at(dir / "plain.mp4", "libx264");
  clip.frames = 3;
  write_synthetic_clip(clip);
  const Tensor plain = decode_all(clip.path).at(1).rgb();
  const std::int64_t width = clip.width, height = clip.height;
  for (const int degrees : {90, 180, 270}) {
    SCOPED_TRACE(degrees);
    clip.path = dir / "turned.mp4";
    clip.rotation_degrees = degrees;
    write_synthetic_clip(clip);
    Decoder decoder(clip.path);
    EXPECT_EQ(decoder.info().orientation.degrees, degrees);
    EXPECT_EQ(decoder.info().width, degrees == 180 ? width : height);
    EXPECT_EQ(decoder.info().height, degrees == 180 ? height : width);
    const auto frames = decode_all(clip.path);
    const Tensor turned = frames.at(1).rgb();
    ASSERT_EQ(turned.shape(), (Shape{frames[1].height, frames[1].width, 3}));
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        // Clockwise: the top left corner goes to the top right, then to the bottom right, then to the bottom left.
        const std::int64_t ty = degrees == 90 ? x : degrees == 180 ? height - 1 - y : width - 1 - x;
        const std::int64_t tx = degrees == 90 ? height - 1 - y : degrees == 180 ? width - 1 - x : y;
        ASSERT_EQ(turned.data<std::uint8_t>()[(ty * turned.dim(1) + tx) * 3],
                  plain.data<std::uint8_t>()[(y * width + x) * 3]);
      }
    }
  }
}

TEST(Decoder, opens_an_image_as_a_video_of_one_frame) {
  const TempDir dir;
  const std::pair<const char*, const char*> cases[] = {{"a.png", "png"}, {"a.bmp", "bmp"}, {"a.jpg", "mjpeg"}};
  for (const auto& [name, codec] : cases) {
    SCOPED_TRACE(name);
    SyntheticClip clip = clip_at(dir / name, codec);
    clip.frames = 1;
    clip.width = 101;
    clip.height = 67;
    clip.b_frames = 0;
    write_synthetic_clip(clip);
    const auto frames = decode_all(clip.path);
    ASSERT_EQ(frames.size(), 1U);
    const Tensor rgb = frames[0].rgb();
    EXPECT_EQ(rgb.shape(), (Shape{67, 101, 3}));
    EXPECT_EQ(read_index(rgb), 0);
    if (std::string(codec) == "mjpeg") continue;
    const Tensor expected = testing::synthetic_frame(clip, 0);
    EXPECT_TRUE(std::ranges::equal(rgb.values<std::uint8_t>(), expected.values<std::uint8_t>()))
        << "lossless, but not the same";
  }
}

TEST(Decoder, gives_colours_back) {
  const TempDir dir;
  EncoderOptions options;
  options.width = 64;
  options.height = 48;
  options.quality = 5;
  const std::uint8_t colour[3] = {200, 60, 30};
  Tensor rgb({48, 64, 3}, DType::kU8);
  for (std::int64_t i = 0; i < rgb.numel(); ++i) rgb.data<std::uint8_t>()[i] = colour[i % 3];
  Encoder encoder(dir / "a.mp4", options);
  encoder.write(rgb);
  encoder.close();
  const auto frames = decode_all(dir / "a.mp4");
  ASSERT_EQ(frames.size(), 1U);
  const Tensor back = frames[0].rgb();
  for (std::int64_t i = 0; i < back.numel(); ++i) ASSERT_NEAR(back.data<std::uint8_t>()[i], colour[i % 3], 4) << i;
}

TEST(Decoder, describes_the_stream_and_counts) {
  const TempDir dir;
  const SyntheticClip clip = clip_at(dir / "a b:c%d.mp4", "libx264");
  write_synthetic_clip(clip);
  Decoder decoder(clip.path);
  EXPECT_EQ(decoder.info().path, clip.path);
  EXPECT_EQ(decoder.info().codec, "h264");
  EXPECT_THAT(decoder.info().codec_long_name, ::testing::HasSubstr("H.264"));
  EXPECT_THAT(decoder.info().container, ::testing::HasSubstr("mp4"));
  EXPECT_DOUBLE_EQ(decoder.info().frames_per_second, 25);
  EXPECT_NEAR(decoder.info().duration_seconds, 24 / 25.0, 1e-6);
  EXPECT_EQ(decoder.info().frames_claimed, 24);
  EXPECT_TRUE(decoder.info().carries_vectors);
  while (decoder.next()) {
  }
  EXPECT_EQ(decoder.counters().packets, 24);
  EXPECT_EQ(decoder.counters().frames, 24);
  EXPECT_EQ(decoder.counters().damaged, 0);
  EXPECT_EQ(decoder.counters().errors, 0);
  EXPECT_FALSE(decoder.next());
}

}  // namespace
}  // namespace actio::video

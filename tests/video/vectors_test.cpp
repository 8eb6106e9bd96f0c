#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <tuple>
#include <utility>

#include "clip_tools.h"
#include "video/encoder.h"

namespace actio::video {
namespace {

constexpr int kMargin = 16;  // blocks at the border see texture that was not there before

struct Case {
  const char* name;
  const char* codec;
  const char* ending;
  int b_frames;
  int references;
  std::vector<std::string> options;
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

SyntheticClip clip_of(const Case& value, const TempDir& dir, double dx, double dy) {
  SyntheticClip clip;
  clip.path = dir / ("a." + std::string(value.ending));
  clip.codec = value.codec;
  clip.frames = 25;
  clip.width = 176;
  clip.height = 144;
  clip.dx = dx;
  clip.dy = dy;
  clip.b_frames = value.b_frames;
  clip.references = value.references;
  clip.codec_options = value.options;
  if (clip.codec != "libx264")
    clip.quality = clip.codec.find("mpeg") == std::string::npos || clip.codec.starts_with("ms") ? 8 : 3;
  return clip;
}

bool moves_with_the_texture(const BlockVector& block, const SyntheticClip& clip) {
  if (block.x < testing::kIndexWidth + kMargin && block.y < testing::kIndexHeight + kMargin) return false;
  return block.x >= kMargin && block.y >= kMargin && block.x + block.width <= clip.width - kMargin &&
         block.y + block.height <= clip.height - kMargin;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Motion {
  std::vector<double> dx, dy;
  std::int64_t frames = 0, frames_with_vectors = 0;
  std::int64_t wrong = 0;  // blocks more than half a pixel from the truth
};

// What the vectors of all frames of one type say, away from the borders.
Motion measured(const SyntheticClip& clip, FrameType type) {
  Motion motion;
  for (const Frame& frame : decode_all(clip.path, true)) {
    if (frame.key || frame.type != type) continue;
    ++motion.frames;
    motion.frames_with_vectors += !frame.vectors.empty();
    for (const BlockVector& block : frame.vectors) {
      if (!moves_with_the_texture(block, clip)) continue;
      motion.dx.push_back(block.dx);
      motion.dy.push_back(block.dy);
      motion.wrong += std::hypot(block.dx - clip.dx, block.dy - clip.dy) > 0.5;
    }
  }
  return motion;
}

class Vectors : public ::testing::TestWithParam<Case> {};

TEST_P(Vectors, show_the_known_motion_of_the_texture_on_p_and_b_frames) {
  const TempDir dir;
  for (const auto& [dx, dy] : {std::pair{2.0, 0.0}, {-3.0, 4.0}, {0.25, -1.5}, {-1.25, 0.75}, {3.75, -2.25}, {0.0, 0.0}}) {
    const SyntheticClip clip = clip_of(GetParam(), dir, dx, dy);
    if (std::hypot(dx, dy) * (clip.b_frames + 1) > 48) continue;  // further than the encoder searches
    write_synthetic_clip(clip);
    for (const FrameType type : {FrameType::kP, FrameType::kB}) {
      if (type == FrameType::kB && clip.b_frames == 0) continue;
      SCOPED_TRACE(fmt::format("({}, {}) {}-frames", dx, dy, type == FrameType::kP ? "P" : "B"));
      const Motion motion = measured(clip, type);
      ASSERT_GT(motion.frames, 1);
      ASSERT_GT(motion.dx.size(), 40U);
      EXPECT_NEAR(median(motion.dx), dx, 0.25);
      EXPECT_NEAR(median(motion.dy), dy, 0.25);
      EXPECT_LT(static_cast<double>(motion.wrong), 0.04 * static_cast<double>(motion.dx.size()));
    }
  }
}

// Names tell what each row is for; "b" and "r" are B-frames in a row and references.
INSTANTIATE_TEST_SUITE_P(
    Codecs, Vectors,
    ::testing::Values(
        Case{"h264_p_only", "libx264", "mp4", 0, 1, {}}, Case{"h264_p_only_r4", "libx264", "mp4", 0, 4, {}},
        Case{"h264_r16_veryslow", "libx264", "mp4", 0, 16, {"preset=veryslow"}},
        Case{"h264_b3_r1", "libx264", "mp4", 3, 1, {"b-pyramid=none", "b_strategy=0"}},
        Case{"h264_b3_r1_strict_pyramid", "libx264", "mp4", 3, 1, {"b-pyramid=strict", "b_strategy=0"}},
        Case{"h264_b3_r4", "libx264", "mp4", 3, 4, {"b-pyramid=none", "b_strategy=0"}},
        Case{"h264_b3_r4_pyramid", "libx264", "mp4", 3, 4, {"b-pyramid=normal", "b_strategy=0"}},
        Case{"h264_defaults_of_the_encoder", "libx264", "mp4", 3, 3, {}},
        Case{"h264_annex_b", "libx264", "264", 3, 4, {"b_strategy=0"}},
        Case{"h264_mpegts", "libx264", "ts", 3, 4, {"b_strategy=0"}},
        Case{"h264_cavlc_temporal_direct", "libx264", "mkv", 3, 2, {"coder=vlc", "direct-pred=temporal", "b_strategy=0"}},
        Case{"h264_b7", "libx264", "mp4", 7, 3, {"b_strategy=0"}},
        Case{"h264_b16", "libx264", "mp4", 16, 3, {"b_strategy=0", "g=50"}}, Case{"mpeg4_p_only", "mpeg4", "avi", 0, 1, {}},
        Case{"mpeg4_b2", "mpeg4", "avi", 2, 1, {}},
        Case{"mpeg4_b2_quarter_pixel_4mv", "mpeg4", "mp4", 2, 1, {"flags=+qpel+mv4"}},
        Case{"mpeg2_p_only", "mpeg2video", "mpg", 0, 1, {}}, Case{"mpeg2_b2", "mpeg2video", "mpg", 2, 1, {}},
        Case{"mpeg1_b2", "mpeg1video", "mpg", 2, 1, {}}, Case{"h263", "h263", "avi", 0, 1, {}},
        Case{"h263_plus", "h263p", "avi", 0, 1, {}}, Case{"flv1", "flv", "flv", 0, 1, {}},
        Case{"msmpeg4_v2", "msmpeg4v2", "avi", 0, 1, {}}, Case{"msmpeg4_v3", "msmpeg4", "avi", 0, 1, {}},
        Case{"wmv1", "wmv1", "asf", 0, 1, {}}, Case{"wmv2", "wmv2", "asf", 0, 1, {}}),
    [](const auto& row) { return row.param.name; });

TEST(VectorsOfStillPictures, are_zero_and_present_where_blocks_are_skipped) {
  const TempDir dir;
  for (const auto& [codec, ending] :
       {std::pair{"libx264", "mp4"}, {"mpeg4", "avi"}, {"mpeg2video", "mpg"}, {"mpeg1video", "mpg"}}) {
    SCOPED_TRACE(codec);
    EncoderOptions options;
    options.codec = codec;
    options.width = 128;
    options.height = 96;
    options.b_frames = 0;
    options.quality = options.codec == "libx264" ? 30 : 10;
    const std::string path = dir / ("still." + std::string(ending));
    SyntheticClip texture;
    Encoder encoder(path, options);
    for (int i = 0; i < 10; ++i) encoder.write(testing::synthetic_frame(texture, 0));
    encoder.close();
    const auto frames = decode_all(path, true);
    ASSERT_EQ(frames.size(), 10U);
    for (const Frame& frame : frames) {
      if (frame.key) {
        EXPECT_TRUE(frame.vectors.empty());
        continue;
      }
      // FFmpeg exports none for the reference that it hands out at the end of an MPEG-1 or MPEG-2 stream.
      if (options.codec.starts_with("mpeg") && options.codec != "mpeg4" && frame.index == 9) continue;
      // Nearly every macroblock (some may be intra), so that an empty list can mean "unknown".
      std::int64_t area = 0;
      for (const BlockVector& block : frame.vectors) {
        area += block.width * block.height;
        EXPECT_EQ(block.dx, 0);
        EXPECT_EQ(block.dy, 0);
      }
      EXPECT_GT(area, 128 * 96 * 9 / 10) << frame.index;
    }
  }
}

TEST(VectorsOfP264, are_divided_by_the_distance_to_the_reference_that_was_used) {
  const TempDir dir;
  // Two textures take turns, so that the frame before the previous one is what fits.
  SyntheticClip textures[2];
  textures[1].seed = 77;
  EncoderOptions options;
  options.width = 176;
  options.height = 144;
  options.b_frames = 0;
  options.references = 4;
  options.quality = 18;
  options.gop = 50;
  Encoder encoder(dir / "a.mp4", options);
  for (int i = 0; i < 20; ++i) {
    SyntheticClip& texture = textures[i % 2];
    texture.width = 176;
    texture.height = 144;
    texture.dx = 2;
    texture.dy = 1;
    encoder.write(testing::synthetic_frame(texture, i));
  }
  encoder.close();
  textures[0].path = dir / "a.mp4";
  std::vector<double> dx, dy;
  for (const Frame& frame : decode_all(dir / "a.mp4", true)) {
    if (frame.index < 2) continue;
    for (const BlockVector& block : frame.vectors) {
      if (!moves_with_the_texture(block, textures[0])) continue;
      dx.push_back(block.dx);
      dy.push_back(block.dy);
    }
  }
  ASSERT_GT(dx.size(), 300U);
  EXPECT_NEAR(median(dx), 2, 0.1);
  EXPECT_NEAR(median(dy), 1, 0.1);
}

TEST(VectorsOfBlocks, lie_on_the_block_and_say_their_direction) {
  const TempDir dir;
  SyntheticClip clip = clip_of({"", "libx264", "mp4", 3, 2, {"b_strategy=0"}}, dir, 2, 1);
  write_synthetic_clip(clip);
  bool past = false, future = false;
  for (const Frame& frame : decode_all(clip.path, true)) {
    for (const BlockVector& block : frame.vectors) {
      EXPECT_TRUE(block.width == 8 || block.width == 16);
      EXPECT_EQ(block.x % 8, 0);
      EXPECT_EQ(block.y % 8, 0);
      EXPECT_TRUE(block.x >= 0 && block.y >= 0 && block.x < clip.width && block.y < clip.height);
      EXPECT_TRUE(frame.type == FrameType::kB || block.direction == -1);
      (block.direction < 0 ? past : future) = true;
    }
  }
  EXPECT_TRUE(past && future);
}

TEST(VectorsOfTurnedVideos, turn_with_the_picture) {
  const TempDir dir;
  for (const int degrees : {0, 90, 180, 270}) {
    SCOPED_TRACE(degrees);
    SyntheticClip clip = clip_of({"", "libx264", "mp4", 2, 1, {}}, dir, 3, 1);
    clip.rotation_degrees = degrees;
    write_synthetic_clip(clip);
    const double wanted_x = degrees == 0 ? 3 : degrees == 90 ? -1 : degrees == 180 ? -3 : 1;
    const double wanted_y = degrees == 0 ? 1 : degrees == 90 ? 3 : degrees == 180 ? -1 : -3;
    const auto plain = [&] {
      SyntheticClip upright = clip;
      upright.rotation_degrees = 0;
      upright.path = dir / "plain.mp4";
      write_synthetic_clip(upright);
      return decode_all(upright.path, true);
    }();
    const auto frames = decode_all(clip.path, true);
    std::vector<double> dx, dy;
    for (const Frame& frame : frames) {
      const auto& before = plain.at(static_cast<std::size_t>(frame.index)).vectors;
      ASSERT_EQ(frame.vectors.size(), before.size());
      for (std::size_t i = 0; i < before.size(); ++i) {
        const BlockVector& block = frame.vectors[i];
        if (!moves_with_the_texture(before[i], clip)) continue;
        dx.push_back(block.dx);
        dy.push_back(block.dy);
        // The centre of the block, turned by hand.
        const double x = before[i].x + before[i].width / 2.0, y = before[i].y + before[i].height / 2.0;
        const double tx = degrees == 0 ? x : degrees == 90 ? clip.height - y : degrees == 180 ? clip.width - x : y;
        const double ty = degrees == 0 ? y : degrees == 90 ? x : degrees == 180 ? clip.height - y : clip.width - x;
        EXPECT_EQ(block.x + block.width / 2.0, tx);
        EXPECT_EQ(block.y + block.height / 2.0, ty);
      }
    }
    EXPECT_NEAR(median(dx), wanted_x, 0.1);
    EXPECT_NEAR(median(dy), wanted_y, 0.1);
  }
}

TEST(VectorsOfVideosWithoutAny, are_refused_with_the_codec_and_the_way_out) {
  const TempDir dir;
  for (const auto& [codec, name, ending] :
       {std::tuple{"libx265", "HEVC", "mp4"}, {"libvpx-vp9", "VP9", "webm"}, {"mjpeg", "Motion JPEG", "avi"}}) {
    SyntheticClip clip;
    clip.codec = codec;
    clip.frames = 4;
    clip.path = dir / ("a." + std::string(ending));
    clip.quality = 8;
    write_synthetic_clip(clip);
    EXPECT_FALSE(Decoder(clip.path).info().carries_vectors);
    const Error error = error_of([&] { decode_all(clip.path, true); });
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_THAT(error.what(), ::testing::StartsWith(clip.path + ": " + name));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("rgbdiff or flow"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("H.264"));
    EXPECT_EQ(decode_all(clip.path).size(), 4U);
  }
}

}  // namespace
}  // namespace actio::video

// Motion vectors of videos that are coded as fields: both kinds of content (each field its own moment, or both of one
// frame).
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

#include "clip_tools.h"
#include "field_streams.h"
#include "video/encoder.h"
#include "video/examine.h"

namespace actio::video {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

enum class Content { kFilm, kTopFirst, kBottomFirst };

struct Case {
  const char* name;
  const char* codec;
  const char* ending;
  int b_frames;
  int references;
  Content content;
  std::vector<std::string> options;
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

constexpr int kWidth = 176, kHeight = 160, kFrames = 16, kMargin = 32;

struct Motion {
  double dx, dy;
};

// The lines of one parity show the texture half a frame later than the others.
Tensor woven(const SyntheticClip& clip, int index, Content content) {
  if (content == Content::kFilm) return testing::synthetic_frame(clip, index);
  SyntheticClip halves = clip;
  halves.dx /= 2;
  halves.dy /= 2;
  Tensor frame = testing::synthetic_frame(halves, 2 * index);
  const Tensor later = testing::synthetic_frame(halves, 2 * index + 1);
  const std::int64_t row = 3 * clip.width;
  for (std::int64_t y = content == Content::kTopFirst ? 1 : 0; y < clip.height; y += 2) {
    std::copy_n(later.data<std::uint8_t>() + y * row, row, frame.data<std::uint8_t>() + y * row);
  }
  return frame;
}

std::string write_clip(const Case& value, const TempDir& dir, Motion motion) {
  SyntheticClip clip;
  clip.width = kWidth;
  clip.height = kHeight;
  clip.dx = motion.dx;
  clip.dy = motion.dy;
  EncoderOptions options;
  options.codec = value.codec;
  options.width = kWidth;
  options.height = kHeight;
  options.b_frames = value.b_frames;
  options.references = value.references;
  options.quality = options.codec == "libx264" ? 20 : 3;
  options.codec_options = value.options;
  const std::string path = dir / ("a." + std::string(value.ending));
  Encoder encoder(path, options);
  for (int i = 0; i < kFrames; ++i) encoder.write(woven(clip, i, value.content));
  encoder.close();
  return path;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// What the vectors of all frames of one type say, away from the borders, where texture comes in.
struct Measured {
  std::vector<double> dx, dy;
  std::size_t wrong = 0;               // more than half a pixel from the truth
  std::size_t known = 0, unknown = 0;  // blocks, borders included
  std::size_t frames = 0;
};

Measured measured(const std::string& path, FrameType type, Motion motion) {
  Measured result;
  for (const Frame& frame : decode_all(path, true)) {
    if (frame.key || frame.type != type) continue;
    ++result.frames;
    result.known += frame.vectors.size();
    result.unknown += static_cast<std::size_t>(frame.unknown_blocks);
    for (const BlockVector& block : frame.vectors) {
      if (block.x < kMargin || block.y < kMargin || block.x + block.width > kWidth - kMargin ||
          block.y + block.height > kHeight - kMargin) {
        continue;
      }
      result.dx.push_back(block.dx);
      result.dy.push_back(block.dy);
      result.wrong += std::hypot(block.dx - motion.dx, block.dy - motion.dy) > 0.5;
    }
  }
  return result;
}

void expect_motion(const Measured& measured, Motion motion) {
  ASSERT_GT(measured.dx.size(), 40U);
  EXPECT_NEAR(median(measured.dx), motion.dx, 0.25);
  EXPECT_NEAR(median(measured.dy), motion.dy, 0.25);
  EXPECT_LT(static_cast<double>(measured.wrong), 0.08 * static_cast<double>(measured.dx.size()));
}

class InterlacedVectors : public ::testing::TestWithParam<Case> {};

TEST_P(InterlacedVectors, show_the_known_motion_of_the_texture_on_p_and_b_frames) {
  const TempDir dir;
  for (const Motion motion : {Motion{0, 6}, {4, -3}, {-2, 1}, {3, 0}, {0.5, 2.5}, {0, 0}}) {
    if (std::hypot(motion.dx, motion.dy) * (GetParam().b_frames + 1) > 16) continue;  // further than the encoder searches
    const std::string path = write_clip(GetParam(), dir, motion);
    EXPECT_THAT(examine(path).findings, Not(Contains(HasSubstr("interlaced"))));
    for (const FrameType type : {FrameType::kP, FrameType::kB}) {
      if (type == FrameType::kB && GetParam().b_frames == 0) continue;
      SCOPED_TRACE(fmt::format("({}, {}) {}-frames", motion.dx, motion.dy, type == FrameType::kP ? "P" : "B"));
      const Measured result = measured(path, type, motion);
      expect_motion(result, motion);
      EXPECT_LT(static_cast<double>(result.unknown), 0.2 * static_cast<double>(result.known));
    }
  }
}

const std::vector<std::string> kFields{"flags=+ildct+ilme"};

INSTANTIATE_TEST_SUITE_P(
    Codecs, InterlacedVectors,
    ::testing::Values(Case{"h264_tff_p", "libx264", "mp4", 0, 1, Content::kTopFirst, {"x264opts=tff=1"}},
                      Case{"h264_tff_film_p", "libx264", "mp4", 0, 1, Content::kFilm, {"x264opts=tff=1"}},
                      Case{"h264_tff_b_r1", "libx264", "mp4", 2, 1, Content::kTopFirst, {"x264opts=tff=1", "b_strategy=0"}},
                      Case{"h264_bff_p_r3", "libx264", "mkv", 0, 3, Content::kBottomFirst, {"x264opts=bff=1"}},
                      Case{
                          "h264_bff_b_r4", "libx264", "ts", 3, 4, Content::kBottomFirst, {"x264opts=bff=1", "b_strategy=0"}},
                      Case{"h264_bff_film_b_r4", "libx264", "264", 3, 4, Content::kFilm, {"x264opts=bff=1", "b_strategy=0"}},
                      Case{"h264_tff_temporal",
                           "libx264",
                           "mp4",
                           2,
                           2,
                           Content::kTopFirst,
                           {"x264opts=tff=1", "b_strategy=0", "direct-pred=temporal", "coder=vlc"}},
                      Case{"mpeg4_p", "mpeg4", "avi", 0, 1, Content::kBottomFirst, kFields},
                      Case{"mpeg4_film_p", "mpeg4", "avi", 0, 1, Content::kFilm, kFields},
                      Case{"mpeg4_b2", "mpeg4", "mp4", 2, 1, Content::kBottomFirst, kFields},
                      Case{"mpeg4_film_b2", "mpeg4", "mp4", 2, 1, Content::kFilm, kFields},
                      Case{"mpeg4_qpel_4mv", "mpeg4", "avi", 0, 1, Content::kBottomFirst, {"flags=+ildct+ilme+qpel+mv4"}},
                      Case{"mpeg4_film_qpel_4mv_b2", "mpeg4", "avi", 2, 1, Content::kFilm, {"flags=+ildct+ilme+qpel+mv4"}},
                      Case{"mpeg2_p", "mpeg2video", "mpg", 0, 1, Content::kBottomFirst, kFields},
                      Case{"mpeg2_film_p", "mpeg2video", "mpg", 0, 1, Content::kFilm, kFields},
                      Case{"mpeg2_b2", "mpeg2video", "mpg", 2, 1, Content::kBottomFirst, kFields},
                      Case{"mpeg2_film_b2", "mpeg2video", "ts", 2, 1, Content::kFilm, kFields}),
    [](const auto& row) { return row.param.name; });

// The texture, moving by `motion`, and how each field is predicted from the one that is asked for.
FieldStream field_stream(Content content, Motion motion, std::array<FieldPrediction, 4> wanted) {
  SyntheticClip clip;
  clip.width = kWidth;
  clip.height = kHeight;
  clip.dx = motion.dx;
  clip.dy = motion.dy;
  FieldStream stream;
  stream.first = woven(clip, 0, content);
  stream.bottom_first = content == Content::kBottomFirst;
  const double between = content == Content::kFilm ? 0 : stream.bottom_first ? -0.5 : 0.5;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    FieldPrediction prediction = wanted[i];
    const int parity = static_cast<int>(i % 2);
    const double time = prediction.frames + (prediction.same_parity ? 0 : (2 * parity - 1) * between);
    prediction.motion_x = -motion.dx * time;
    prediction.motion_y = -motion.dy * time;
    stream.predictions[i / 2][i % 2] = prediction;
  }
  return stream;
}

constexpr FieldPrediction kOwn{true, 1, 0, 0}, kOther{false, 1, 0, 0}, kSameFrame{false, 0, 0, 0},
    kOwnBeforeLast{true, 2, 0, 0}, kOtherBeforeLast{false, 2, 0, 0};
constexpr Motion kDiagonal{4, 2};

// The predictions of the top and the bottom field, then those of the frame after.
using Predictions = std::array<FieldPrediction, 4>;

TEST(VectorsOfFieldPictures, of_h264_show_the_motion_whichever_field_they_refer_to) {
  const TempDir dir;
  for (const auto& [content, wanted] : {std::pair{Content::kTopFirst, Predictions{kOwn, kOwn, kOwn, kOwn}},
                                        {Content::kTopFirst, {kOther, kSameFrame, kOther, kSameFrame}},
                                        {Content::kTopFirst, {kOwn, kOther, kOther, kOwn}},
                                        {Content::kTopFirst, {kOwn, kSameFrame, kOwnBeforeLast, kOwn}},
                                        {Content::kBottomFirst, {kSameFrame, kOther, kSameFrame, kOther}},
                                        {Content::kBottomFirst, {kOther, kOwn, kOwn, kOwnBeforeLast}},
                                        {Content::kFilm, {kOwn, kOwn, kOther, kOther}},
                                        {Content::kFilm, {kOther, kOwn, kOtherBeforeLast, kOther}}}) {
    write_h264_fields(dir / "a.264", field_stream(content, kDiagonal, wanted));
    const Measured result = measured(dir / "a.264", FrameType::kP, kDiagonal);
    SCOPED_TRACE(
        fmt::format("content {}, {} of {} blocks unknown", static_cast<int>(content), result.unknown, result.known));
    EXPECT_EQ(result.frames, 6U);
    expect_motion(result, kDiagonal);
    EXPECT_LT(result.unknown, result.known / 4);
  }
}

// Both fields of a film's frame are one moment: what the second says about the first is no motion.
TEST(VectorsOfFieldPictures, that_refer_to_the_same_moment_are_left_out) {
  const TempDir dir;
  write_h264_fields(dir / "a.264", field_stream(Content::kFilm, kDiagonal, {kOwn, kSameFrame, kOwn, kSameFrame}));
  const Measured result = measured(dir / "a.264", FrameType::kP, kDiagonal);
  expect_motion(result, kDiagonal);
  EXPECT_LT(result.known, result.frames * (kWidth / 16) * (kHeight / 16) * 6 / 10);
  EXPECT_EQ(result.unknown, 0U);
  EXPECT_THAT(examine(dir / "a.264").findings, Not(Contains(HasSubstr("interlaced"))));
}

TEST(VectorsOfFieldPictures, that_no_pixel_tells_are_unknown_and_said_to_be) {
  const TempDir dir;
  FieldStream stream = field_stream(Content::kTopFirst, kDiagonal, {kOwn, kOther, kOther, kOwn});
  std::fill_n(stream.first.data<std::uint8_t>(), stream.first.numel(), std::uint8_t{90});
  write_h264_fields(dir / "a.264", stream);
  const Measured result = measured(dir / "a.264", FrameType::kP, kDiagonal);
  EXPECT_EQ(result.known, 0U);
  EXPECT_GT(result.unknown, 0U);
  EXPECT_THAT(examine(dir / "a.264").findings, Contains(HasSubstr("interlaced")));
}

TEST(VectorsOfFieldPictures, of_mpeg2_show_the_motion_whichever_field_they_refer_to) {
  const TempDir dir;
  for (const auto& [content, wanted] : {std::pair{Content::kTopFirst, Predictions{kOwn, kOwn, kOwn, kOwn}},
                                        {Content::kTopFirst, {kOther, kSameFrame, kOwn, kSameFrame}},
                                        {Content::kBottomFirst, {kSameFrame, kOther, kOwn, kOwn}},
                                        {Content::kFilm, {kOwn, kOwn, kOther, kOwn}}}) {
    write_mpeg2_fields(dir / "a.m2v", field_stream(content, kDiagonal, wanted), dir);
    const Measured result = measured(dir / "a.m2v", FrameType::kP, kDiagonal);
    SCOPED_TRACE(
        fmt::format("content {}, {} of {} blocks unknown", static_cast<int>(content), result.unknown, result.known));
    EXPECT_EQ(result.frames, 6U);
    expect_motion(result, kDiagonal);
    EXPECT_LT(result.unknown, result.known / 4);
  }
}

TEST(VectorsOfDualPrime, show_the_motion) {
  const TempDir dir;
  for (const Content content : {Content::kTopFirst, Content::kBottomFirst}) {
    write_mpeg2_dual_prime(dir / "a.m2v", field_stream(content, kDiagonal, {kOwn, kOwn, kOwn, kOwn}), dir);
    const Measured result = measured(dir / "a.m2v", FrameType::kP, kDiagonal);
    EXPECT_EQ(result.frames, 6U);
    expect_motion(result, kDiagonal);
  }
}

}  // namespace
}  // namespace actio::video

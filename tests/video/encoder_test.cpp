#include "video/encoder.h"

#include <gmock/gmock.h>

#include <cstring>

#include "clip_tools.h"

namespace actio::video {
namespace {

using ::testing::HasSubstr;

TEST(Encoder, gives_the_same_file_for_the_same_frames) {
  const TempDir dir;
  const std::pair<const char*, const char*> cases[] = {{"mp4", "libx264"},    {"mkv", "libx264"},    {"avi", "mpeg4"},
                                                       {"mpg", "mpeg2video"}, {"mpg", "mpeg1video"}, {"mp4", "libx265"}};
  for (const auto& [ending, codec] : cases) {
    SyntheticClip clip;
    clip.codec = codec;
    clip.dx = 1;
    clip.path = dir / ("a." + std::string(ending));
    write_synthetic_clip(clip);
    const std::string first = read_bytes(clip.path);
    write_synthetic_clip(clip);
    EXPECT_GT(first.size(), 1000U);
    EXPECT_TRUE(first == read_bytes(clip.path)) << codec << " in " << ending;
  }
}

TEST(Encoder, looks_at_no_pixel_behind_an_odd_row) {
  const TempDir dir;
  constexpr int kWidth = 33, kHeight = 17, kBytes = kWidth * kHeight * 3;
  const auto file = [&](std::uint8_t behind) {
    EncoderOptions options;
    options.codec = "mpeg4";
    options.width = kWidth;
    options.height = kHeight;
    Encoder encoder(dir / "a.avi", options);
    // A frame in the middle of more memory.
    Tensor memory({2, kHeight, kWidth, 3}, DType::kU8);
    std::memset(memory.raw(), 90, kBytes);
    std::memset(memory.raw() + kBytes, behind, kBytes);
    for (int i = 0; i < kBytes; ++i) memory.data<std::uint8_t>()[i + kBytes] = static_cast<std::uint8_t>(behind * (i % 3));
    for (int t = 0; t < 3; ++t) encoder.write(memory.rows(0, 1).reshaped({kHeight, kWidth, 3}));
    encoder.close();
    return read_bytes(dir / "a.avi");
  };
  EXPECT_TRUE(file(0) == file(120));
}

TEST(Encoder, puts_key_frames_where_the_gop_says) {
  const TempDir dir;
  SyntheticClip clip;
  clip.path = dir / "a.mp4";
  clip.gop = 7;
  clip.frames = 22;
  write_synthetic_clip(clip);
  for (const Frame& frame : decode_all(clip.path)) EXPECT_EQ(frame.key, frame.index % 7 == 0) << frame.index;
}

TEST(Encoder, names_what_is_wrong) {
  const TempDir dir;
  EncoderOptions options;
  options.width = 64;
  options.height = 48;
  const auto message = [&](const std::string& path) {
    return std::string(error_of([&] { Encoder(path, options); }).what());
  };
  EXPECT_THAT(message(dir / "missing/a.mp4"), HasSubstr("missing/a.mp4: cannot be written"));
  EXPECT_THAT(message(dir / "a.unknown"), HasSubstr("ending"));
  options.codec_options = {"no_such_key=1"};
  EXPECT_THAT(message(dir / "a.mp4"), HasSubstr("no_such_key"));
  options.codec_options = {"nonsense"};
  EXPECT_THAT(message(dir / "a.mp4"), HasSubstr("key=value"));
  options.codec_options = {};
  options.codec = "no_such_codec";
  EXPECT_THAT(message(dir / "a.mp4"), HasSubstr("no_such_codec"));
  options.codec = "libx264";
  options.width = 63;
  EXPECT_THAT(message(dir / "a.mp4"), HasSubstr("63 x 48"));
  options.width = 0;
  EXPECT_THAT(message(dir / "a.mp4"), HasSubstr("0 x 48"));
}

TEST(Encoder, refuses_frames_of_another_shape_and_time_that_runs_backwards) {
  const TempDir dir;
  EncoderOptions options;
  options.width = 64;
  options.height = 48;
  Encoder encoder(dir / "a.mp4", options);
  EXPECT_THAT(error_of([&] { encoder.write(Tensor({64, 48, 3}, DType::kU8)); }).what(), HasSubstr("[64, 48, 3]"));
  EXPECT_THAT(error_of([&] { encoder.write(Tensor({48, 64, 3})); }).what(), HasSubstr("f32"));
  encoder.write_at(Tensor({48, 64, 3}, DType::kU8), 5);
  EXPECT_THAT(error_of([&] { encoder.write_at(Tensor({48, 64, 3}, DType::kU8), 5); }).what(), HasSubstr("tick 5"));
  encoder.close();
  EXPECT_THAT(error_of([&] { encoder.write(Tensor({48, 64, 3}, DType::kU8)); }).what(), HasSubstr("closed"));
}

TEST(Encoder, finishes_the_file_when_it_is_destroyed) {
  const TempDir dir;
  {
    EncoderOptions options;
    options.width = 64;
    options.height = 48;
    Encoder encoder(dir / "a.mp4", options);
    for (int i = 0; i < 5; ++i) encoder.write(Tensor({48, 64, 3}, DType::kU8));
  }
  EXPECT_EQ(decode_all(dir / "a.mp4").size(), 5U);
}

}  // namespace
}  // namespace actio::video

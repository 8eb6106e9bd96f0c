#include "video/frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include "support/temp_dir.h"
#include "video/decoder.h"
#include "video/encoder.h"

namespace actio::video {
namespace {

EncoderOptions size_of(int width, int height) {
  EncoderOptions options;
  options.width = width;
  options.height = height;
  options.quality = 4;
  return options;
}

// Vertical bands of rising grey, one frame.
void write_bands(const std::string& path, const EncoderOptions& options, const std::vector<int>& levels) {
  Encoder encoder(path, options);
  Tensor rgb({options.height, options.width, 3}, DType::kU8);
  for (std::int64_t i = 0; i < rgb.numel(); ++i) {
    const auto x = static_cast<std::size_t>(i / 3 % options.width);
    rgb.data<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(levels[x * levels.size() / static_cast<std::size_t>(options.width)]);
  }
  for (int t = 0; t < (options.codec == "png" ? 1 : 3); ++t) encoder.write(rgb);
  encoder.close();
}

Frame first_frame(const std::string& path) {
  Decoder decoder(path);
  std::optional<Frame> frame = decoder.next();
  EXPECT_TRUE(frame.has_value());
  return frame ? *frame : Frame();
}

class GreyOfFrame : public ::testing::Test {
 protected:
  testing::TempDir dir_;
  const std::vector<int> levels_ = {0, 60, 128, 200, 255};
};

TEST_F(GreyOfFrame, spans_black_to_white_in_the_range_of_video_and_in_the_full_one) {
  for (const std::string name : {"a.mp4", "a.avi"}) {
    EncoderOptions options = size_of(160, 48);
    options.codec = name == "a.mp4" ? "libx264" : "mjpeg";
    write_bands(dir_ / name, options, levels_);
    const Tensor grey = first_frame(dir_ / name).grey();
    ASSERT_EQ(grey.shape(), (Shape{48, 160}));
    for (int band = 0; band < 5; ++band) {
      EXPECT_NEAR(grey.data<std::uint8_t>()[24 * 160 + band * 32 + 16], levels_[static_cast<std::size_t>(band)], 3) << name;
    }
  }
}

TEST_F(GreyOfFrame, is_the_grey_of_the_rgb_picture_at_every_size_and_turned_alike) {
  for (const int degrees : {0, 90, 180, 270}) {
    for (const int width : {160, 158, 34}) {
      EncoderOptions options = size_of(width, 48);
      options.rotation_degrees = degrees;
      write_bands(dir_ / "a.mp4", options, levels_);
      const Frame frame = first_frame(dir_ / "a.mp4");
      const Tensor grey = frame.grey(), rgb = frame.rgb();
      ASSERT_EQ(grey.shape(), (Shape{frame.height, frame.width}));
      for (std::int64_t i = 0; i < grey.numel(); ++i) {
        const std::uint8_t* pixel = rgb.data<std::uint8_t>() + 3 * i;
        const double luma = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
        ASSERT_NEAR(grey.data<std::uint8_t>()[i], luma, 3) << i << " of " << width << " turned by " << degrees;
      }
    }
  }
}

TEST_F(GreyOfFrame, takes_odd_sizes) {
  EncoderOptions options = size_of(37, 23);
  options.codec = "mjpeg";
  write_bands(dir_ / "a.avi", options, levels_);
  const Tensor grey = first_frame(dir_ / "a.avi").grey();
  ASSERT_EQ(grey.shape(), (Shape{23, 37}));
  EXPECT_NEAR(grey.data<std::uint8_t>()[22 * 37 + 2], 0, 6);
  EXPECT_NEAR(grey.data<std::uint8_t>()[22 * 37 + 35], 255, 6);
}

struct GreyKind {
  const char* name;
  const char* codec;
  std::vector<std::string> options;
  bool limited;  // as the stream says; H.264 and HEVC have a rule for those that say nothing
};

void PrintTo(const GreyKind& kind, std::ostream* stream) { *stream << kind.name; }

const std::string kQuietX265 = "x265-params=log-level=none:pools=none:frame-threads=1:info=0";

class GreyVideo : public ::testing::TestWithParam<GreyKind> {};

// The encoder is given grey levels as they are, so that they are the coded ones whatever the stream says of them.
TEST_P(GreyVideo, is_widened_exactly_where_its_stream_says_that_its_range_is_limited) {
  const testing::TempDir dir;
  const std::vector<int> coded = {16, 60, 128, 200, 235};
  for (const int width : {160, 157}) {
    EncoderOptions options = size_of(width, 48);
    options.codec = GetParam().codec;
    options.codec_options = GetParam().options;
    write_bands(dir / GetParam().name, options, coded);
    const Frame frame = first_frame(dir / GetParam().name);
    const Tensor grey = frame.grey(), rgb = frame.rgb();
    for (int band = 0; band < 5; ++band) {
      const std::int64_t at = 24 * width + band * width / 5 + 16;
      const double level = coded[static_cast<std::size_t>(band)];
      const double expected = GetParam().limited ? (level - 16) * 255 / 219 : level;
      EXPECT_NEAR(grey.data<std::uint8_t>()[at], expected, 2) << "band " << band;
      for (int c = 0; c < 3; ++c) EXPECT_NEAR(rgb.data<std::uint8_t>()[3 * at + c], expected, 2) << "band " << band;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, GreyVideo,
    ::testing::Values(
        GreyKind{"hevc_8_limited.mp4", "libx265", {"pixel_format=gray", kQuietX265 + ":range=limited"}, true},
        GreyKind{"hevc_8_full.mp4", "libx265", {"pixel_format=gray", kQuietX265 + ":range=full"}, false},
        GreyKind{"hevc_8_unsaid.mp4", "libx265", {"pixel_format=gray", kQuietX265}, true},
        GreyKind{"hevc_10_limited.mkv", "libx265", {"pixel_format=gray10", kQuietX265 + ":range=limited"}, true},
        GreyKind{"hevc_12_limited.mkv", "libx265", {"pixel_format=gray12", kQuietX265 + ":range=limited"}, true},
        GreyKind{"hevc_10_full.mkv", "libx265", {"pixel_format=gray10", kQuietX265 + ":range=full"}, false},
        GreyKind{"h264_8_limited.mp4", "libx264", {"pixel_format=gray", "color_range=tv", "color_primaries=bt709"}, true},
        GreyKind{"h264_8_full.mp4", "libx264", {"pixel_format=gray", "color_range=pc", "color_primaries=bt709"}, false},
        GreyKind{"h264_8_unsaid.mp4", "libx264", {"pixel_format=gray"}, true},
        GreyKind{"h264_10_limited.mp4", "libx264", {"pixel_format=gray10", "color_range=tv", "color_primaries=bt709"}, true},
        GreyKind{"ffv1_8.mkv", "ffv1", {"pixel_format=gray"}, false},
        GreyKind{"ffv1_8_limited.mkv", "ffv1", {"pixel_format=gray", "color_range=tv"}, true},
        GreyKind{"image.png", "png", {"pixel_format=gray"}, false}),
    [](const auto& row) {
      std::string name = row.param.name;
      std::ranges::replace(name, '.', '_');
      return name;
    });

TEST(GreyVideoOfOneRange, gives_the_pictures_of_a_colour_video_of_that_range) {
  const testing::TempDir dir;
  EncoderOptions grey = size_of(157, 49);
  grey.codec = "ffv1";
  grey.codec_options = {"pixel_format=gray", "color_range=tv"};
  EncoderOptions colour = grey;
  colour.codec_options = {"pixel_format=yuv420p"};
  // What the colour encoder makes of the levels is what the grey one is given.
  const std::vector<int> levels = {0, 51, 102, 153, 204, 255}, coded = {16, 60, 104, 147, 191, 235};
  write_bands(dir / "colour.mkv", colour, levels);
  write_bands(dir / "grey.mkv", grey, coded);
  const Frame a = first_frame(dir / "grey.mkv"), b = first_frame(dir / "colour.mkv");
  EXPECT_TRUE(std::ranges::equal(a.grey().values<std::uint8_t>(), b.grey().values<std::uint8_t>()));
  EXPECT_TRUE(std::ranges::equal(a.rgb().values<std::uint8_t>(), b.rgb().values<std::uint8_t>()));
}

TEST(RgbOfFrame, does_not_depend_on_the_pictures_that_were_converted_before) {
  const testing::TempDir dir;
  write_bands(dir / "wide.mp4", size_of(638, 358), {255, 0, 255});
  write_bands(dir / "small.mp4", size_of(50, 34), {30, 200});
  const Frame wide = first_frame(dir / "wide.mp4"), small = first_frame(dir / "small.mp4");
  const Tensor first = small.rgb(), first_wide = wide.rgb();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::ranges::equal(small.rgb().values<std::uint8_t>(), first.values<std::uint8_t>()));
    EXPECT_TRUE(std::ranges::equal(wide.rgb().values<std::uint8_t>(), first_wide.values<std::uint8_t>()));
  }
}

TEST(EmptyFrame, has_no_grey) { EXPECT_ANY_THROW(Frame().grey()); }

}  // namespace
}  // namespace actio::video

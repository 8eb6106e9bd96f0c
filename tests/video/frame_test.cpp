#include "video/frame.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

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
    rgb.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(levels[x * levels.size() / static_cast<std::size_t>(options.width)]);
  }
  for (int t = 0; t < 3; ++t) encoder.write(rgb);
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

TEST(EmptyFrame, has_no_grey) { EXPECT_ANY_THROW(Frame().grey()); }

}  // namespace
}  // namespace actio::video

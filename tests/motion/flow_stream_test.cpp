#include "motion/flow_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "motion/flow_image.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"

namespace actio::motion {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

Tensor random_grey(std::int64_t height, std::int64_t width, std::uint64_t seed = 1) {
  Tensor grey({height, width}, DType::kU8);
  Rng rng(seed);
  for (auto& value : grey.values<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
  return grey;
}

FlowSettings quick(std::int64_t short_side) {
  Preprocess preprocess;
  preprocess.flow_quality = "fast";
  preprocess.flow_short_side = short_side;
  return flow_settings(preprocess);
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

std::vector<video::Frame> frames_of(const std::string& path) {
  std::vector<video::Frame> frames;
  video::Decoder decoder(path);
  while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
  return frames;
}

TEST(ScaledGrey, brings_the_short_side_to_the_wanted_pixels_and_keeps_the_proportions) {
  const auto shape = [](std::int64_t height, std::int64_t width, std::int64_t side) {
    return scaled_grey(Tensor({height, width}, DType::kU8), side).shape();
  };
  EXPECT_EQ(shape(240, 320, 256), (Shape{256, 341}));
  EXPECT_EQ(shape(320, 240, 256), (Shape{341, 256}));
  EXPECT_EQ(shape(1080, 1920, 256), (Shape{256, 455}));
  EXPECT_EQ(shape(37, 53, 0), (Shape{37, 53}));
  EXPECT_EQ(shape(37, 53, 37), (Shape{37, 53}));
  EXPECT_EQ(shape(2, 3, 0), (Shape{16, 16})) << "never less than flow can be computed on";
  EXPECT_EQ(shape(2, 4000, 256), (Shape{16, 16384})) << "never more either";
  EXPECT_EQ(shape(1, 1, 16), (Shape{16, 16}));
}

TEST(ScaledGrey, keeps_a_constant_and_averages_what_it_makes_smaller) {
  Tensor constant({50, 70}, DType::kU8);
  std::memset(constant.raw(), 201, constant.bytes());
  for (const std::int64_t side : {16, 33, 50, 97}) {
    EXPECT_THAT(scaled_grey(constant, side).values<std::uint8_t>(), Each(201)) << side;
  }
  Tensor stripes({64, 64}, DType::kU8);
  for (std::int64_t i = 0; i < stripes.numel(); ++i) stripes.data<std::uint8_t>()[i] = i % 2 == 0 ? 0 : 200;
  const Tensor half = scaled_grey(stripes, 32);
  for (std::int64_t i = 0; i < half.numel(); ++i) {
    if (i % 32 == 0 || i % 32 == 31) continue;  // the border sample counts for what lies beyond
    ASSERT_NEAR(half.data<std::uint8_t>()[i], 100, 1) << "antialiased";
  }
}

TEST(ScaledGrey, refuses_what_is_no_picture) {
  EXPECT_THROW(scaled_grey(Tensor({2, 16, 16}, DType::kU8), 16), Error);
  EXPECT_THROW(scaled_grey(Tensor({0, 16}, DType::kU8), 16), Error);
}

TEST(MotionImage, is_the_clipped_displacement_around_128_in_units_of_a_short_side_of_256) {
  Tensor flow({2, 128, 200});
  const std::vector<float> values = {0, 1, -1, 10, -10, 10.1F, 1e30F, -1e30F, 0.03F, -0.03F, 0.05F, -0.05F};
  std::ranges::copy(values, flow.data<float>());
  flow.data<float>()[flow.numel() - 1] = std::numeric_limits<float>::quiet_NaN();
  const Tensor image = motion_image(flow, 20);
  // One pixel of 128 counts twice: 127 * 2 / 20 levels.
  const std::vector<int> expected = {128, 141, 115, 255, 1, 255, 255, 1, 128, 128, 129, 127};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(image.data<std::uint8_t>()[i], expected[i]) << values[i];
  EXPECT_EQ(image.data<std::uint8_t>()[100], kNoMotion);
}

TEST(FlowSettings, refuse_an_unknown_quality_and_a_short_side_that_flow_cannot_have) {
  Preprocess preprocess;
  preprocess.flow_quality = "papr";
  try {
    flow_settings(preprocess);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("paper"));
  }
  for (const std::int64_t side : {-1, 1, 15, 16385}) {
    Preprocess wrong;
    wrong.flow_short_side = side;
    EXPECT_THROW(flow_settings(wrong), Error) << side;
  }
}

TEST(FlowSettings, know_every_quality_that_the_options_offer_and_no_other) {
  Preprocess preprocess;
  const Fields fields = preprocess.fields();
  const auto field = std::ranges::find(fields, "flow_quality", &Field::name);
  ASSERT_NE(field, fields.end());
  EXPECT_EQ(field->choices, tvl1_qualities());
}

TEST(FlowComputer, gives_no_motion_where_the_size_changes_and_goes_on_with_the_new_one) {
  FlowComputer computer(quick(0));
  const Tensor small = random_grey(32, 40), large = random_grey(48, 40);
  EXPECT_TRUE(same(computer.image(small, large), still_image(48, 40)));
  EXPECT_EQ(computer.image(small, small).shape(), (Shape{2, 32, 40}));
  EXPECT_EQ(computer.image(large, random_grey(48, 40, 2)).shape(), (Shape{2, 48, 40}));
}

TEST(FlowComputer, gives_the_same_image_whatever_it_computed_before_and_with_any_threads) {
  const Tensor a = random_grey(40, 56, 1), b = random_grey(40, 56, 2);
  const Tensor fresh = FlowComputer(quick(0)).image(a, b);
  FlowComputer used(quick(0), 3);
  used.image(b, a);
  used.image(random_grey(33, 21), random_grey(33, 21, 3));
  EXPECT_TRUE(same(used.image(a, b), fresh));
  EXPECT_TRUE(same(used.image(a, b), fresh)) << "and again";
}

class FlowOfClip : public ::testing::Test {
 protected:
  testing::TempDir dir_;
};

TEST_F(FlowOfClip, is_the_motion_from_the_frame_before_in_the_right_units) {
  testing::write_synthetic_clip({.path = dir_ / "a.mp4", .frames = 5, .width = 128, .height = 96, .dx = 2, .dy = -1});
  FlowStream stream(quick(64));
  std::int64_t index = 0;
  for (const video::Frame& frame : frames_of(dir_ / "a.mp4")) {
    const Tensor image = stream.field(frame);
    ASSERT_EQ(image.shape(), (Shape{2, 64, 85}));
    if (index++ == 0) {
      EXPECT_TRUE(same(image, still_image(64, 85))) << "nothing comes before the first frame";
      continue;
    }
    // Away from the borders and from the corner that shows the index, the texture moves as a whole.
    std::vector<std::uint8_t> x, y;
    for (std::int64_t row = 24; row < 52; ++row) {
      for (std::int64_t column = 12; column < 73; ++column) {
        x.push_back(image.data<std::uint8_t>()[row * 85 + column]);
        y.push_back(image.data<std::uint8_t>()[64 * 85 + row * 85 + column]);
      }
    }
    std::ranges::nth_element(x, x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2));
    std::ranges::nth_element(y, y.begin() + static_cast<std::ptrdiff_t>(y.size() / 2));
    const double levels = 256.0 / 96 * 127 / 20;  // per pixel of the video
    EXPECT_NEAR(x[x.size() / 2], 128 + 2 * levels, 0.25 * levels) << index;
    EXPECT_NEAR(y[y.size() / 2], 128 - 1 * levels, 0.25 * levels) << index;
  }
  EXPECT_EQ(index, 5);
}

// The median level of one axis away from the borders, where the texture moves as a whole wherever the corner lies.
int middle_level(const Tensor& image, int axis) {
  std::vector<std::uint8_t> levels;
  const std::int64_t height = image.dim(1), width = image.dim(2);
  for (std::int64_t row = height / 3; row < height * 2 / 3; ++row) {
    for (std::int64_t column = width / 3; column < width * 2 / 3; ++column) {
      levels.push_back(image.data<std::uint8_t>()[(axis * height + row) * width + column]);
    }
  }
  std::ranges::nth_element(levels, levels.begin() + static_cast<std::ptrdiff_t>(levels.size() / 2));
  return levels[levels.size() / 2];
}

TEST_F(FlowOfClip, moves_as_the_picture_is_shown_where_it_is_mirrored_or_turned) {
  struct Row {
    bool mirrored;
    int degrees, dx, dy;  // of a texture that is coded as moving by (3, -1)
  };
  for (const Row& row : {Row{false, 0, 3, -1}, {true, 0, -3, -1}, {false, 90, 1, 3}, {true, 90, 1, -3},
                         {false, 180, -3, 1}, {true, 180, 3, 1}, {false, 270, -1, -3}, {true, 270, -1, 3}}) {
    testing::write_synthetic_clip({.path = dir_ / "a.mp4", .frames = 4, .width = 160, .height = 128, .dx = 3, .dy = -1,
                                   .rotation_degrees = row.degrees, .mirrored = row.mirrored});
    FlowStream stream(quick(128));
    Tensor image;
    for (const video::Frame& frame : frames_of(dir_ / "a.mp4")) image = stream.field(frame);
    const double levels = 256.0 / 128 * 127 / 20;  // per pixel of the video
    EXPECT_NEAR(middle_level(image, 0), 128 + row.dx * levels, 0.25 * levels) << row.mirrored << " " << row.degrees;
    EXPECT_NEAR(middle_level(image, 1), 128 + row.dy * levels, 0.25 * levels) << row.mirrored << " " << row.degrees;
  }
}

TEST_F(FlowOfClip, needs_only_the_frame_and_the_one_before) {
  testing::write_synthetic_clip({.path = dir_ / "a.mp4", .frames = 8, .width = 96, .height = 64, .dx = 1});
  const auto frames = frames_of(dir_ / "a.mp4");
  FlowStream whole(quick(48)), part(quick(48));
  std::vector<Tensor> fields;
  for (const auto& frame : frames) fields.push_back(whole.field(frame));
  part.see(frames[2]);
  EXPECT_TRUE(same(part.field(frames[3]), fields[3]));
  EXPECT_TRUE(same(part.field(frames[4]), fields[4]));
  part.see(frames[6]);
  EXPECT_TRUE(same(part.field(frames[7]), fields[7]));
}

}  // namespace
}  // namespace actio::motion

#include "motion/colour_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "motion/flow_image.h"

namespace actio::motion {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::array<int, 3> colour(double x, double y, double full = 10) {
  std::uint8_t rgb[3];
  wheel_colour(x, y, full, rgb);
  return {rgb[0], rgb[1], rgb[2]};
}

TEST(ColourWheel, tells_the_direction_by_the_hue_and_the_length_by_how_full_the_colour_is) {
  EXPECT_THAT(colour(0, 0), ElementsAre(255, 255, 255));
  EXPECT_THAT(colour(10, 0), ElementsAre(255, 0, 0));
  EXPECT_THAT(colour(100, 0), ElementsAre(255, 0, 0));
  EXPECT_THAT(colour(5, 0), ElementsAre(255, 128, 128));
  EXPECT_THAT(colour(-10, 0), ElementsAre(0, 255, 255));
  EXPECT_THAT(colour(0, 10), ElementsAre(128, 255, 0));
  EXPECT_THAT(colour(0, -10), ElementsAre(128, 0, 255));
}

TEST(ColourWheel, colours_a_motion_image_at_any_size) {
  Tensor image = still_image(2, 3);
  image.data<std::uint8_t>()[5] = 228;  // the lower right pixel moves right by 100 levels
  const Tensor picture = coloured(image, 100, 4, 7);
  ASSERT_EQ(picture.shape(), (Shape{4, 7, 3}));
  const std::uint8_t* pixels = picture.data<std::uint8_t>();
  EXPECT_THAT(std::vector<int>(pixels, pixels + 42), Each(255)) << "the upper half stands still";
  EXPECT_EQ(pixels[81], 255);
  EXPECT_EQ(pixels[82], 0);
  EXPECT_EQ(pixels[83], 0);
}

TEST(ColourWheel, stays_inside_the_smallest_picture) {
  for (const std::int64_t side : {1, 2, 5, 30}) {
    Tensor picture({side, side + 3, 3}, DType::kU8);
    draw_wheel(picture);
    EXPECT_EQ(picture.data<std::uint8_t>()[0], 0) << "the other corner is untouched";
  }
}

}  // namespace
}  // namespace actio::motion

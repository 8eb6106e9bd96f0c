#include "training/recipe/motion_bound.h"

#include <gtest/gtest.h>

#include "data/clips.h"
#include "support/temp_dir.h"

namespace actio::training {
namespace {

using data::testing::ClipShape;
using data::testing::write_moving_clip;

TEST(MotionBound, follows_how_fast_things_move_whatever_the_size_of_the_picture) {
  const testing::TempDir dir;
  const auto bound = [&](const char* name, double dx, int width, int height) {
    write_moving_clip(dir / name, {.width = width, .height = height, .frames = 16}, dx, 0);
    return motion_bound_of({dir / name}, {});
  };
  // 2 pixels at a height of 96 are 5.3 at a short side of 256; 4 at 192 are the same.
  const double slow = bound("slow.mp4", 2, 128, 96);
  EXPECT_GE(slow, 5);
  EXPECT_LE(slow, 9) << "but for a few blocks that the codec found elsewhere";
  EXPECT_NEAR(bound("large.mp4", 4, 256, 192), slow, 2);
  EXPECT_GT(bound("fast.mp4", 5, 128, 96), slow + 3);
}

TEST(MotionBound, is_not_known_where_nothing_moves_or_nothing_can_be_read) {
  const testing::TempDir dir;
  write_moving_clip(dir / "still.mp4", {}, 0, 0);
  EXPECT_EQ(motion_bound_of({dir / "still.mp4"}, {}), 0);
  EXPECT_EQ(motion_bound_of({dir / "nowhere.mp4"}, {}), 0);
  EXPECT_EQ(motion_bound_of({}, {}), 0);
}

}  // namespace
}  // namespace actio::training

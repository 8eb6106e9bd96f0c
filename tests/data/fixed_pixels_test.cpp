#include "data/fixed_pixels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace actio::data {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// Still pictures that differ from clip to clip: soft shapes, of which some stand still.
struct Scenes {
  std::vector<std::vector<std::uint8_t>> pictures;
  Labelling labelling;

  std::vector<FixedRegion> find() const {
    std::vector<const std::vector<std::uint8_t>*> pointers;
    for (const auto& picture : pictures) pointers.push_back(&picture);
    return find_fixed_pixels(pointers, labelling);
  }
  void paint(int x0, int x1, int y0, int y1, int grey, std::size_t clip) {
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x)
        pictures[clip][static_cast<std::size_t>(y * kGlimpseWidth + x)] = static_cast<std::uint8_t>(grey);
    }
  }
};

Scenes make_scenes(std::uint64_t seed, int classes, int clips) {
  Rng rng(seed);
  Scenes scenes;
  scenes.labelling.classes = classes;
  for (int i = 0; i < classes * clips; ++i) {
    const double level = rng.uniform(60, 190), a = rng.uniform(0, 40), b = rng.uniform(0, 40), u = rng.uniform(-0.2, 0.2),
                 v = rng.uniform(-0.2, 0.2);
    std::vector<std::uint8_t> picture;
    for (int y = 0; y < kGlimpseHeight; ++y) {
      for (int x = 0; x < kGlimpseWidth; ++x) {
        const double value = level + a * std::sin(u * x + v * y) + b * std::sin(3 * v * x - 2 * u * y) + rng.normal();
        picture.push_back(rng.chance(0.1) ? kMoving : static_cast<std::uint8_t>(std::clamp(value, 0.0, 254.0)));
      }
    }
    scenes.pictures.push_back(std::move(picture));
    scenes.labelling.label.push_back(i / clips);
    scenes.labelling.group.push_back(i);
  }
  return scenes;
}

TEST(FixedPixels, are_none_in_scenes_that_differ) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    EXPECT_THAT(make_scenes(seed, 6, 20).find(), IsEmpty());
    EXPECT_THAT(make_scenes(seed, 20, 4).find(), IsEmpty());
  }
}

TEST(FixedPixels, are_a_logo_of_one_class_and_where_it_is) {
  Scenes scenes = make_scenes(4, 6, 20);
  for (std::size_t clip = 40; clip < 60; ++clip) {
    if (clip != 47) scenes.paint(54, 60, 3, 6, 220, clip);  // one clip is without it
  }
  const std::vector<FixedRegion> regions = scenes.find();
  ASSERT_THAT(regions, SizeIs(1));
  EXPECT_EQ(regions[0].label, 2);
  EXPECT_EQ(regions[0].units, 20);
  EXPECT_NEAR(regions[0].left, 54.0 / 64, 1e-9);
  EXPECT_NEAR(regions[0].right, 60.0 / 64, 1e-9);
  EXPECT_NEAR(regions[0].top, 3.0 / 36, 1e-9);
  EXPECT_NEAR(regions[0].bottom, 6.0 / 36, 1e-9);
  EXPECT_NEAR(regions[0].share, 18.0 / (64 * 36), 1e-9);
  EXPECT_NEAR(regions[0].inside, 0.95, 1e-9);
  EXPECT_LT(regions[0].outside, 0.3);
}

TEST(FixedPixels, that_every_class_has_give_nothing_away) {
  Scenes scenes = make_scenes(5, 4, 20);
  for (std::size_t clip = 0; clip < 80; ++clip) scenes.paint(54, 60, 3, 6, 220, clip);
  EXPECT_THAT(scenes.find(), IsEmpty());
}

TEST(FixedPixels, of_one_recording_are_no_sign_of_its_class) {
  Scenes scenes = make_scenes(6, 4, 20);
  for (std::size_t clip = 21; clip < 40; ++clip) scenes.pictures[clip] = scenes.pictures[20];
  EXPECT_THAT(scenes.find(), SizeIs(1));  // as far as anybody knows
  for (std::size_t clip = 0; clip < 80; ++clip) scenes.labelling.group[clip] = static_cast<int>(clip / 5 % 4);
  EXPECT_THAT(scenes.find(), IsEmpty());
}

TEST(FixedPixels, fishers_test_is_the_tail_of_the_hypergeometric_distribution) {
  EXPECT_NEAR(fisher_exact(3, 4, 4, 8), (16.0 + 1) / 70, 1e-12);  // the lady tasting tea
  EXPECT_NEAR(fisher_exact(4, 4, 4, 8), 1.0 / 70, 1e-12);
  EXPECT_NEAR(fisher_exact(0, 4, 4, 8), 1, 1e-12);
  EXPECT_NEAR(fisher_exact(2, 5, 9, 10), 1, 1e-12);
}

}  // namespace
}  // namespace actio::data

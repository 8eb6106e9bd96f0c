#include "motion/block_search.h"

#include <gmock/gmock.h>
#include <hwy/targets.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "motion/block_scenes.h"
#include "motion/vector_field.h"
#include "support/highway_targets.h"
#include "support/shared_data.h"
#include "video/decoder.h"

namespace actio::motion {
namespace {

using testing::add_noise;
using ::testing::HasSubstr;
using testing::Image;
using testing::noise;
using testing::Texture;
using video::BlockVector;
using Vectors = std::vector<BlockVector>;

Vectors vectors_of(const Image& previous, const Image& current) {
  Vectors vectors;
  BlockSearch(current.width, current.height).run(previous.grey(), current.grey(), vectors);
  return vectors;
}

// The share of right vectors among those of blocks that came from within the previous picture.
double right_share(const Vectors& vectors, int width, int height, double dx, double dy, double allowed = 0.25) {
  int right = 0, all = 0;
  for (const auto& v : vectors) {
    if (v.x - dx < 0 || v.y - dy < 0 || v.x + v.width - dx > width || v.y + v.height - dy > height) continue;
    if (v.x + v.width > width || v.y + v.height > height) continue;
    ++all;
    right += std::abs(v.dx - dx) <= allowed && std::abs(v.dy - dy) <= allowed;
  }
  return all == 0 ? 1 : static_cast<double>(right) / all;
}

double longest(const Vectors& vectors) {
  double most = 0;
  for (const auto& v : vectors) most = std::max({most, std::abs(double{v.dx}), std::abs(double{v.dy})});
  return most;
}

bool same(const Vectors& a, const Vectors& b) {
  return std::ranges::equal(a, b, [](const BlockVector& p, const BlockVector& q) {
    return p.x == q.x && p.y == q.y && p.width == q.width && p.height == q.height && p.dx == q.dx && p.dy == q.dy &&
           p.direction == q.direction;
  });
}

TEST(BlockSearch, a_picture_that_moves_right_and_down_has_positive_vectors_that_name_the_past) {
  const Texture texture(1);
  const Vectors vectors = vectors_of(texture.picture(96, 80), texture.picture(96, 80, 2, 1));
  ASSERT_FALSE(vectors.empty());
  for (const auto& v : vectors) EXPECT_EQ(v.direction, -1);
  EXPECT_EQ(right_share(vectors, 96, 80, 2, 1, 0), 1);
}

TEST(BlockSearch, finds_a_picture_that_moved_by_whole_pixels) {
  const Texture texture(2);
  for (const auto& [width, height] : {std::pair(320, 240), {173, 131}}) {
    for (const auto& [dx, dy] :
         {std::pair(1, 0), {0, -1}, {3, -2}, {-7, 5}, {12, 9}, {-20, 3}, {20, 20}, {-20, -20}, {0, 20}}) {
      const Vectors vectors = vectors_of(texture.picture(width, height), texture.picture(width, height, dx, dy));
      EXPECT_GE(right_share(vectors, width, height, dx, dy), 0.97) << width << ": " << dx << ", " << dy;
    }
  }
}

TEST(BlockSearch, finds_a_picture_that_moved_by_quarters_of_a_pixel) {
  const Texture texture(3);
  for (const auto& [dx, dy] : {std::pair(0.25, 0.0),
                               {0.0, 0.5},
                               {0.75, -0.25},
                               {-1.25, 2.5},
                               {5.5, -3.75},
                               {-13.25, -0.5},
                               {19.75, 18.25},
                               {-0.5, -0.5}}) {
    const Vectors vectors = vectors_of(texture.picture(320, 240), texture.picture(320, 240, dx, dy));
    EXPECT_GE(right_share(vectors, 320, 240, dx, dy), 0.97) << dx << ", " << dy;
    EXPECT_GE(right_share(vectors, 320, 240, dx, dy, 0), 0.9) << dx << ", " << dy;
  }
}

TEST(BlockSearch, finds_white_noise_that_moved) {
  const Image large = noise(360, 280, 4);
  for (const auto& [dx, dy] : {std::pair(2, -1), {-3, 4}}) {  // what is averaged away at a quarter of the size
    Image previous(320, 240), current(320, 240);
    for (int y = 0; y < 240; ++y) {
      for (int x = 0; x < 320; ++x) {
        previous.at(x, y) = large.pixels[static_cast<std::size_t>((y + 20) * 360 + x + 20)];
        current.at(x, y) = large.pixels[static_cast<std::size_t>((y + 20 - dy) * 360 + x + 20 - dx)];
      }
    }
    EXPECT_GE(right_share(vectors_of(previous, current), 320, 240, dx, dy), 0.95) << dx << ", " << dy;
  }
}

TEST(BlockSearch, noise_of_a_camera_does_not_hide_motion) {
  const Texture texture(5);
  for (const auto& [dx, dy] : {std::pair(1.5, -0.75), {-9.0, 6.0}}) {
    Image previous = texture.picture(320, 240), current = texture.picture(320, 240, dx, dy);
    add_noise(previous, 3, 6);
    add_noise(current, 3, 7);
    EXPECT_GE(right_share(vectors_of(previous, current), 320, 240, dx, dy), 0.95) << dx << ", " << dy;
  }
}

TEST(BlockSearch, a_picture_that_stands_still_has_zero_vectors) {
  for (const Image& image : {Texture(8).picture(161, 123), noise(161, 123, 9)}) {
    const Vectors vectors = vectors_of(image, image);
    EXPECT_EQ(vectors.size(), 11U * 8U);
    EXPECT_EQ(longest(vectors), 0);
  }
}

TEST(BlockSearch, flat_pictures_have_zero_vectors_even_where_their_levels_of_grey_differ) {
  for (const auto& [a, b] : {std::pair(0, 0), {128, 128}, {0, 255}, {255, 3}, {100, 101}}) {
    const Image previous(100, 75, static_cast<std::uint8_t>(a)), current(100, 75, static_cast<std::uint8_t>(b));
    EXPECT_EQ(longest(vectors_of(previous, current)), 0) << a << " " << b;
  }
}

TEST(BlockSearch, noise_of_a_camera_that_stands_still_is_no_motion) {
  for (const double deviation : {1.0, 2.0, 4.0}) {
    for (Image previous : {Image(320, 240, 90), Texture(10).picture(320, 240)}) {
      Image current = previous;
      add_noise(previous, deviation, 11);
      add_noise(current, deviation, 12);
      const Vectors vectors = vectors_of(previous, current);
      const auto moving = std::ranges::count_if(vectors, [](const BlockVector& v) { return v.dx != 0 || v.dy != 0; });
      EXPECT_EQ(moving, 0) << deviation;
    }
  }
}

// An ellipse moves over ground that stands still.
struct Ellipse {
  double x = 0, y = 0, x_radius = 0, y_radius = 0;
  bool holds(double px, double py) const {
    return (px - x) * (px - x) / (x_radius * x_radius) + (py - y) * (py - y) / (y_radius * y_radius) <= 1;
  }
};

TEST(BlockSearch, a_thing_moves_and_the_ground_does_not) {
  const Texture ground(13), thing(14);
  const auto draw = [&](double dx, double dy) {
    Image image = ground.picture(320, 240);
    for (int y = 0; y < 240; ++y) {
      for (int x = 0; x < 320; ++x) {
        if (Ellipse{150 + dx, 120 + dy, 40, 60}.holds(x, y)) image.at(x, y) = thing.at(x - dx, y - dy);
      }
    }
    return image;
  };
  const double dx = 9, dy = -6.5;
  const Vectors vectors = vectors_of(draw(0, 0), draw(dx, dy));
  int inside = 0, inside_right = 0, outside = 0, outside_right = 0;
  for (const auto& v : vectors) {
    const double x = v.x + 0.5 * v.width, y = v.y + 0.5 * v.height;
    if (Ellipse{150 + dx, 120 + dy, 40 - 12, 60 - 12}.holds(x, y)) {
      ++inside;
      inside_right += std::abs(v.dx - dx) <= 0.25 && std::abs(v.dy - dy) <= 0.25;
    } else if (!Ellipse{150, 120, 40 + 30, 60 + 30}.holds(x, y)) {
      ++outside;
      outside_right += v.dx == 0 && v.dy == 0;
    }
  }
  EXPECT_GT(inside, 10);
  EXPECT_EQ(inside_right, inside);
  EXPECT_GT(outside, 100);
  EXPECT_EQ(outside_right, outside);
  EXPECT_TRUE(std::ranges::any_of(vectors, [](const BlockVector& v) { return v.width == 8; }));  // along the border
}

TEST(BlockSearch, blocks_cover_every_pixel_once) {
  for (const auto& [width, height] : {std::pair(16, 16), {17, 31}, {320, 240}, {341, 67}, {33, 200}}) {
    std::vector<int> covered(static_cast<std::size_t>(width * height));
    for (const auto& v : vectors_of(noise(width, height, 15), noise(width, height, 16))) {
      EXPECT_TRUE(v.width == v.height && (v.width == 16 || v.width == 8));
      EXPECT_EQ(v.x % v.width + v.y % v.height, 0);
      for (int y = v.y; y < std::min(v.y + v.height, height); ++y) {
        for (int x = v.x; x < std::min(v.x + v.width, width); ++x) ++covered[static_cast<std::size_t>(y * width + x)];
      }
    }
    EXPECT_TRUE(std::ranges::all_of(covered, [](int count) { return count == 1; })) << width << "x" << height;
  }
}

TEST(BlockSearch, blocks_that_the_picture_ends_in_move_with_it) {
  const Texture texture(17);
  for (const auto& [width, height] : {std::pair(163, 122), {49, 33}, {175, 143}}) {
    const Vectors vectors = vectors_of(texture.picture(width, height), texture.picture(width, height, 3, 2));
    int cut = 0, right = 0;
    for (const auto& v : vectors) {
      if (v.x + v.width <= width && v.y + v.height <= height) continue;
      if (v.x == 0 || v.y == 0) continue;  // came from outside
      ++cut;
      right += v.dx == 3 && v.dy == 2;
    }
    EXPECT_GT(cut, 0);
    EXPECT_EQ(right, cut) << width << "x" << height;
  }
}

TEST(BlockSearch, the_smallest_picture_and_narrow_ones_work) {
  const Texture texture(18);
  for (const auto& [width, height] : {std::pair(16, 16), {17, 16}, {16, 300}, {1000, 16}, {31, 33}, {48, 17}}) {
    const Vectors vectors = vectors_of(texture.picture(width, height), texture.picture(width, height, 1, -1));
    EXPECT_EQ(std::ranges::count_if(vectors, [](const BlockVector& v) { return v.dx != 1 || v.dy != -1; }), 0)
        << width << "x" << height;
  }
}

TEST(BlockSearch, rows_may_be_further_apart_than_the_picture_is_wide) {
  const Texture texture(19);
  const Image previous = texture.picture(75, 61), current = texture.picture(75, 61, -4, 2.25);
  const auto spread = [](const Image& image, int stride) {
    Image wide = noise(stride, image.height, 20);
    for (int y = 0; y < image.height; ++y) std::copy_n(&image.pixels[static_cast<std::size_t>(y * 75)], 75, &wide.at(0, y));
    return wide;
  };
  Vectors vectors;
  BlockSearch(75, 61).run(spread(previous, 97).grey(), spread(current, 200).grey(), vectors);
  EXPECT_TRUE(same(vectors, vectors_of(previous, current)));
}

TEST(BlockSearch, what_was_seen_is_forgotten_when_asked) {
  const Texture texture(21), other(22);
  BlockSearch search(161, 91);
  Vectors vectors;
  for (int i = 1; i < 4; ++i)
    search.run(texture.picture(161, 91, 7 * i - 7, 0).grey(), texture.picture(161, 91, 7 * i, 0).grey(), vectors);
  const Image first = noise(161, 91, 23), second = noise(161, 91, 24);
  search.forget();
  search.run(first.grey(), second.grey(), vectors);
  EXPECT_TRUE(same(vectors, vectors_of(first, second)));
}

TEST(BlockSearch, follows_a_motion_beyond_its_own_reach_that_grows_from_frame_to_frame) {
  const Texture texture(25);
  BlockSearch search(320, 240);
  Vectors vectors;
  double place = 0;
  for (int step = 22; step <= 42; step += 4) {
    const Image previous = texture.picture(320, 240, place), current = texture.picture(320, 240, place + step);
    search.run(previous.grey(), current.grey(), vectors);
    EXPECT_GE(right_share(vectors, 320, 240, step, 0), 0.95) << step;
    place += step;
  }
}

TEST(BlockSearch, a_cut_costs_no_vector_of_the_next_pair) {
  const Texture before(26), after(27);
  BlockSearch search(320, 240);
  Vectors vectors;
  search.run(before.picture(320, 240).grey(), before.picture(320, 240, 15, 10).grey(), vectors);
  search.run(before.picture(320, 240, 15, 10).grey(), after.picture(320, 240).grey(), vectors);
  search.run(after.picture(320, 240).grey(), after.picture(320, 240, -6, 1).grey(), vectors);
  EXPECT_GE(right_share(vectors, 320, 240, -6, 1), 0.97);
}

TEST(BlockSearch, no_pictures_give_vectors_that_are_not_quarters_or_lead_far_outside) {
  Rng rng(28);
  for (int trial = 0; trial < 30; ++trial) {
    const int width = 16 + static_cast<int>(rng.below(60)), height = 16 + static_cast<int>(rng.below(60));
    BlockSearch search(width, height);
    Vectors vectors;
    for (int pair = 0; pair < 3; ++pair) {
      Image previous = noise(width, height, rng.next()), current = noise(width, height, rng.next());
      if (pair == 1) {
        for (auto* image : {&previous, &current}) {
          for (auto& pixel : image->pixels) pixel = pixel < 128 ? 0 : 255;
        }
      }
      search.run(previous.grey(), current.grey(), vectors);
      for (const auto& v : vectors) {
        EXPECT_EQ(v.dx * 4, std::round(v.dx * 4));
        EXPECT_EQ(v.dy * 4, std::round(v.dy * 4));
        EXPECT_GE(v.x - v.dx, -40);
        EXPECT_LE(v.x - v.dx, width + 40);
        EXPECT_GE(v.y - v.dy, -40);
        EXPECT_LE(v.y - v.dy, height + 40);
      }
    }
  }
}

TEST(BlockSearch, every_instruction_set_gives_the_same_vectors) {
  const std::int64_t available = hwy::SupportedTargets();
  const Texture texture(29);
  Image first = texture.picture(203, 141), second = texture.picture(203, 141, 5.25, -2.5);
  add_noise(second, 6, 30);  // so that blocks are split
  const Image stark = noise(203, 141, 31);
  std::vector<Vectors> expected;
  for (const std::int64_t target : {HWY_SCALAR, HWY_SSSE3, HWY_SSE4, HWY_AVX2, HWY_AVX3, HWY_AVX3_DL}) {
    if ((available & target) == 0 && target != HWY_SCALAR) continue;
    hwy::SetSupportedTargetsForTest(target);
    BlockSearch search(203, 141);
    std::vector<Vectors> found(3);
    search.run(first.grey(), second.grey(), found[0]);
    search.run(second.grey(), stark.grey(), found[1]);
    search.run(stark.grey(), first.grey(), found[2]);
    if (target == HWY_SCALAR) expected = found;
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_TRUE(same(found[i], expected[i])) << hwy::TargetName(target) << " " << i;
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(BlockSearch, a_second_run_needs_no_more_room_for_vectors) {
  BlockSearch search(100, 80);
  Vectors vectors;
  search.run(Image(100, 80).grey(), Image(100, 80).grey(), vectors);
  const auto* place = vectors.data();
  search.run(noise(100, 80, 32).grey(), noise(100, 80, 33).grey(), vectors);
  EXPECT_EQ(vectors.data(), place);
}

TEST(BlockSearch, sizes_that_make_no_sense_are_refused) {
  for (const auto& [width, height, text] : {std::tuple(15, 40, "15 x 40"), {40, 16385, "16385"}, {-1, -1, "-1"}}) {
    try {
      BlockSearch search(width, height);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  }
  EXPECT_EQ(BlockSearch(40, 30).width(), 40);
  EXPECT_EQ(BlockSearch(40, 30).height(), 30);
}

// Mean absolute difference of `current` and `previous` moved by the field, by whole pixels.
double left_over(const Tensor& previous, const Tensor& current, const Vectors& vectors) {
  const int height = static_cast<int>(current.dim(0)), width = static_cast<int>(current.dim(1));
  const Tensor field = rasterise(vectors, width, height);
  const std::int64_t columns = field.dim(2), cells = field.dim(1) * columns;
  double sum = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const float* cell = field.data<float>() + y / kCellPixels * columns + x / kCellPixels;
      const int from_x = std::clamp(x - static_cast<int>(std::lround(cell[0])), 0, width - 1);
      const int from_y = std::clamp(y - static_cast<int>(std::lround(cell[cells])), 0, height - 1);
      sum += std::abs(previous.data<std::uint8_t>()[from_y * width + from_x] - current.data<std::uint8_t>()[y * width + x]);
    }
  }
  return sum / (width * height);
}

TEST(BlockSearch, compensates_real_frames_better_than_the_vectors_of_their_codec) {
  const std::string clip = testing::shared_file("data/clips/mmaction2_demo_arm_wrestling.mp4");
  ACTIO_NEEDS_SHARED(clip);
  video::DecoderOptions options;
  options.vectors = true;
  video::Decoder decoder(clip, options);
  Tensor previous = decoder.next()->grey();
  BlockSearch search(static_cast<int>(previous.dim(1)), static_cast<int>(previous.dim(0)));
  double still = 0, codec = 0, own = 0;
  Vectors vectors;
  for (int pair = 0; pair < 20; ++pair) {
    const auto frame = decoder.next();
    const Tensor current = frame->grey();
    search.run({previous.data<std::uint8_t>(), previous.dim(1)}, {current.data<std::uint8_t>(), current.dim(1)}, vectors);
    if (!frame->vectors.empty()) {
      still += left_over(previous, current, {});
      codec += left_over(previous, current, frame->vectors);
      own += left_over(previous, current, vectors);
    }
    previous = current;
  }
  EXPECT_LT(codec, still);
  EXPECT_LT(own, codec);
}

}  // namespace
}  // namespace actio::motion

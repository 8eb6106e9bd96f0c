#include "data/transform.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "core/error.h"
#include "data/crop.h"
#include "data/sampling.h"
#include "data/view_assembler.h"
#include "support/inputs.h"
#include "support/compare.h"
#include "support/highway_targets.h"

namespace actio::data {
namespace {

using actio::testing::close;
using actio::testing::motion_input;

InputSpec plain(std::int64_t size) {
  InputSpec input = actio::testing::frame_input(size);
  input.mean = {0, 0, 0};
  input.std = {1, 1, 1};
  return input;
}

Tensor random_rgb(std::int64_t height, std::int64_t width, std::uint64_t seed) {
  Tensor rgb({height, width, 3}, DType::kU8);
  Rng rng(seed);
  for (auto& value : rgb.values<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
  return rgb;
}

Tensor random_field(std::int64_t height, std::int64_t width, double range, std::uint64_t seed) {
  Tensor field({2, height, width});
  Rng rng(seed);
  for (auto& value : field.values<float>()) value = static_cast<float>(rng.uniform(-range, range));
  return field;
}

Tensor apply(const Tensor& rgb, const CropBox& box, const InputSpec& input) {
  Tensor out({3, input.size, input.size});
  transform_rgb(rgb, box, input, out.values<float>());
  return out;
}

Tensor apply(const Tensor& field, const FieldGeometry& geometry, const CropBox& box, const InputSpec& input) {
  Tensor out({2, input.size, input.size});
  transform_field(field, geometry, box, input, out.values<float>());
  return out;
}

// The definition, in double precision and without any precomputation.
double reference(const std::function<double(std::int64_t, std::int64_t)>& pixel, const CropBox& box, std::int64_t size,
                 std::int64_t x, std::int64_t y) {
  const double step_x = box.width / static_cast<double>(size), step_y = box.height / static_cast<double>(size);
  const double reach_x = std::max(1.0, step_x), reach_y = std::max(1.0, step_y);
  const double at_x = box.left + (static_cast<double>(box.flip ? size - 1 - x : x) + 0.5) * step_x - 0.5;
  const double at_y = box.top + (static_cast<double>(y) + 0.5) * step_y - 0.5;
  double sum = 0, weights = 0;
  for (auto j = static_cast<std::int64_t>(std::floor(at_y - reach_y)); static_cast<double>(j) <= at_y + reach_y; ++j) {
    for (auto i = static_cast<std::int64_t>(std::floor(at_x - reach_x)); static_cast<double>(i) <= at_x + reach_x; ++i) {
      const double weight = std::max(0.0, 1 - std::fabs(static_cast<double>(i) - at_x) / reach_x) *
                            std::max(0.0, 1 - std::fabs(static_cast<double>(j) - at_y) / reach_y);
      sum += weight * pixel(i, j);
      weights += weight;
    }
  }
  return sum / weights;
}

TEST(Resample, copies_where_the_box_has_the_output_size) {
  const Tensor rgb = random_rgb(20, 30, 1);
  const Tensor out = apply(rgb, {3, 2, 16, 16, false}, plain(16));
  for (std::int64_t y = 0; y < 16; ++y) {
    for (std::int64_t x = 0; x < 16; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        ASSERT_EQ(out.data<float>()[(c * 16 + y) * 16 + x], rgb.data<std::uint8_t>()[((y + 2) * 30 + x + 3) * 3 + c]);
      }
    }
  }
}

TEST(Resample, agrees_with_its_definition_up_down_and_across_borders) {
  Rng rng(5);
  for (int trial = 0; trial < 60; ++trial) {
    const std::int64_t width = 1 + rng.below(50), height = 1 + rng.below(50), size = 16 + rng.below(20);
    const CropBox box{rng.uniform(-10, 20), rng.uniform(-10, 20), rng.uniform(0.3, 90), rng.uniform(0.3, 90),
                      rng.chance(0.5)};
    const Tensor rgb = random_rgb(height, width, static_cast<std::uint64_t>(trial));
    Tensor expected({3, size, size});
    for (std::int64_t c = 0; c < 3; ++c) {
      const auto pixel = [&](std::int64_t x, std::int64_t y) {
        const std::int64_t row = std::clamp<std::int64_t>(y, 0, height - 1),
                           column = std::clamp<std::int64_t>(x, 0, width - 1);
        return static_cast<double>(rgb.data<std::uint8_t>()[(row * width + column) * 3 + c]);
      };
      for (std::int64_t y = 0; y < size; ++y) {
        for (std::int64_t x = 0; x < size; ++x) {
          expected.data<float>()[(c * size + y) * size + x] = static_cast<float>(reference(pixel, box, size, x, y));
        }
      }
    }
    ASSERT_TRUE(close(apply(rgb, box, plain(size)), expected, 1e-5)) << width << "x" << height << " to " << size;
  }
}

TEST(Resample, does_not_alias_a_checkerboard_that_it_shrinks) {
  Tensor rgb({64, 64, 3}, DType::kU8);
  for (std::int64_t i = 0; i < 64 * 64 * 3; ++i) {
    rgb.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(((i / 3 % 64) + (i / 192)) % 2 * 255);
  }
  const Tensor out = apply(rgb, {0, 0, 64, 64, false}, plain(16));
  for (std::int64_t y = 1; y < 15; ++y) {
    for (std::int64_t x = 1; x < 15; ++x) EXPECT_NEAR(out.data<float>()[y * 16 + x], 127.5, 1.0);
  }
}

TEST(Resample, mirrors_a_flipped_box_bit_for_bit) {
  const Tensor rgb = random_rgb(37, 53, 3);
  CropBox box{4.3, 2.7, 31.9, 29.1, false};
  const Tensor straight = apply(rgb, box, actio::testing::frame_input(24));
  box.flip = true;
  const Tensor mirrored = apply(rgb, box, actio::testing::frame_input(24));
  for (std::int64_t row = 0; row < 3 * 24; ++row) {
    for (std::int64_t x = 0; x < 24; ++x) {
      ASSERT_EQ(mirrored.data<float>()[row * 24 + x], straight.data<float>()[row * 24 + 23 - x]);
    }
  }
}

TEST(Resample, normalises_each_channel_by_its_own_mean_and_deviation) {
  Tensor rgb({8, 8, 3}, DType::kU8);
  for (std::int64_t i = 0; i < 64 * 3; ++i) rgb.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(100 + i % 3);
  InputSpec input = plain(16);
  input.mean = {100, 90, 80};
  input.std = {1, 2, 4};
  const Tensor out = apply(rgb, {0, 0, 8, 8, false}, input);
  EXPECT_NEAR(out.data<float>()[0], 0.0, 1e-4);
  EXPECT_NEAR(out.data<float>()[256], 5.5, 1e-4);
  EXPECT_NEAR(out.data<float>()[512], 5.5, 1e-4);
}

TEST(Resample, refuses_boxes_and_tensors_without_an_extent) {
  const Tensor rgb = random_rgb(8, 8, 1);
  EXPECT_THROW(apply(rgb, {0, 0, 0, 8, false}, plain(16)), Error);
  EXPECT_THROW(apply(rgb, {0, 0, std::nan(""), 8, false}, plain(16)), Error);
  EXPECT_THROW(apply(rgb, {0, 0, 1e300, 8, false}, plain(16)), Error);
  Tensor small({3, 8, 8});
  EXPECT_THROW(transform_rgb(rgb, {0, 0, 8, 8, false}, plain(16), small.values<float>()), Error);
  EXPECT_THROW(transform_rgb(Tensor({8, 8, 1}, DType::kU8), {0, 0, 8, 8, false}, plain(16), small.values<float>()), Error);
}

TEST(Field, is_quantised_in_units_of_a_short_side_of_256) {
  // 64 pixels of short side: a displacement of 2.5 pixels counts as 10.
  Tensor field({2, 16, 20});
  for (std::int64_t i = 0; i < 320; ++i) {
    field.data<float>()[i] = 2.5F;
    field.data<float>()[320 + i] = -90.0F;
  }
  InputSpec input = motion_input(16);
  input.mean = {0};
  input.std = {1};
  const Tensor out = apply(field, {80, 64, 4}, {8, 0, 64, 64, false}, input);
  for (std::int64_t i = 0; i < 256; ++i) {
    ASSERT_EQ(out.data<float>()[i], 192.0F);  // 128 + 63.5, half to even
    ASSERT_EQ(out.data<float>()[256 + i], 1.0F);
  }
}

TEST(Field, is_still_at_the_mean_for_zero_motion) {
  const Tensor out = apply(Tensor({2, 5, 7}), {28, 20, 4}, {1, 1, 15, 15, true}, motion_input(16));
  for (const float value : out.values<float>()) ASSERT_EQ(value, 0.0F);
}

TEST(Field, is_mirrored_with_negated_x_and_unchanged_y_exactly) {
  const Tensor field = random_field(15, 20, 12, 9);
  const FieldGeometry geometry{79, 58, 4};
  const InputSpec input = motion_input(32);
  CropBox box{9.5, 3.25, 44, 51, false};
  const Tensor straight = apply(field, geometry, box, input);
  box.flip = true;
  const Tensor mirrored = apply(field, geometry, box, input);
  for (std::int64_t y = 0; y < 32; ++y) {
    for (std::int64_t x = 0; x < 32; ++x) {
      ASSERT_EQ(mirrored.data<float>()[y * 32 + x], -straight.data<float>()[y * 32 + 31 - x]);
      ASSERT_EQ(mirrored.data<float>()[1024 + y * 32 + x], straight.data<float>()[1024 + y * 32 + 31 - x]);
    }
  }
}

TEST(Field, lies_where_the_pixels_lie) {
  // A block of 4x4 cells moves; its picture is a white square on the same 16x16 pixels. Both are cut by the same odd box.
  Tensor field({2, 20, 25});
  Tensor rgb({80, 100, 3}, DType::kU8);
  for (std::int64_t y = 8; y < 12; ++y) {
    for (std::int64_t x = 10; x < 14; ++x) field.data<float>()[y * 25 + x] = 3.0F;
  }
  for (std::int64_t y = 32; y < 48; ++y) {
    for (std::int64_t x = 40; x < 56; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) rgb.data<std::uint8_t>()[(y * 100 + x) * 3 + c] = 255;
    }
  }
  const auto centre = [](const float* plane) {
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int i = 0; i < 64 * 64; ++i) {
      const double value = plane[i];
      sum += value;
      sum_x += value * (i % 64);
      sum_y += value * (i / 64);
    }
    return std::pair(sum_x / sum, sum_y / sum);
  };
  for (const bool flip : {false, true}) {
    const CropBox box{21.3, 12.6, 57.1, 61.7, flip};
    const Tensor motion = apply(field, {100, 80, 4}, box, motion_input(64));
    const Tensor picture = apply(rgb, box, plain(64));
    const auto [mx, my] = centre(motion.data<float>());
    const auto [px, py] = centre(picture.data<float>());
    EXPECT_NEAR(mx, px, 0.05);
    EXPECT_NEAR(my, py, 0.05);
  }
}

TEST(CentreCrop, takes_the_middle_square_in_source_pixels) {
  const CropBox box = centre_crop(320, 240, Framing{});
  EXPECT_DOUBLE_EQ(box.width, 210);
  EXPECT_DOUBLE_EQ(box.height, 210);
  EXPECT_DOUBLE_EQ(box.left, 55);
  EXPECT_DOUBLE_EQ(box.top, 15);
  EXPECT_FALSE(box.flip);
}

TEST(CentreCrop, takes_the_whole_frame_to_stretch_it) {
  const Framing framing{.resize = Resize::kStretch};
  EXPECT_EQ(centre_crop(321, 123, framing), (CropBox{0, 0, 321, 123, false}));
  Rng rng(1);
  bool flipped = false, straight = false;
  for (int i = 0; i < 50; ++i) {
    const CropBox box = random_crop(321, 123, framing, rng);
    EXPECT_EQ(box.width, 321);
    EXPECT_EQ(box.height, 123);
    (box.flip ? flipped : straight) = true;
  }
  EXPECT_TRUE(flipped && straight);
}

TEST(RandomCrop, draws_the_sizes_and_places_of_tsn) {
  Rng rng(2);
  std::set<std::pair<int, int>> sizes;
  std::set<std::pair<int, int>> places;
  int flips = 0;
  for (int i = 0; i < 4000; ++i) {
    const CropBox box = random_crop(340, 256, Framing{}, rng);
    sizes.emplace(std::lround(box.width), std::lround(box.height));
    const double room_x = 340 - box.width, room_y = 256 - box.height;
    places.emplace(std::lround(4 * box.left / room_x), room_y == 0 ? 0 : std::lround(4 * box.top / room_y));
    ASSERT_GE(box.left, 0);
    ASSERT_LE(box.left + box.width, 340 + 1e-9);
    ASSERT_GE(box.top, 0);
    ASSERT_LE(box.top + box.height, 256 + 1e-9);
    flips += box.flip ? 1 : 0;
  }
  EXPECT_EQ(sizes.size(), 10u);
  for (const auto& [width, height] : sizes) EXPECT_LE(std::abs(width - height), 32);
  EXPECT_EQ(places.count({2, 2}), 1u);
  EXPECT_EQ(places.count({4, 4}), 1u);
  EXPECT_NEAR(flips, 2000, 150);
}

TEST(RandomCrop, draws_every_width_with_every_height_where_all_pairs_are_allowed) {
  Rng rng(2), near(2);
  std::map<std::pair<int, int>, int> sizes;
  for (int i = 0; i < 8000; ++i) {
    const CropBox box = random_crop(340, 256, Framing{}, rng, {.all_pairs = true});
    ++sizes[{std::lround(box.width), std::lround(box.height)}];
    random_crop(340, 256, Framing{}, near);
  }
  EXPECT_EQ(sizes.size(), 16u);
  for (const int width : {256, 224, 192, 168}) {
    for (const int height : {256, 224, 192, 168}) EXPECT_NEAR((sizes[{width, height}]), 500, 120) << width << " x " << height;
  }
  EXPECT_EQ(rng.next(), near.next()) << "as many draws";
}

// Trainings of earlier programs must go on with the same crops.
TEST(RandomCrop, of_near_pairs_draws_what_it_always_drew) {
  Rng rng(7);
  std::string text;
  for (int i = 0; i < 6; ++i) {
    const CropBox box = random_crop(340, 256, Framing{}, rng);
    text += fmt::format("{:g},{:g} {:g}x{:g}{}; ", box.left, box.top, box.width, box.height, box.flip ? " flip" : "");
  }
  EXPECT_EQ(text,
            "42,16 256x224 flip; 116,0 224x256 flip; 116,0 224x224 flip; 58,16 224x224 flip; 172,64 168x192; 86,32 168x192; ");
}

TEST(RandomCrop, scales_its_sizes_with_the_input_and_stays_inside) {
  Rng rng(2);
  const Framing framing{.size = 112, .short_side = 120};
  for (int i = 0; i < 200; ++i) {
    const CropBox box = random_crop(200, 120, framing, rng);
    EXPECT_LE(box.height, 120);
    EXPECT_GE(box.height, 84 - 1e-9);
    EXPECT_LE(box.width, 128 + 1e-9);
  }
}

TEST(RandomCrop, makes_the_same_choice_for_every_frame_size) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng one(seed), two(seed);
    const CropBox small = random_crop(160, 120, Framing{}, one, {.flip = true, .more_positions = true});
    const CropBox large = random_crop(640, 480, Framing{}, two, {.flip = true, .more_positions = true});
    EXPECT_NEAR(small.left * 4, large.left, 1e-9);
    EXPECT_NEAR(small.width * 4, large.width, 1e-9);
    EXPECT_EQ(small.flip, large.flip);
    EXPECT_EQ(one.next(), two.next());
  }
}

TEST(RandomCrop, never_flips_where_that_is_off) {
  Rng rng(4);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(random_crop(340, 256, Framing{}, rng, {.flip = false}).flip);
}

Tensor apply_image(const Tensor& image, int width, int height, const CropBox& box, const InputSpec& input) {
  Tensor out({2, input.size, input.size});
  transform_motion_image(image, width, height, box, input, out.values<float>());
  return out;
}

Tensor random_motion_image(std::int64_t height, std::int64_t width, std::uint64_t seed) {
  Tensor image({2, height, width}, DType::kU8);
  Rng rng(seed);
  for (auto& value : image.values<std::uint8_t>()) value = static_cast<std::uint8_t>(1 + rng.below(255));
  return image;
}

TEST(TransformMotionImage, equals_the_field_it_stands_for) {
  const InputSpec input = motion_input(24);
  const Tensor image = random_motion_image(40, 60, 1);
  Tensor field({2, 40, 60});
  // In pixels of a frame four times as large, of which a short side of 256 has 1.6.
  std::ranges::transform(image.values<std::uint8_t>(), field.data<float>(), [](std::uint8_t level) {
    return static_cast<float>((level - 128) * 20.0 / 127 * 160 / 256);
  });
  for (const CropBox& box : {CropBox{0, 0, 240, 160, false}, CropBox{31, 17.5, 100, 80, false}, CropBox{31, 17.5, 100, 80, true}}) {
    const Tensor from_image = apply_image(image, 240, 160, box, input), from_field = apply(field, {240, 160, 4}, box, input);
    for (std::int64_t i = 0; i < from_image.numel(); ++i) {
      ASSERT_NEAR(from_image.data<float>()[i], from_field.data<float>()[i], 1.001 / input.std[0]) << i;
    }
  }
}

TEST(TransformMotionImage, keeps_whole_levels_and_negates_x_exactly_when_it_is_mirrored) {
  const InputSpec input = motion_input(16);
  const Tensor image = random_motion_image(16, 16, 2);
  const Tensor out = apply_image(image, 320, 320, {0, 0, 320, 320, false}, input);
  const Tensor mirrored = apply_image(image, 320, 320, {0, 0, 320, 320, true}, input);
  for (std::int64_t y = 0; y < 16; ++y) {
    for (std::int64_t x = 0; x < 16; ++x) {
      const auto level = [&](const Tensor& t, std::int64_t plane, std::int64_t column) {
        return std::lround(t.data<float>()[(plane * 16 + y) * 16 + column] * input.std[0] + input.mean[0]);
      };
      EXPECT_EQ(level(out, 0, x), image.data<std::uint8_t>()[y * 16 + x]);
      EXPECT_EQ(level(mirrored, 0, 15 - x), 256 - image.data<std::uint8_t>()[y * 16 + x]);
      EXPECT_EQ(level(mirrored, 1, 15 - x), image.data<std::uint8_t>()[256 + y * 16 + x]);
    }
  }
}

TEST(TransformMotionImage, stretches_images_whose_proportions_are_rounded_over_the_whole_frame) {
  const InputSpec input = motion_input(16);
  Tensor image({2, 16, 21}, DType::kU8);  // of a frame of 320 x 240: 21.33 columns would be exact
  for (std::int64_t i = 0; i < image.numel(); ++i) image.data<std::uint8_t>()[i] = i % 21 == 20 ? 255 : 128;
  const Tensor out = apply_image(image, 320, 240, {0, 0, 320, 240, false}, input);
  EXPECT_GT(out.data<float>()[15], 1) << "the last column reaches the right border";
  EXPECT_EQ(out.data<float>()[0], 0);
}

TEST(TransformMotionImage, refuses_other_shapes) {
  const InputSpec input = motion_input(16);
  EXPECT_THROW(apply_image(Tensor({3, 8, 8}, DType::kU8), 8, 8, {0, 0, 8, 8, false}, input), Error);
  EXPECT_THROW(apply_image(Tensor({2, 8, 8}), 8, 8, {0, 0, 8, 8, false}, input), Error);
  EXPECT_THROW(apply_image(Tensor({2, 8, 8}, DType::kU8), 0, 8, {0, 0, 8, 8, false}, input), Error);
}

// A mistake of ours is not the caller's: it may end one clip, never a list of a million.
TEST(Invariants, are_internal_errors) {
  const auto code_of = [](const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kFailed;
  };
  const InputSpec input = plain(16), moving = motion_input(16);
  const CropBox whole{0, 0, 8, 8, false};
  Tensor out({3, 16, 16}), small({2, 2, 2});
  const Tensor rgb({8, 8, 3}, DType::kU8);
  Rng rng(1);
  const std::vector<std::function<void()>> mistakes = {
      [&] {
        transform_rgb(rgb, {0, 0, 0, 8, false}, input, out.values<float>());
      },
      [&] { transform_rgb(rgb, whole, input, small.values<float>()); },
      [&] {
        transform_rgb(Tensor({8, 8}), whole, input, out.values<float>());
      },
      [&] {
        transform_field(Tensor({3, 8, 8}), {8, 8, 1}, whole, moving, out.values<float>());
      },
      [&] {
        transform_motion_image(Tensor({2, 8, 8}, DType::kU8), 0, 8, whole, moving, out.values<float>());
      },
      [&] {
        SnippetAssembler({{1}, 3}, {input}, [&](int, int) { return whole; }).take();
      },
      [&] {
        ViewAssembler({SnippetAssembler({{1}, 3}, {input}, [&](int, int) { return whole; })}).take();
      },
      [&] { centre_crop(0, 8, Framing{}); },
      [&] { sample_segments(0, 3, Sampling::kCentre, rng); }};
  for (std::size_t i = 0; i < mistakes.size(); ++i) EXPECT_EQ(code_of(mistakes[i]), ErrorCode::kInternal) << i;
  InputSpec two = input;
  two.mean = {1, 2};
  EXPECT_EQ(code_of([&] { transform_rgb(rgb, whole, two, out.values<float>()); }), ErrorCode::kUsage) << "a record is the caller's";
}

TEST(Transform, gives_the_same_bits_on_every_instruction_set) {
  const Tensor rgb = random_rgb(37, 53, 5), field = random_field(9, 14, 12, 6);
  InputSpec colours = plain(45), moving = motion_input(45);
  colours.mean = {12, 100.5, 200};
  colours.std = {3, 50, 127.5};
  const auto all = [&] {
    return std::pair(apply(rgb, {3.25, 1.5, 40.5, 31, true}, colours), apply(field, {56, 36, 4}, {2, 1.5, 50.25, 33, false}, moving));
  };
  const std::int64_t available = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(HWY_SCALAR);
  const auto expected = all();
  for (const std::int64_t target : {HWY_SSSE3, HWY_SSE4, HWY_AVX2, HWY_AVX3, HWY_AVX3_DL}) {
    if ((available & target) == 0) continue;
    hwy::SetSupportedTargetsForTest(target);
    const auto got = all();
    EXPECT_TRUE(std::ranges::equal(got.first.values<float>(), expected.first.values<float>())) << hwy::TargetName(target);
    EXPECT_TRUE(std::ranges::equal(got.second.values<float>(), expected.second.values<float>())) << hwy::TargetName(target);
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace
}  // namespace actio::data

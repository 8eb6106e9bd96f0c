// Depthwise convolutions of 8 bits beside plain loops in 64-bit integers, on every instruction set of this machine.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "runtime/depthwise_int8.h"

namespace actio::runtime {
namespace {

using Out = DepthwiseInt8::Out;

struct Case {
  DepthwiseInt8 op;
  std::vector<std::uint8_t> in;
  std::vector<std::int8_t> weight;
  std::vector<float> bias, factors;

  std::size_t out_size() const { return static_cast<std::size_t>(op.images * op.out_height * op.out_width * op.channels); }
};

// Heights, widths, and padding before and after; any channels.
DepthwiseInt8 shape_of(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t stride_y, std::int64_t stride_x,
                       const std::array<std::int64_t, 4>& padding) {
  DepthwiseInt8 op{.images = 2, .channels = channels, .height = height, .width = width, .stride_y = stride_y, .stride_x = stride_x};
  op.top = padding[0], op.left = padding[1];
  op.out_height = (height + padding[0] + padding[2] - 3) / stride_y + 1;
  op.out_width = (width + padding[1] + padding[3] - 3) / stride_x + 1;
  return op;
}

Case random_case(const DepthwiseInt8& op, std::uint64_t seed) {
  Rng rng(seed);
  Case made{op, std::vector<std::uint8_t>(static_cast<std::size_t>(op.images * op.height * op.width * op.channels)), {}, {}, {}};
  for (std::uint8_t& value : made.in) value = static_cast<std::uint8_t>(rng.below(256));
  for (std::int64_t i = 0; i < 9 * op.channels; ++i) made.weight.push_back(static_cast<std::int8_t>(static_cast<int>(rng.below(256)) - 128));
  for (std::int64_t c = 0; c < op.channels; ++c) {
    made.bias.push_back(static_cast<float>(2e4 * rng.normal()));
    made.factors.push_back(static_cast<float>(3e-3 * (0.1 + rng.uniform())));
  }
  return made;
}

std::int64_t sum_at(const Case& c, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t channel) {
  std::int64_t sum = 0;
  for (std::int64_t ky = 0; ky < 3; ++ky) {
    for (std::int64_t kx = 0; kx < 3; ++kx) {
      const std::int64_t from_y = y * c.op.stride_y + ky - c.op.top, from_x = x * c.op.stride_x + kx - c.op.left;
      if (from_y < 0 || from_x < 0 || from_y >= c.op.height || from_x >= c.op.width) continue;
      const std::uint8_t bits = c.in[static_cast<std::size_t>(((image * c.op.height + from_y) * c.op.width + from_x) * c.op.channels + channel)];
      const std::int64_t value = c.op.in_signed && bits > 127 ? bits - 256 : bits;
      sum += value * c.weight[static_cast<std::size_t>((3 * ky + kx) * c.op.channels + channel)];
    }
  }
  return sum;
}

// As the output would be read: 8 bits as numbers, too.
std::vector<float> expected_of(const Case& c) {
  std::vector<float> results;
  for (std::int64_t row = 0; row < c.op.images * c.op.out_height; ++row) {
    for (std::int64_t x = 0; x < c.op.out_width; ++x) {
      for (std::int64_t channel = 0; channel < c.op.channels; ++channel) {
        const auto at = static_cast<std::size_t>(channel);
        const auto sum = static_cast<float>(sum_at(c, row / c.op.out_height, row % c.op.out_height, x, channel));
        float value = sum + c.bias[at];
        value *= c.factors[at];
        if (c.op.out == Out::kU8) value = std::nearbyint(std::clamp(value, 0.0F, 255.0F));
        if (c.op.out == Out::kS8) value = std::nearbyint(std::clamp(value, -128.0F, 127.0F));
        if (c.op.out == Out::kF32 && c.op.activation != Activation::kNone) value = std::max(value, 0.0F);
        if (c.op.out == Out::kF32 && c.op.activation == Activation::kRelu6) value = std::min(value, 6.0F);
        results.push_back(value);
      }
    }
  }
  return results;
}

// Buffers end where their last element does: a sanitizer sees a step beyond.
std::vector<float> result_of(const Case& c, DepthwiseRows rows, int threads = 1) {
  const std::size_t size = c.out_size(), bytes = c.op.out == Out::kF32 ? sizeof(float) : 1;
  std::vector<std::uint8_t> out(size * bytes, 77);
  run_depthwise(rows, c.op, {c.in.data(), c.weight.data(), c.bias.data(), c.factors.data(), out.data()}, threads);
  std::vector<float> results(size);
  if (c.op.out == Out::kF32) std::memcpy(results.data(), out.data(), size * bytes);
  for (std::size_t i = 0; i < size && c.op.out != Out::kF32; ++i) {
    results[i] = c.op.out == Out::kS8 ? static_cast<std::int8_t>(out[i]) : out[i];
  }
  return results;
}

class DepthwiseInt8Kernels : public ::testing::Test {
 protected:
  struct Kernel {
    std::string name;
    DepthwiseRows rows;
  };

  // Each once, beginning with the plain loops.
  DepthwiseInt8Kernels() {
    const std::int64_t available = hwy::SupportedTargets();
    add("plain", depthwise_rows_plainly);
    for (const std::int64_t target : {HWY_SCALAR, HWY_SSSE3, HWY_SSE4, HWY_AVX2, HWY_AVX3}) {
      if ((available & target) == 0 && target != HWY_SCALAR) continue;
      hwy::SetSupportedTargetsForTest(target);
      for (const bool dot8 : {false, true}) add(fmt::format("{}{}", hwy::TargetName(target), dot8 ? " with VNNI" : ""), depthwise_rows(512, dot8));
    }
    hwy::SetSupportedTargetsForTest(0);
  }

  void expect_all_as_expected(const Case& c) const {
    const std::vector<float> expected = expected_of(c);
    for (const Kernel& kernel : kernels_) EXPECT_EQ(result_of(c, kernel.rows), expected) << kernel.name;
  }

  void add(const std::string& name, DepthwiseRows rows) {
    if (std::ranges::find(kernels_, rows, &Kernel::rows) == kernels_.end()) kernels_.push_back({name, rows});
  }

  std::vector<Kernel> kernels_;
};

TEST_F(DepthwiseInt8Kernels, give_what_plain_loops_give_for_every_shape_and_type) {
  std::uint64_t seed = 1;
  for (const std::int64_t channels : {1, 3, 7, 16, 17, 32, 40, 64, 96, 144}) {
    for (const auto& [height, width] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {1, 9}, {8, 1}, {2, 2}, {7, 5}, {19, 6}}) {
      for (const auto& [stride_y, stride_x] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {2, 2}, {1, 2}, {2, 1}}) {
        for (const std::array<std::int64_t, 4>& padding : {std::array<std::int64_t, 4>{1, 1, 1, 1}, {0, 0, 2, 2}, {2, 3, 1, 0}, {0, 1, 0, 1}}) {
          if (height + padding[0] + padding[2] < 3 || width + padding[1] + padding[3] < 3) continue;
          DepthwiseInt8 op = shape_of(channels, height, width, stride_y, stride_x, padding);
          op.in_signed = seed % 2 == 0;
          op.out = static_cast<Out>(seed / 2 % 3);
          op.activation = static_cast<Activation>(op.out == Out::kF32 ? seed / 6 % 3 : 0);
          SCOPED_TRACE(fmt::format("{} channels, {} x {}, strides {} {}, padding {} {} {} {}, signed {}, out {}, activation {}", channels, height, width,
                                   stride_y, stride_x, padding[0], padding[1], padding[2], padding[3], op.in_signed, seed / 2 % 3,
                                   static_cast<int>(op.activation)));
          expect_all_as_expected(random_case(op, seed++));
        }
      }
    }
  }
}

TEST_F(DepthwiseInt8Kernels, go_on_where_a_row_is_longer_than_what_they_take_at_once) {
  for (const std::int64_t stride : {1, 2}) {
    for (const std::int64_t channels : {16, 32, 80}) {
      SCOPED_TRACE(fmt::format("{} channels, stride {}", channels, stride));
      expect_all_as_expected(random_case(shape_of(channels, 5, 203, stride, stride, {1, 1, 1, 1}), 3));
    }
  }
}

TEST_F(DepthwiseInt8Kernels, sum_the_largest_values_exactly) {
  for (const bool is_signed : {false, true}) {
    for (const int weight : {-128, 127}) {
      DepthwiseInt8 op = shape_of(64, 6, 6, 1, 1, {1, 1, 1, 1});
      op.in_signed = is_signed;
      op.out = Out::kF32;
      Case c = random_case(op, 5);
      std::ranges::fill(c.in, is_signed ? 0x80 : 255);
      std::ranges::fill(c.weight, static_cast<std::int8_t>(weight));
      std::ranges::fill(c.bias, 0.0F);
      std::ranges::fill(c.factors, 1.0F);
      const std::vector<float> expected = expected_of(c);
      EXPECT_EQ(std::max(std::abs(std::ranges::min(expected)), std::abs(std::ranges::max(expected))),
                std::abs(static_cast<float>(9 * (is_signed ? 128 : 255) * weight)));
      expect_all_as_expected(c);
    }
  }
}

TEST_F(DepthwiseInt8Kernels, round_halves_to_even) {
  DepthwiseInt8 op = shape_of(64, 4, 4, 1, 1, {1, 1, 1, 1});
  Case c = random_case(op, 6);
  std::ranges::fill(c.factors, 0.5F);
  for (float& bias : c.bias) bias = 0;
  for (std::size_t i = 0; i < c.weight.size(); ++i) c.weight[i] = i / 64 == 4;  // the middle
  c.op.out = Out::kU8;
  const std::vector<float> results = result_of(c, kernels_.back().rows);
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], std::nearbyint(0.5F * c.in[i]));
  expect_all_as_expected(c);
}

TEST_F(DepthwiseInt8Kernels, divide_the_rows_among_threads) {
  const Case c = random_case(shape_of(72, 41, 5, 1, 1, {1, 1, 1, 1}), 7);
  for (const int threads : {1, 2, 5}) EXPECT_EQ(result_of(c, kernels_.back().rows, threads), expected_of(c)) << threads;
}

TEST_F(DepthwiseInt8Kernels, stay_within_the_width_that_they_are_held_to) {
  const DepthwiseRows wide = depthwise_rows(512, false), narrow = depthwise_rows(256, false);
  hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & ~(HWY_AVX2 - 1));
  EXPECT_EQ(depthwise_rows(512, false), narrow);
  hwy::SetSupportedTargetsForTest(0);
  EXPECT_EQ(wide == narrow, (hwy::SupportedTargets() & HWY_AVX3) == 0);
}

TEST(DepthwiseInt8, fits_where_no_result_leaves_32_bits) {
  EXPECT_TRUE(depthwise_fits(std::vector<float>{0, 1e5F}, std::vector<float>{1, 1e-3F}));
  EXPECT_FALSE(depthwise_fits(std::vector<float>{0, 0}, std::vector<float>{1, 1e4F}));
  EXPECT_FALSE(depthwise_fits(std::vector<float>{3e9F, 0}, std::vector<float>{1, 1}));
  EXPECT_FALSE(depthwise_fits(std::vector<float>{NAN}, std::vector<float>{1}));
}

}  // namespace
}  // namespace actio::runtime

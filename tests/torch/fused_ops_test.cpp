// Our own kernels against LibTorch's in double precision: values, all gradients and running statistics.
#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "torch/graph/fused_ops.h"
#include "torch/graph/ops.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train {
namespace {

// The largest difference over the largest magnitude.
double distance(const at::Tensor& actual, const at::Tensor& expected) {
  EXPECT_EQ(actual.sizes(), expected.sizes());
  EXPECT_TRUE(actual.isfinite().all().item<bool>());
  const at::Tensor a = actual.to(at::kDouble), b = expected.to(at::kDouble);
  return ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item<double>();
}

at::Tensor leaf(const at::Tensor& x) { return x.detach().clone().set_requires_grad(true); }

at::Tensor random(at::IntArrayRef sizes, std::uint64_t seed) {
  at::Generator generator = make_generator(at::kCPU, seed);
  return at::randn(sizes, generator);
}

struct NormCase {
  std::vector<std::int64_t> sizes;
  Activation activation;
  bool training;
  double offset;  // of the input's mean from zero
};

at::Tensor expected_norm(const at::Tensor& x, const NormParams& p, const NormSettings& s) {
  const at::Tensor y =
      at::batch_norm(x, p.weight, p.bias, p.running_mean, p.running_var, s.training, s.momentum, s.epsilon, false);
  if (s.activation == Activation::kNone) return y;
  return s.activation == Activation::kRelu ? at::relu(y) : torch_train::relu6(y);
}

void check_norm(const NormCase& c, at::ScalarType type, double allowed) {
  const at::Tensor input = channels_last(random(c.sizes, 1) * 3 + c.offset).to(type);
  const std::int64_t channels = c.sizes[1];
  const NormSettings settings{c.training, 0.2, 1e-3, c.activation};
  const at::Tensor direction = random(c.sizes, 5);
  struct Result {
    at::Tensor y, dx;
    NormParams p;
  };
  const auto run = [&](at::ScalarType param_type, const at::Tensor& source, const auto& op) {
    Result r;
    r.p = {leaf((random({channels}, 2) + 1).to(param_type)), leaf((random({channels}, 3) * 2).to(param_type)),
           (random({channels}, 4) + c.offset).to(param_type), (random({channels}, 6).abs() + 0.5).to(param_type)};
    const at::Tensor x = leaf(source);
    r.y = op(x, r.p, settings);
    (r.y.to(at::kDouble) * direction).sum().backward();
    r.dx = x.grad();
    return r;
  };
  const Result actual = run(at::kFloat, input, fused_batch_norm);
  const Result expected = run(at::kDouble, input.to(at::kDouble), expected_norm);
  EXPECT_EQ(actual.y.scalar_type(), type);
  EXPECT_LT(distance(actual.y, expected.y), allowed);
  EXPECT_LT(distance(actual.dx, expected.dx), allowed);
  EXPECT_LT(distance(actual.p.running_mean, expected.p.running_mean), 1e-5);
  EXPECT_LT(distance(actual.p.running_var, expected.p.running_var), 1e-4);
  if (!c.training) return;
  EXPECT_LT(distance(actual.p.weight.grad(), expected.p.weight.grad()), allowed);
  EXPECT_LT(distance(actual.p.bias.grad(), expected.p.bias.grad()), allowed);
}

TEST(FusedBatchNorm, equals_batch_norm_and_activation_in_values_gradients_and_statistics) {
  const NormCase cases[] = {
      {{4, 16, 7, 5}, Activation::kNone, true, 0},  {{4, 16, 7, 5}, Activation::kRelu, true, 0},
      {{4, 16, 7, 5}, Activation::kRelu6, true, 0}, {{3, 5, 1, 1}, Activation::kRelu, true, 0},
      {{2, 1, 3, 3}, Activation::kRelu6, true, 0},  {{2, 37, 40, 41}, Activation::kRelu6, true, 1},
      {{9, 24}, Activation::kRelu, true, 0},        {{4, 16, 7, 5}, Activation::kRelu6, false, 0},
      {{2, 33, 6, 6}, Activation::kNone, false, 2}, {{1, 200, 2, 1}, Activation::kRelu, true, 0},
  };
  for (const NormCase& c : cases) {
    SCOPED_TRACE(
        fmt::format("[{}] activation {} training {}", fmt::join(c.sizes, ", "), static_cast<int>(c.activation), c.training));
    check_norm(c, at::kFloat, 2e-5);
    check_norm(c, at::kBFloat16, 2e-2);
  }
}

TEST(FusedBatchNorm, does_not_lose_digits_where_the_mean_is_far_from_zero) {
  check_norm({{8, 12, 30, 30}, Activation::kNone, true, 1000}, at::kFloat, 1e-3);
}

TEST(FusedBatchNorm, passes_nan_on_instead_of_hiding_it_behind_the_activation) {
  at::Tensor x = channels_last(random({2, 4, 3, 3}, 1));
  x[1][2][0][0] = std::numeric_limits<double>::quiet_NaN();
  const NormParams p{at::ones({4}), at::zeros({4}), at::zeros({4}), at::ones({4})};
  for (const bool bf16 : {false, true}) {
    const at::Tensor y = fused_batch_norm(bf16 ? x.to(at::kBFloat16) : x, p, {false, 0.1, 1e-5, Activation::kRelu6});
    EXPECT_TRUE(y[1][2][0][0].isnan().item<bool>());
    EXPECT_EQ(y.isnan().sum().item<std::int64_t>(), 1);
  }
}

TEST(FusedBatchNorm, gives_the_same_bits_whatever_the_number_of_threads) {
  const at::Tensor x = channels_last(random({4, 24, 33, 31}, 1));
  std::vector<at::Tensor> results;
  for (const std::int64_t threads : {1, 2, 3}) {
    set_thread_count(threads);
    const NormParams p{at::ones({24}), at::zeros({24}), at::zeros({24}), at::ones({24})};
    const at::Tensor input = leaf(x);
    const at::Tensor y = fused_batch_norm(input, p, {true, 0.1, 1e-5, Activation::kRelu});
    (y * y).sum().backward();
    results.push_back(at::cat({y.detach().flatten(), input.grad().flatten(), p.running_var}));
  }
  set_thread_count(1);
  EXPECT_TRUE(at::equal(results[0], results[1]));
  EXPECT_TRUE(at::equal(results[0], results[2]));
}

void check_addition(const NormCase& c, at::ScalarType type, double allowed) {
  const at::Tensor x = channels_last(random(c.sizes, 1)).to(type), skip = channels_last(random(c.sizes, 2) * 2).to(type);
  const at::Tensor direction = random(c.sizes, 3);
  struct Result {
    at::Tensor y, x, skip;
    NormParams p;
  };
  const auto run = [&](at::ScalarType as, at::ScalarType param_type, const auto& op) {
    const auto vector = [&](std::uint64_t seed) { return random({c.sizes[1]}, seed).to(param_type); };
    const NormParams p{leaf(vector(4) + 1), leaf(vector(5)), vector(6), vector(7).abs() + 0.5};
    Result r{{}, leaf(x.to(as)), leaf(skip.to(as)), p};
    r.y = op(r);
    (r.y.to(at::kDouble) * direction).sum().backward();
    return r;
  };
  const Result actual = run(type, at::kFloat, [&](const Result& r) {
    return fused_batch_norm_and_add(r.x, r.skip, r.p, {c.training, 0.2, 1e-3, c.activation});
  });
  const Result expected = run(at::kDouble, at::kDouble, [&](const Result& r) {
    const at::Tensor sum = expected_norm(r.x, r.p, {c.training, 0.2, 1e-3}) + r.skip;
    return c.activation == Activation::kNone ? sum : at::relu(sum);
  });
  EXPECT_EQ(actual.y.scalar_type(), type);
  EXPECT_LT(distance(actual.y, expected.y), allowed);
  EXPECT_LT(distance(actual.x.grad(), expected.x.grad()), allowed);
  EXPECT_LT(distance(actual.skip.grad(), expected.skip.grad()), allowed);
  if (!c.training) return;
  EXPECT_LT(distance(actual.p.weight.grad(), expected.p.weight.grad()), allowed);
  EXPECT_LT(distance(actual.p.bias.grad(), expected.p.bias.grad()), allowed);
}

TEST(FusedBatchNorm, adds_before_the_activation_and_sends_the_gradient_both_ways) {
  const std::vector<std::vector<std::int64_t>> shapes = {{3, 19, 6, 7}, {9, 24}, {1, 8, 40, 1}};
  for (const Activation activation : {Activation::kNone, Activation::kRelu}) {
    for (const bool training : {true, false}) {
      for (const std::vector<std::int64_t>& sizes : shapes) {
        SCOPED_TRACE(fmt::format("[{}] activation {} training {}", fmt::join(sizes, ", "), static_cast<int>(activation),
                                 training));
        check_addition({sizes, activation, training, 0}, at::kFloat, 2e-5);
        check_addition({sizes, activation, training, 0}, at::kBFloat16, 2e-2);
      }
    }
  }
}

struct DepthwiseCase {
  std::vector<std::int64_t> sizes;
  std::array<std::int64_t, 2> kernel, stride, dilation;
  net::Padding padding;
};

void check_depthwise(const DepthwiseCase& c, at::ScalarType type, double allowed) {
  net::Attrs attrs;
  attrs.channels = attrs.groups = c.sizes[1];
  attrs.kernel = c.kernel;
  attrs.stride = c.stride;
  attrs.dilation = c.dilation;
  attrs.padding = c.padding;
  const at::Tensor input = channels_last(random(c.sizes, 1)).to(type);
  const at::Tensor weights = random({c.sizes[1], 1, c.kernel[0], c.kernel[1]}, 2);
  ASSERT_TRUE(can_run_depthwise(attrs, input, weights));
  const at::Tensor x = leaf(input), w = leaf(weights), wide_x = leaf(input.to(at::kDouble)),
                   wide_w = leaf(weights.to(at::kDouble));
  const at::Tensor y = depthwise_conv2d(attrs, x, w), expected = conv2d(attrs, wide_x, wide_w, {});
  const at::Tensor direction = random(expected.sizes(), 3);
  (y.to(at::kDouble) * direction).sum().backward();
  (expected * direction).sum().backward();
  EXPECT_EQ(y.scalar_type(), type);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_LT(distance(y, expected), allowed);
  EXPECT_LT(distance(x.grad(), wide_x.grad()), allowed);
  EXPECT_LT(distance(w.grad(), wide_w.grad()), allowed);
}

TEST(DepthwiseConv2d, equals_conv2d_in_values_and_gradients) {
  const DepthwiseCase cases[] = {
      {{2, 16, 7, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, {{3, 24, 8, 6}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
      {{2, 19, 9, 9}, {3, 3}, {2, 2}, {1, 1}, {0, 1, 0, 1}}, {{1, 96, 28, 28}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
      {{2, 2, 5, 4}, {3, 3}, {1, 2}, {1, 1}, {2, 0, 1, 3}},  {{2, 8, 9, 9}, {3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}},
      {{2, 5, 6, 7}, {1, 3}, {1, 1}, {1, 1}, {0, 0, 1, 1}},  {{2, 33, 4, 4}, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
      {{1, 40, 1, 1}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, {{1, 3, 2, 2}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
      {{2, 17, 7, 5}, {3, 3}, {3, 3}, {1, 1}, {4, 4, 4, 4}},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    SCOPED_TRACE(i);
    check_depthwise(cases[i], at::kFloat, 1e-5);
    check_depthwise(cases[i], at::kBFloat16, 1e-2);
  }
}

#if TORCH_VERSION_MAJOR < 2  // whose oneDNN has the fault; later ones ask more of an allocator
// Knows the bytes behind every tensor's, and counts the tensors behind whose end something was written.
class FencedMemory final : public at::Allocator {
 public:
  FencedMemory() : before_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, kPriority); }
  ~FencedMemory() override { c10::SetCPUAllocator(before_, kPriority); }
  FencedMemory(const FencedMemory&) = delete;
  FencedMemory& operator=(const FencedMemory&) = delete;

  at::DataPtr allocate(std::size_t bytes) const override {
    const std::size_t front = kFence, whole = (front + bytes + kFence + 63) / 64 * 64;
    auto* const block = static_cast<unsigned char*>(std::aligned_alloc(64, whole));
    std::memcpy(block, &bytes, sizeof bytes);
    std::memset(block + front + bytes, kByte, kFence);
    return {block + front, block + front, &release, at::kCPU};
  }
  at::DeleterFnPtr raw_deleter() const override { return &release; }

  static inline int broken = 0;

 private:
  static constexpr std::size_t kFence = 4096;
  static constexpr unsigned char kByte = 0xA5;
  static constexpr std::uint8_t kPriority = 100;

  static void release(void* pointer) {
    if (pointer == nullptr) return;
    unsigned char* const block = static_cast<unsigned char*>(pointer) - kFence;
    std::size_t bytes = 0;
    std::memcpy(&bytes, block, sizeof bytes);
    const unsigned char* const fence = block + kFence + bytes;
    broken += std::any_of(fence, fence + kFence, [](unsigned char byte) { return byte != kByte; }) ? 1 : 0;
    std::free(block);
  }

  at::Allocator* before_;
};

// oneDNN 2.6 writes past a block here on AVX2 alone.
TEST(Conv2d, of_one_pixel_with_a_stride_over_few_channels_writes_into_its_own_memory_alone) {
  FencedMemory::broken = 0;
  for (std::int64_t channels = 1; channels < 10; ++channels) {
    SCOPED_TRACE(channels);
    const FencedMemory memory;
    net::Attrs attrs;
    attrs.channels = 16;
    attrs.kernel = {1, 1};
    attrs.stride = {2, 2};
    const at::Tensor x = leaf(channels_last(random({2, channels, 14, 14}, 1))), w = leaf(random({16, channels, 1, 1}, 2));
    const at::Tensor direction = random({2, 16, 7, 7}, 3);
    (conv2d(attrs, x, w, {}) * direction).sum().backward();
    at::Tensor expected = at::zeros({2, channels, 14, 14});
    const at::Tensor back = at::matmul(w.detach().reshape({16, channels}).t(), direction.reshape({2, 16, 49})).reshape({2, channels, 7, 7});
    expected.slice(2, 0, 14, 2).slice(3, 0, 14, 2).copy_(back);
    EXPECT_LT(distance(x.grad(), expected), 1e-5);
  }
  EXPECT_EQ(FencedMemory::broken, 0);
}
#endif

TEST(DepthwiseConv2d, leaves_other_convolutions_to_libtorch) {
  net::Attrs attrs;
  attrs.channels = attrs.groups = 8;
  attrs.kernel = {3, 3};
  const at::Tensor x = at::zeros({1, 8, 9, 9});
  EXPECT_TRUE(can_run_depthwise(attrs, x, at::zeros({8, 1, 3, 3})));
  EXPECT_FALSE(can_run_depthwise(attrs, x.to(at::kDouble), at::zeros({8, 1, 3, 3})));
  attrs.kernel = {5, 5};
  EXPECT_FALSE(can_run_depthwise(attrs, x, at::zeros({8, 1, 5, 5})));
  attrs.kernel = {3, 3};
  attrs.channels = 16;
  EXPECT_FALSE(can_run_depthwise(attrs, x, at::zeros({16, 1, 3, 3})));
}

}  // namespace
}  // namespace actio::torch_train

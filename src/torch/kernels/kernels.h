// torch: inner loops on channels-last images for which LibTorch 1.13 has no quick version. In and out: raw rows, f32 or
// bfloat16; weights and sums in f32. Single-threaded: the caller divides the rows. T is float or Bf16.
#pragma once

#include <cstdint>
#include <limits>

namespace actio::torch_train::kernels {

struct Bf16 {
  std::uint16_t bits;
};

struct Block {
  std::int64_t rows = 0;
  std::int64_t channels = 0;
};

// clamp(x * scale[c] + shift[c], low, high): a batch norm with no activation, relu (0, infinity) or relu6 (0, 6).
struct Affine {
  const float* scale;
  const float* shift;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// sum[c] += x - pivot[c] and squares[c] += (x - pivot[c])^2.
template <typename T>
void add_moments(Block block, const T* x, const float* pivot, float* sum, float* squares);

template <typename T>
void apply_affine(Block block, const Affine& affine, const T* x, T* y);

// y = clamp(x * scale[c] + shift[c] + skip, low, high).
template <typename T>
void apply_affine_and_add(Block block, const Affine& affine, const T* x, const T* skip, T* y);

// Let g' be g where the clamp let its argument through, else 0. sum[c] += g' and product[c] += g' * (x - pivot[c]).
struct GradientSums {
  const float* pivot;
  float* sum;
  float* product;
};
template <typename T>
void add_gradient_sums(Block block, const Affine& affine, const T* x, const T* g, const GradientSums& sums);

// The same behind apply_affine_and_add, whose result y tells what the clamp let through; g' is written, too.
template <typename T>
struct JoinedImages {
  const T* x;
  const T* g;
  const T* y;
  T* change;  // g'
};
template <typename T>
void add_joined_gradient_sums(Block block, const Affine& affine, const JoinedImages<T>& images, const GradientSums& sums);

// dx = of_g[c] * g' + of_x[c] * x + constant[c].
struct InputGradient {
  const float* of_g;
  const float* of_x;
  const float* constant;
};
template <typename T>
struct GradientImages {
  const T* x;
  const T* g;
  T* dx;
};
template <typename T>
void input_gradient(Block block, const Affine& affine, const InputGradient& factors, const GradientImages<T>& images);

// A depthwise convolution: channel c of the output sees channel c of the input only. Kernels up to 3 x 3.
constexpr int kMaxDepthwiseKernel = 3;
struct Depthwise {
  std::int64_t channels = 0;
  std::int64_t in_height = 0, in_width = 0, out_height = 0, out_width = 0;
  std::int64_t kernel_height = 0, kernel_width = 0;
  std::int64_t stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1;
  std::int64_t top = 0, left = 0;
};

// One row of the output of one image. image: [in_height, in_width, C], weight: [kh, kw, C].
template <typename T>
void depthwise_row(const Depthwise& shape, const T* image, const float* weight, std::int64_t y, T* out_row);

// One row of the gradient of one image. gradient: [out_height, out_width, C].
template <typename T>
void depthwise_input_gradient_row(const Depthwise& shape, const T* gradient, const float* weight, std::int64_t y, T* in_row);

// Adds what output row y of one image contributes to the weight's gradient. sums: [kh, kw, C].
template <typename T>
void add_depthwise_weight_gradient(const Depthwise& shape, const T* image, const T* gradient_row, std::int64_t y,
                                   float* sums);

// One step of stochastic gradient descent in one pass: velocity = momentum * velocity + scale * gradient + decay * weight;
// weight -= rate * velocity.
struct MomentumStep {
  float scale = 1, decay = 0, momentum = 0, rate = 0;
};
void momentum_step(std::int64_t count, const MomentumStep& step, const float* gradient, float* velocity, float* weight);

// The same of RMSProp without momentum, g being scale * gradient + decay * weight: square = keep * square + (1 - keep) * g^2;
// weight -= rate * g / (sqrt(square) + tiny).
struct RmsStep {
  float scale = 1, decay = 0, keep = 0, take = 1, rate = 0, tiny = 0;  // take: 1 - keep, which f32 would round
};
void rms_step(std::int64_t count, const RmsStep& step, const float* gradient, float* square, float* weight);

// And of AdamW, g being scale * gradient: weight *= 1 - shrink; mean = keep_mean * mean + (1 - keep_mean) * g; square as above;
// weight -= rate * mean / (sqrt(square * correction) + tiny).
struct AdamStep {
  float scale = 1, shrink = 0, keep_mean = 0, take_mean = 1, keep_square = 0, take_square = 1, correction = 1, rate = 0, tiny = 0;
};
void adam_step(std::int64_t count, const AdamStep& step, const float* gradient, float* mean, float* square, float* weight);

}  // namespace actio::torch_train::kernels

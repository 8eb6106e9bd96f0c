#include "torch/kernels/kernels.h"
#include "torch/kernels/kernels_simd.h"

namespace actio::torch_train::kernels {
namespace {

constexpr int kMaxTaps = kMaxDepthwiseKernel * kMaxDepthwiseKernel;

// The pixels that meet one place, and the weights [C] of the kernel that belong to them.
template <typename T>
struct Taps {
  int count = 0;
  const T* pixel[kMaxTaps];
  std::int64_t weight[kMaxTaps];  // offset
};

// What output pixel (y, x) reads.
template <typename T>
ACTIO_INLINE void input_taps(const Depthwise& s, const T* image, std::int64_t y, std::int64_t x, Taps<T>& taps) {
  taps.count = 0;
  for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
    const std::int64_t from_y = y * s.stride_y - s.top + ky * s.dilation_y;
    if (from_y < 0 || from_y >= s.in_height) continue;
    for (std::int64_t kx = 0; kx < s.kernel_width; ++kx) {
      const std::int64_t from_x = x * s.stride_x - s.left + kx * s.dilation_x;
      if (from_x < 0 || from_x >= s.in_width) continue;
      taps.pixel[taps.count] = image + (from_y * s.in_width + from_x) * s.channels;
      taps.weight[taps.count++] = (ky * s.kernel_width + kx) * s.channels;
    }
  }
}

// The output pixels that read input pixel (y, x).
template <typename T>
ACTIO_INLINE void output_taps(const Depthwise& s, const T* gradient, std::int64_t y, std::int64_t x, Taps<T>& taps) {
  taps.count = 0;
  for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
    const std::int64_t to_y = y + s.top - ky * s.dilation_y;
    if (to_y < 0 || to_y % s.stride_y != 0 || to_y / s.stride_y >= s.out_height) continue;
    for (std::int64_t kx = 0; kx < s.kernel_width; ++kx) {
      const std::int64_t to_x = x + s.left - kx * s.dilation_x;
      if (to_x < 0 || to_x % s.stride_x != 0 || to_x / s.stride_x >= s.out_width) continue;
      taps.pixel[taps.count] = gradient + (to_y / s.stride_y * s.out_width + to_x / s.stride_x) * s.channels;
      taps.weight[taps.count++] = (ky * s.kernel_width + kx) * s.channels;
    }
  }
}

template <int N, typename T>
ACTIO_INLINE void sum_taps(const Taps<T>& taps, const float* weight, std::int64_t channels, T* out) {
  const T* x[N + 1];
  const float* w[N + 1];
  for (int t = 0; t < N; ++t) {
    x[t] = taps.pixel[t];
    w[t] = weight + taps.weight[t];
  }
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) {
    float sum = 0;
#pragma GCC unroll 9
    for (int t = 0; t < N; ++t) sum += load(x[t][c]) * w[t][c];
    store(out[c], sum);
  }
}

// A window of at most 3 x 3 meets 0, 1, 2 or 3 rows and columns of an image.
template <typename T>
ACTIO_INLINE void sum_window(const Taps<T>& taps, const float* weight, std::int64_t channels, T* out) {
  switch (taps.count) {
    case 0: return sum_taps<0>(taps, weight, channels, out);
    case 1: return sum_taps<1>(taps, weight, channels, out);
    case 2: return sum_taps<2>(taps, weight, channels, out);
    case 3: return sum_taps<3>(taps, weight, channels, out);
    case 4: return sum_taps<4>(taps, weight, channels, out);
    case 6: return sum_taps<6>(taps, weight, channels, out);
    default: return sum_taps<9>(taps, weight, channels, out);
  }
}

template <int N, typename T>
ACTIO_INLINE void add_products(const Taps<T>& taps, const T* gradient, std::int64_t channels, float* sums) {
  const T* x[N];
  float* sum[N];
  for (int t = 0; t < N; ++t) {
    x[t] = taps.pixel[t];
    sum[t] = sums + taps.weight[t];
  }
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) {
    const float g = load(gradient[c]);
#pragma GCC unroll 9
    for (int t = 0; t < N; ++t) sum[t][c] += load(x[t][c]) * g;
  }
}

template <typename T>
ACTIO_INLINE void add_window(const Taps<T>& taps, const T* gradient, std::int64_t channels, float* sums) {
  switch (taps.count) {
    case 0: return;
    case 1: return add_products<1>(taps, gradient, channels, sums);
    case 2: return add_products<2>(taps, gradient, channels, sums);
    case 3: return add_products<3>(taps, gradient, channels, sums);
    case 4: return add_products<4>(taps, gradient, channels, sums);
    case 6: return add_products<6>(taps, gradient, channels, sums);
    default: return add_products<9>(taps, gradient, channels, sums);
  }
}

template <typename T>
ACTIO_INLINE void forward_row(const Depthwise& s, const T* image, const float* weight, std::int64_t y, T* out_row) {
  Taps<T> taps;
  for (std::int64_t x = 0; x < s.out_width; ++x) {
    input_taps(s, image, y, x, taps);
    sum_window(taps, weight, s.channels, out_row + x * s.channels);
  }
}

template <typename T>
ACTIO_INLINE void input_gradient_row(const Depthwise& s, const T* gradient, const float* weight, std::int64_t y, T* in_row) {
  Taps<T> taps;
  for (std::int64_t x = 0; x < s.in_width; ++x) {
    output_taps(s, gradient, y, x, taps);
    sum_window(taps, weight, s.channels, in_row + x * s.channels);
  }
}

template <typename T>
ACTIO_INLINE void weight_gradient_row(const Depthwise& s, const T* image, const T* gradient_row, std::int64_t y,
                                      float* sums) {
  Taps<T> taps;
  for (std::int64_t x = 0; x < s.out_width; ++x) {
    input_taps(s, image, y, x, taps);
    add_window(taps, gradient_row + x * s.channels, s.channels, sums);
  }
}

}  // namespace

#define ACTIO_DEPTHWISE_KERNELS(T)                                                                                 \
  template <>                                                                                                      \
  ACTIO_MULTIVERSION void depthwise_row(const Depthwise& s, const T* image, const float* weight, std::int64_t y,   \
                                        T* out_row) {                                                              \
    forward_row(s, image, weight, y, out_row);                                                                     \
  }                                                                                                                \
  template <>                                                                                                      \
  ACTIO_MULTIVERSION void depthwise_input_gradient_row(const Depthwise& s, const T* gradient, const float* weight, \
                                                       std::int64_t y, T* in_row) {                                \
    input_gradient_row(s, gradient, weight, y, in_row);                                                            \
  }                                                                                                                \
  template <>                                                                                                      \
  ACTIO_MULTIVERSION void add_depthwise_weight_gradient(const Depthwise& s, const T* image, const T* gradient_row, \
                                                        std::int64_t y, float* sums) {                             \
    weight_gradient_row(s, image, gradient_row, y, sums);                                                          \
  }

ACTIO_DEPTHWISE_KERNELS(float)
ACTIO_DEPTHWISE_KERNELS(Bf16)

}  // namespace actio::torch_train::kernels

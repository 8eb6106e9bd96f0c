#include "torch/kernels/kernels.h"
#include "torch/kernels/kernels_simd.h"

namespace actio::torch_train::kernels {
namespace {

ACTIO_INLINE float affine_value(const Affine& a, float x, std::int64_t c) { return x * a.scale[c] + a.shift[c]; }

ACTIO_INLINE float clamp(float z, float low, float high) {
  const float above = z < low ? low : z;  // in this order NaN stays NaN
  return above > high ? high : above;
}

ACTIO_INLINE float passed(float g, float z, float low, float high) { return z > low && z < high ? g : 0.0F; }

template <typename T>
ACTIO_INLINE void add_moments_loop(Block block, const T* x, const float* pivot, float* __restrict sum,
                                   float* __restrict squares) {
  for (std::int64_t row = 0; row < block.rows; ++row, x += block.channels) {
#pragma omp simd
    for (std::int64_t c = 0; c < block.channels; ++c) {
      const float d = load(x[c]) - pivot[c];
      sum[c] += d;
      squares[c] += d * d;
    }
  }
}

template <typename T>
ACTIO_INLINE void apply_affine_loop(Block block, const Affine a, const T* x, T* y) {
  for (std::int64_t row = 0; row < block.rows; ++row, x += block.channels, y += block.channels) {
#pragma omp simd
    for (std::int64_t c = 0; c < block.channels; ++c) store(y[c], clamp(affine_value(a, load(x[c]), c), a.low, a.high));
  }
}

template <typename T>
ACTIO_INLINE void apply_affine_and_add_loop(Block block, const Affine a, const T* x, const T* skip, T* y) {
  for (std::int64_t row = 0; row < block.rows; ++row) {
#pragma omp simd
    for (std::int64_t c = 0; c < block.channels; ++c) {
      store(y[c], clamp(affine_value(a, load(x[c]), c) + load(skip[c]), a.low, a.high));
    }
    x += block.channels;
    skip += block.channels;
    y += block.channels;
  }
}

template <typename T>
ACTIO_INLINE void add_gradient_sums_loop(Block block, const Affine a, const T* x, const T* g, const GradientSums sums) {
  for (std::int64_t row = 0; row < block.rows; ++row, x += block.channels, g += block.channels) {
#pragma omp simd
    for (std::int64_t c = 0; c < block.channels; ++c) {
      const float value = load(x[c]);
      const float change = passed(load(g[c]), affine_value(a, value, c), a.low, a.high);
      sums.sum[c] += change;
      sums.product[c] += change * (value - sums.pivot[c]);
    }
  }
}

template <typename T>
ACTIO_INLINE void add_joined_gradient_sums_loop(Block block, const Affine a, JoinedImages<T> i, const GradientSums sums) {
  for (std::int64_t row = 0; row < block.rows; ++row) {
#pragma omp simd
    for (std::int64_t c = 0; c < block.channels; ++c) {
      const float change = passed(load(i.g[c]), load(i.y[c]), a.low, a.high);
      store(i.change[c], change);
      sums.sum[c] += change;
      sums.product[c] += change * (load(i.x[c]) - sums.pivot[c]);
    }
    i.x += block.channels;
    i.g += block.channels;
    i.y += block.channels;
    i.change += block.channels;
  }
}

template <typename T>
ACTIO_INLINE void input_gradient_loop(Block block, const Affine a, const InputGradient f, GradientImages<T> i) {
  for (std::int64_t row = 0; row < block.rows; ++row) {
#pragma omp simd
    for (std::int64_t c = 0; c < block.channels; ++c) {
      const float value = load(i.x[c]);
      const float change = passed(load(i.g[c]), affine_value(a, value, c), a.low, a.high);
      store(i.dx[c], f.of_g[c] * change + f.of_x[c] * value + f.constant[c]);
    }
    i.x += block.channels;
    i.g += block.channels;
    i.dx += block.channels;
  }
}

}  // namespace

#define ACTIO_NORM_KERNELS(T)                                                                                    \
  template <>                                                                                                    \
  ACTIO_MULTIVERSION void add_moments(Block block, const T* x, const float* pivot, float* sum, float* squares) { \
    add_moments_loop(block, x, pivot, sum, squares);                                                             \
  }                                                                                                              \
  template <>                                                                                                    \
  ACTIO_MULTIVERSION void apply_affine(Block block, const Affine& affine, const T* x, T* y) {                    \
    apply_affine_loop(block, affine, x, y);                                                                      \
  }                                                                                                              \
  template <>                                                                                                    \
  ACTIO_MULTIVERSION void apply_affine_and_add(Block block, const Affine& affine, const T* x, const T* skip,     \
                                               T* y) {                                                           \
    apply_affine_and_add_loop(block, affine, x, skip, y);                                                        \
  }                                                                                                              \
  template <>                                                                                                    \
  ACTIO_MULTIVERSION void add_joined_gradient_sums(Block block, const Affine& affine,                            \
                                                   const JoinedImages<T>& images, const GradientSums& sums) {    \
    add_joined_gradient_sums_loop(block, affine, images, sums);                                                  \
  }                                                                                                              \
  template <>                                                                                                    \
  ACTIO_MULTIVERSION void add_gradient_sums(Block block, const Affine& affine, const T* x, const T* g,           \
                                            const GradientSums& sums) {                                          \
    add_gradient_sums_loop(block, affine, x, g, sums);                                                           \
  }                                                                                                              \
  template <>                                                                                                    \
  ACTIO_MULTIVERSION void input_gradient(Block block, const Affine& affine, const InputGradient& factors,        \
                                         const GradientImages<T>& images) {                                      \
    input_gradient_loop(block, affine, factors, images);                                                         \
  }

ACTIO_NORM_KERNELS(float)
ACTIO_NORM_KERNELS(Bf16)

}  // namespace actio::torch_train::kernels

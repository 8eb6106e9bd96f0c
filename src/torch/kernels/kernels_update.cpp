#include <cmath>

#include "torch/kernels/kernels.h"
#include "torch/kernels/kernels_simd.h"

namespace actio::torch_train::kernels {

ACTIO_MULTIVERSION void momentum_step(std::int64_t count, const MomentumStep& step, const float* gradient, float* velocity,
                                      float* weight) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float change = gradient[i] * step.scale + weight[i] * step.decay;
    velocity[i] = velocity[i] * step.momentum + change;
    weight[i] -= step.rate * velocity[i];
  }
}

ACTIO_MULTIVERSION void rms_step(std::int64_t count, const RmsStep& step, const float* gradient, float* square, float* weight) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * step.scale + weight[i] * step.decay;
    square[i] = square[i] * step.keep + g * g * step.take;
    weight[i] -= step.rate * g / (std::sqrt(square[i]) + step.tiny);
  }
}

ACTIO_MULTIVERSION void adam_step(std::int64_t count, const AdamStep& step, const float* gradient, float* mean, float* square,
                                  float* weight) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * step.scale;
    mean[i] = mean[i] * step.keep_mean + g * step.take_mean;
    square[i] = square[i] * step.keep_square + g * g * step.take_square;
    weight[i] = weight[i] * (1 - step.shrink) - step.rate * mean[i] / (std::sqrt(square[i] * step.correction) + step.tiny);
  }
}

}  // namespace actio::torch_train::kernels

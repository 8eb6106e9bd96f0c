#include "torch/kernels.h"
#include "torch/kernels_simd.h"

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

}  // namespace actio::torch_train::kernels

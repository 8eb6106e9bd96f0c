// torch: operations with gradients of our own, for the CPU, where LibTorch 1.13 makes many passes over memory or is slow:
// batch norm together with an addition and its activation, and depthwise convolution. In and out: channels-last images, f32
// or bfloat16.
#pragma once

#include <ATen/core/Tensor.h>

#include "net/netspec.h"

namespace actio::torch_train {

namespace distributed {
class Group;
}

inline bool is_bf16(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16; }

enum class Activation { kNone, kRelu, kRelu6 };

struct NormParams {
  at::Tensor weight, bias, running_mean, running_var;  // f32 [C]
};

struct NormSettings {
  bool training = false;  // the batch's statistics, and the running ones move; else the running ones
  double momentum = 0.1;
  double epsilon = 1e-5;
  Activation activation = Activation::kNone;
  distributed::Group* group = nullptr;  // training: the statistics are those of all its ranks' batches together
};

// Whether fused_batch_norm takes x: f32 or bf16, [N, C] or [N, C, H, W], on the CPU, and f32 parameters.
bool can_fuse_batch_norm(const at::Tensor& x, const NormParams& params);

// activation(batch_norm(x)). The gradient reaches x, weight and bias; with running statistics x only.
at::Tensor fused_batch_norm(const at::Tensor& x, const NormParams& params, const NormSettings& settings);

// Whether fused_batch_norm_and_add takes `skip`: of the same shape and type as x.
bool can_fuse_addition(const at::Tensor& x, const at::Tensor& skip);

// activation(batch_norm(x) + skip), the activation none or relu: whether the gradient passes is read off the result, and
// bfloat16 rounds what is just below 6 to 6. The gradient reaches `skip`, too.
at::Tensor fused_batch_norm_and_add(const at::Tensor& x, const at::Tensor& skip, const NormParams& params,
                                    const NormSettings& settings);

// Whether depthwise_conv2d takes the convolution: one filter per channel, at most 3 x 3, no bias; x f32 or bf16 on the CPU.
bool can_run_depthwise(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight);

// x: [N, C, H, W], weight: f32 [C, 1, kh, kw]; any stride, dilation and padding. Out: in the type of x.
at::Tensor depthwise_conv2d(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight);

}  // namespace actio::torch_train

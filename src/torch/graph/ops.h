// torch: the operations of net::Op on LibTorch tensors. In: rows and parameters. Out: rows.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "net/infer.h"
#include "net/netspec.h"

namespace actio::torch_train {

// x: [N, I, H, W], weight: [O, I/groups, kh, kw] in the type of x, bias: [O] or undefined.
at::Tensor conv2d(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// x: [N, I, T], weight: [O, I/groups, k] in the type of x, bias: [O] or undefined.
at::Tensor conv1d(const net::Attrs& attrs, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// x: [N, C, H, W]; out: [N, C, out_shape[1], out_shape[2]].
at::Tensor max_pool2d(const net::Attrs& attrs, const at::Tensor& x, const Shape& out_shape);
at::Tensor avg_pool2d(const net::Attrs& attrs, const at::Tensor& x, const Shape& out_shape);

// Zeroes a share of the elements and scales the others so that the expectation stays.
at::Tensor dropout(const at::Tensor& x, double probability, at::Generator& generator);

// Sum of weight[i] * xs[i]. weight: [count].
at::Tensor weighted_sum(const std::vector<at::Tensor>& xs, const at::Tensor& weight);

// x: [N*K, ...], the segment index fastest. Out: [N*(K-1), ...], [N, ...] and [N, D, K].
at::Tensor segment_diff(const at::Tensor& x, std::int64_t segments);
at::Tensor segment_mean(const at::Tensor& x, std::int64_t segments);
at::Tensor segment_stack(const at::Tensor& x, std::int64_t segments);

// x: [N, D, K]. Out: [N, D*d, T], each tuple of d columns as one.
at::Tensor time_tuples(const net::Attrs& attrs, const at::Tensor& x);

// [N, C, H, W] with the channels fastest, the layout that convolutions are quickest in; other ranks row-major.
at::Tensor channels_last(const at::Tensor& x);

}  // namespace actio::torch_train

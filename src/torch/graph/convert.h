// torch: the border between actio's tensors and LibTorch's. In and out: the same elements in the other type.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "core/tensor.h"

namespace actio::torch_train {

// f32 elements, shared with `tensor` (which lives as long as the result). Throws: Error naming `what` for another type.
at::Tensor to_torch(const Tensor& tensor, std::string_view what);

// A copy in row-major f32 on the CPU, whatever the layout, type and device of `tensor`.
Tensor from_torch(const at::Tensor& tensor);

}  // namespace actio::torch_train

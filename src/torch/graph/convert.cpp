#include "torch/graph/convert.h"

#include <ATen/ATen.h>

#include <cstring>

#include "core/error.h"

namespace actio::torch_train {

at::Tensor to_torch(const Tensor& tensor, std::string_view what) {
  if (!tensor.defined()) fail("{}: the tensor is empty", what);
  if (tensor.dtype() != DType::kF32) fail("{}: expected f32, got {}", what, dtype_name(tensor.dtype()));
  auto* elements = const_cast<std::byte*>(tensor.raw());  // from_blob has no form for constant memory
  return at::from_blob(
      elements, tensor.shape(), [keep = tensor](void*) {}, at::kFloat);
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  Tensor result(Shape(plain.sizes().begin(), plain.sizes().end()));
  if (result.bytes() != 0) std::memcpy(result.raw(), plain.data_ptr<float>(), result.bytes());
  return result;
}

}  // namespace actio::torch_train

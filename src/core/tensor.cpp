#include "core/tensor.h"

#include <cstring>
#include <limits>
#include <new>

#include "core/error.h"

namespace actio {
namespace {

constexpr std::align_val_t kAlignment{64};

std::shared_ptr<std::byte[]> allocate(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new[](bytes == 0 ? 1 : bytes, kAlignment));
  return {memory, [](std::byte* p) { ::operator delete[](p, kAlignment); }};
}

}  // namespace

std::size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::kI8:
    case DType::kU8: return 1;
    case DType::kBf16:
    case DType::kF16:
    case DType::kI16: return 2;
    case DType::kF32:
    case DType::kI32: return 4;
    case DType::kF64:
    case DType::kI64: return 8;
  }
  return 0;
}

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "f32";
    case DType::kBf16: return "bf16";
    case DType::kF16: return "f16";
    case DType::kF64: return "f64";
    case DType::kI8: return "i8";
    case DType::kU8: return "u8";
    case DType::kI16: return "i16";
    case DType::kI32: return "i32";
    case DType::kI64: return "i64";
  }
  return "?";
}

std::string shape_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::int64_t shape_numel(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) fail("negative size in shape {}", shape_text(shape));
    if (size != 0 && count > std::numeric_limits<std::int64_t>::max() / 16 / size) {
      fail("shape {} is too large", shape_text(shape));
    }
    count *= size;
  }
  return count;
}

Tensor::Tensor(Shape shape, DType dtype) : dtype_(dtype), shape_(std::move(shape)), numel_(shape_numel(shape_)) {
  storage_ = allocate(bytes());
  std::memset(storage_.get(), 0, bytes());
}

Tensor Tensor::of(Shape shape, std::span<const float> values) {
  Tensor tensor(std::move(shape));
  if (static_cast<std::size_t>(tensor.numel()) != values.size()) {
    fail("shape {} needs {} values, got {}", shape_text(tensor.shape()), tensor.numel(), values.size());
  }
  if (!values.empty()) std::memcpy(tensor.raw(), values.data(), tensor.bytes());
  return tensor;
}

Tensor Tensor::wrap(Shape shape, DType dtype, std::shared_ptr<std::byte[]> memory, std::size_t size) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.numel_ = shape_numel(shape);
  tensor.shape_ = std::move(shape);
  if (memory == nullptr || size < tensor.bytes()) {
    fail("shape {} of {} needs {} bytes, got {}", shape_text(tensor.shape_), dtype_name(dtype), tensor.bytes(), memory == nullptr ? 0 : size);
  }
  tensor.storage_ = std::move(memory);
  return tensor;
}

Tensor Tensor::reshaped(Shape shape) const {
  if (shape_numel(shape) != numel_) {
    fail("cannot view {} as {}: {} and {} elements", shape_text(shape_), shape_text(shape), numel_, shape_numel(shape));
  }
  Tensor view = *this;
  view.shape_ = std::move(shape);
  return view;
}

Tensor Tensor::rows(std::int64_t begin, std::int64_t count) const {
  if (shape_.empty() || begin < 0 || count < 0 || begin > shape_[0] - count) {
    fail("{} rows from row {} are outside of shape {}", count, begin, shape_text(shape_));
  }
  Tensor view = *this;
  const std::int64_t row = shape_[0] == 0 ? 0 : numel_ / shape_[0];
  view.shape_[0] = count;
  view.numel_ = row * count;
  view.offset_ += static_cast<std::size_t>(row * begin) * dtype_size(dtype_);
  return view;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor copy = wrap(shape_, dtype_, allocate(bytes()), bytes());
  std::memcpy(copy.raw(), raw(), bytes());
  return copy;
}

void Tensor::check_dtype(DType wanted) const {
  if (!defined()) fail("the tensor is empty, {} elements were expected", dtype_name(wanted));
  if (dtype_ != wanted) fail("the tensor holds {}, {} was expected", dtype_name(dtype_), dtype_name(wanted));
}

}  // namespace actio

// actio: a dense row-major array with a shape and an element type. In: nothing. Out: the currency between all stages.
#pragma once

#include <actio/export.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace actio {

using Shape = std::vector<std::int64_t>;

enum class DType { kF32, kBf16, kF16, kF64, kI8, kU8, kI16, kI32, kI64 };

ACTIO_API std::size_t dtype_size(DType dtype);           // bytes per element
ACTIO_API std::string_view dtype_name(DType dtype);     // "f32", "bf16", ...
ACTIO_API std::string shape_text(const Shape& shape);   // "[2, 3, 224, 224]"
ACTIO_API std::int64_t shape_numel(const Shape& shape); // 1 for the empty shape; Throws Error on a negative size or overflow

template <typename T> struct DTypeOf;
template <> struct DTypeOf<float> { static constexpr DType value = DType::kF32; };
template <> struct DTypeOf<double> { static constexpr DType value = DType::kF64; };
template <> struct DTypeOf<std::int8_t> { static constexpr DType value = DType::kI8; };
template <> struct DTypeOf<std::uint8_t> { static constexpr DType value = DType::kU8; };
template <> struct DTypeOf<std::int16_t> { static constexpr DType value = DType::kI16; };
template <> struct DTypeOf<std::int32_t> { static constexpr DType value = DType::kI32; };
template <> struct DTypeOf<std::int64_t> { static constexpr DType value = DType::kI64; };

// A handle: copying shares the elements, clone() copies them. Storage starts at a 64-byte boundary.
// Threads: as a raw array: concurrent reads are safe, a write needs exclusion.
class ACTIO_API Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Shape shape, DType dtype = DType::kF32);  // zero-filled

  static Tensor of(Shape shape, std::span<const float> values);

  // Shares memory of the caller's, `size` bytes of it, aligned for the element type. Throws: Error where the shape needs more.
  static Tensor wrap(Shape shape, DType dtype, std::shared_ptr<std::byte[]> memory, std::size_t size);

  bool defined() const { return storage_ != nullptr; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t dim(std::size_t axis) const { return shape_.at(axis); }
  std::int64_t numel() const { return numel_; }
  std::size_t bytes() const { return static_cast<std::size_t>(numel_) * dtype_size(dtype_); }

  // Throws: Error if T is not the element type.
  template <typename T> T* data() {
    check_dtype(DTypeOf<T>::value);
    return reinterpret_cast<T*>(raw());
  }
  template <typename T> const T* data() const {
    check_dtype(DTypeOf<T>::value);
    return reinterpret_cast<const T*>(raw());
  }
  template <typename T> std::span<T> values() { return {data<T>(), static_cast<std::size_t>(numel_)}; }
  template <typename T> std::span<const T> values() const { return {data<T>(), static_cast<std::size_t>(numel_)}; }
  std::byte* raw() { return storage_.get() + offset_; }
  const std::byte* raw() const { return storage_.get() + offset_; }

  Tensor reshaped(Shape shape) const;                            // shares elements; Throws if the counts differ
  Tensor rows(std::int64_t begin, std::int64_t count) const;     // shares elements; a range of the first axis
  Tensor clone() const;

 private:
  void check_dtype(DType wanted) const;

  DType dtype_ = DType::kF32;
  Shape shape_;
  std::int64_t numel_ = 0;
  std::size_t offset_ = 0;
  std::shared_ptr<std::byte[]> storage_;
};

// Tensors by name: network inputs, network values, weights. Ordered, so that what is written is reproducible.
using TensorMap = std::map<std::string, Tensor, std::less<>>;

}  // namespace actio

#include "net/weights.h"

#include <algorithm>
#include <bit>
#include <fstream>

#include "core/error.h"
#include "net/file_bytes.h"

namespace actio::net {
namespace {

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 0xFFU : exponent + 112;  // bias 127 - 15
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

float bfloat_to_float(std::uint16_t value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16); }

template <typename T, typename Convert>
Tensor convert(const Tensor& tensor, Convert convert_one) {
  Tensor result(tensor.shape());
  const auto* from = reinterpret_cast<const T*>(tensor.raw());
  std::transform(from, from + tensor.numel(), result.data<float>(), convert_one);
  return result;
}

bool is_floating(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kBf16 || dtype == DType::kF16 || dtype == DType::kF64;
}

enum class Kind { kSafetensors, kTorch };

Kind kind_of(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) fail("{}: no such file", path.string());
  if (!std::filesystem::is_regular_file(path, code)) fail("{}: is not a regular file", path.string());
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail("{}: cannot be opened", path.string());
  std::string start(9, '\0');
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(stream.gcount()));
  // A .safetensors header, which starts with a brace, follows its length; at that place a zip file has the compression
  // method and an old PyTorch file a byte of its magic number.
  if (start.size() == 9 && start[8] == '{') return Kind::kSafetensors;
  if (start.starts_with("PK") || start.starts_with('\x80')) return Kind::kTorch;
  fail_data("{}: is neither a .safetensors file nor a file of torch.save; it starts with '{}'", path.string(),
            shown_name(start));
}

}  // namespace

Tensor to_f32(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kF32: return tensor;
    case DType::kF16: return convert<std::uint16_t>(tensor, half_to_float);
    case DType::kBf16: return convert<std::uint16_t>(tensor, bfloat_to_float);
    case DType::kF64: return convert<double>(tensor, [](double value) { return static_cast<float>(value); });
    default: fail("the tensor holds {}, floating-point numbers were expected", dtype_name(tensor.dtype()));
  }
}

TensorMap read_weights(const std::filesystem::path& path) {
  TensorMap all = kind_of(path) == Kind::kSafetensors ? read_safetensors(path) : read_torch_checkpoint(path);
  TensorMap weights;
  for (auto& [name, tensor] : all) {
    if (name == "num_batches_tracked" || name.ends_with(".num_batches_tracked")) continue;
    weights.emplace(name, is_floating(tensor.dtype()) ? to_f32(tensor) : std::move(tensor));
  }
  return weights;
}

}  // namespace actio::net

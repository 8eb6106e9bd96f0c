#include "net/safetensors.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/file.h"
#include "core/options.h"
#include "net/file_bytes.h"

namespace actio::net {
namespace {

std::string_view file_dtype(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "F32";
    case DType::kBf16: return "BF16";
    case DType::kF16: return "F16";
    case DType::kF64: return "F64";
    case DType::kI8: return "I8";
    case DType::kU8: return "U8";
    case DType::kI16: return "I16";
    case DType::kI32: return "I32";
    case DType::kI64: return "I64";
  }
  return "?";
}

using NamedTensor = std::pair<std::string_view, const Tensor*>;

std::vector<NamedTensor> in_file_order(const TensorMap& tensors, const std::string& where) {
  std::vector<NamedTensor> order;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) fail("{}: tensor '{}' is empty and cannot be written", where, shown_name(name));
    if (name == "__metadata__") fail("{}: a tensor cannot be named '__metadata__'", where);
    order.emplace_back(name, &tensor);
  }
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [](const NamedTensor& t) { return dtype_size(t.second->dtype()); });
  return order;
}

std::string header_text(const std::vector<NamedTensor>& order, const Metadata& metadata, const std::string& where) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t position = 0;
  for (const auto& [name, tensor] : order) {
    const std::size_t end = position + tensor->bytes();
    header[std::string(name)] = {
        {"dtype", file_dtype(tensor->dtype())}, {"shape", tensor->shape()}, {"data_offsets", {position, end}}};
    position = end;
  }
  try {
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const Json::exception&) {
    fail("{}: a tensor's name or the metadata is not UTF-8", where);
  }
}

}  // namespace

TensorMap mapped_tensors(const SafetensorsHeader& header, FileMap& file) {
  TensorMap tensors;
  if (header.data_begin % alignof(float) != 0) return {};
  for (const SafetensorsEntry& entry : header.entries) {
    if (entry.dtype != DType::kF32) return {};
    const std::size_t size = entry.end - entry.begin;
    tensors.emplace(entry.name, Tensor::wrap(entry.shape, entry.dtype, file.part(header.data_begin + entry.begin, size), size));
  }
  return tensors;
}

TensorMap copy_tensors(const SafetensorsHeader& header, std::span<const std::byte> file) {
  TensorMap tensors;
  for (const SafetensorsEntry& entry : header.entries) {
    Tensor tensor(entry.shape, entry.dtype);
    if (tensor.bytes() > 0) std::memcpy(tensor.raw(), file.data() + header.data_begin + entry.begin, tensor.bytes());
    tensors.emplace(entry.name, std::move(tensor));
  }
  return tensors;
}

std::string safetensors_content(const TensorMap& tensors, const Metadata& metadata, const std::string& where) {
  const std::vector<NamedTensor> order = in_file_order(tensors, where);
  const std::string header = header_text(order, metadata, where);
  const std::uint64_t length = header.size();
  std::size_t total = sizeof(length) + header.size();
  for (const auto& [name, tensor] : order) total += tensor->bytes();

  std::string content;
  content.reserve(total);
  content.append(reinterpret_cast<const char*>(&length), sizeof(length));
  content += header;
  for (const auto& [name, tensor] : order) content += as_text({tensor->raw(), tensor->bytes()});
  return content;
}

TensorMap read_safetensors(const std::filesystem::path& path, Metadata* metadata) {
  const FileBytes file(path);
  SafetensorsHeader header = parse_safetensors_header(file.span(), path.string());
  if (metadata != nullptr) *metadata = std::move(header.metadata);
  return copy_tensors(header, file.span());
}

void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors, const Metadata& metadata) {
  write_file_atomically(path, safetensors_content(tensors, metadata, path.string()));
}

}  // namespace actio::net

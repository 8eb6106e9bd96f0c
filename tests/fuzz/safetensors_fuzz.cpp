// A .safetensors file, byte by byte: its tensors, and whether it is a model. What is read can be written and read again.
#include <cstring>

#include "core/file.h"
#include "fuzz/support.h"
#include "net/model_file.h"
#include "net/safetensors.h"

namespace actio::net {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

void read_and_write(std::string_view file) {
  const SafetensorsHeader header = parse_safetensors_header(bytes_of(file), "weights");
  const TensorMap tensors = copy_tensors(header, bytes_of(file));
  const std::string content = safetensors_content(tensors, header.metadata, "again");
  const SafetensorsHeader header_again = parse_safetensors_header(bytes_of(content), "again");
  const TensorMap again = copy_tensors(header_again, bytes_of(content));
  fuzz::require(header_again.metadata == header.metadata && again.size() == tensors.size(), "the file is written whole");
  for (const auto& [name, tensor] : tensors) fuzz::require(same(again.at(name), tensor), "a tensor is read as written");
}

// Puts the hash of the content where a model has it, so that damage is found by what it breaks.
std::string with_right_hash(std::string file) {
  constexpr std::string_view kKey = "\"actio.hash\":\"";
  const std::size_t at = file.find(kKey);
  if (at == std::string::npos || file.size() - at < kKey.size() + 32) return file;
  file.replace(at + kKey.size(), 32, std::string(32, '0'));
  const std::string hash = content_hash(bytes_of(file));
  return file.replace(at + kKey.size(), 32, hash);
}

}  // namespace
}  // namespace actio::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  static fuzz::MemoryFile file;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::takes([&] { net::read_and_write(text); });
  file.write(net::with_right_hash(std::string(text)));
  fuzz::takes([&] { net::read_weights(file.path()); });
  if (net::is_model_file(file.path())) fuzz::takes([&] { net::read_model(file.path()); });
  return 0;
}

// net: the .safetensors layout: 8 bytes header length, a JSON header, then the tensors without gaps. In: the bytes of a
// file. Out: where each tensor lies; and the way back.
//
// Source: the format page of the safetensors project; the rules of its reader (no gaps, no overlap) are enforced here too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/file_map.h"
#include "net/weights.h"

namespace actio::net {

struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::uint64_t begin = 0;  // bytes from the end of the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their bytes, which they cover completely
  Metadata metadata;
  std::size_t data_begin = 0;  // bytes from the start of the file
};

// Throws: Error(kBadData) naming `where`, the tensor and both values.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& where);

// The whole file as it is, where all is f32 and its place lets a processor take it as such; else nothing.
TensorMap mapped_tensors(const SafetensorsHeader& header, FileMap& file);

TensorMap copy_tensors(const SafetensorsHeader& header, std::span<const std::byte> file);

// A complete file. Throws: Error(kFailed) naming `where` and the tensor.
std::string safetensors_content(const TensorMap& tensors, const Metadata& metadata, const std::string& where);

}  // namespace actio::net

// net: weights from and to files. In: a .safetensors file or a PyTorch checkpoint. Out: tensors by name. A reader checks
// every bound before it uses a number of the file, runs nothing that the file holds, and rejects what it does not
// understand.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/tensor.h"

namespace actio::net {

using Metadata = std::map<std::string, std::string>;

// The tensors of a .safetensors file, with their own element types; BOOL becomes u8.
// Throws: Error(kBadData) naming the file, the tensor and both values; Error(kFailed) if the file cannot be read.
TensorMap read_safetensors(const std::filesystem::path& path, Metadata* metadata = nullptr);

// Writes atomically. Equal input gives equal bytes: tensors lie in the order of the map, larger element types first, because
// readers that map the file want every tensor aligned.
// Throws: Error(kFailed) for an empty tensor, text that is not UTF-8, or a file that cannot be written.
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors, const Metadata& metadata = {});

// The state dict of a file of torch.save (PyTorch 1.6 and later), with its own element types. A wrapper such as
// {"state_dict": ...}, "model" or "ema" is taken off where there is one alone; nested dicts are joined by dots. Prefixes of
// names: net/weight_names.h. Throws: Error(kBadData) naming the file and the entry, tensor, opcode or Python global.
TensorMap read_torch_checkpoint(const std::filesystem::path& path);

// Either of both, told apart by content. Floating-point tensors come as f32; "num_batches_tracked" counters are left out.
TensorMap read_weights(const std::filesystem::path& path);

// The same values as f32; an f32 tensor shares its elements with the result. Throws: Error for whole-number types.
Tensor to_f32(const Tensor& tensor);

}  // namespace actio::net

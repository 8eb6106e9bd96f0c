// net: the model file: everything that recognition needs in one .safetensors file. In: a network, its inputs, class
// names and weights. Out: the same, proven undamaged and consistent.
//
// The metadata has "actio.format" (the version, "2"), "actio.spec", "actio.inputs", "actio.classes" and "actio.training" (JSON), where values were
// measured "actio.quantization" (JSON), "actio.parent" and "actio.hash": the content hash of the whole file with these 32 digits as zeros. Files of
// version 1 have "actio.preprocess" in the place of "actio.inputs": the options that made the inputs "rgb" and "motion".
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/inputs.h"
#include "core/tensor.h"
#include "net/netspec.h"
#include "net/quantization.h"

namespace actio::net {

struct Model {
  NetSpec spec;
  Inputs inputs;                     // those of the network, and how a video becomes them
  std::vector<std::string> classes;  // one per element of the network's output
  Json training;                     // the effective training configuration; may be null
  std::string parent_hash;           // of the model that this one started from; may be empty
  std::string hash;                  // of the file; filled by read_model and write_model
  Quantization quantization;         // of its values; may be empty
  TensorMap weights;                 // f32, exactly the parameters of the spec
};

// Where the weights of a model lie. kMapped: a large file is not copied, its pages come when a tensor is looked at and go with the tensor's last handle
// (net/file_map.h). For who is done with the weights soon: until then nobody may write into the file in place, while renaming another one over it is safe.
enum class WeightPlace { kCopied, kMapped };

// Throws: Error(kBadData) naming the file and what is wrong with it: no model, damaged (both hashes), a tensor that is
// missing, superfluous, misshapen or not finite (both shapes), a number of classes that is not the network's; Error(kFailed)
// for a file that cannot be read or a format of a newer version.
Model read_model(const std::filesystem::path& path, WeightPlace place = WeightPlace::kCopied);

// The same of a file's bytes, which `name` stands for in messages.
Model read_model(std::span<const std::byte> file, const std::string& name);

// Whether the file says that it is an actio model, as against other weights; it may be damaged all the same.
// Throws: Error(kFailed) for a file that cannot be read.
bool is_model_file(const std::filesystem::path& path);

// Whether its parts fit together. Throws: Error(kBadData) as read_model, `name` first.
void check_model(const Model& model, const std::string& name);

// Writes atomically and sets model.hash. Equal models give equal bytes. Throws: as read_model, before anything is written.
void write_model(const std::filesystem::path& path, Model& model);

}  // namespace actio::net

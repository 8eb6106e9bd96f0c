#include "net/model_file.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "core/content_hash.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "net/file_bytes.h"
#include "net/file_map.h"
#include "net/infer.h"
#include "net/initialise.h"
#include "net/safetensors.h"

namespace actio::net {
namespace {

constexpr int kFormat = 2;
constexpr std::size_t kHashDigits = 32;

// As this file's header has it; inside of any other text of the header the quotes are escaped.
constexpr std::string_view kHashKey = "\"actio.hash\":\"";

constexpr std::size_t kSmallestMap = std::size_t{4} << 20;  // below, a copy costs next to nothing

constexpr const char* kQuantizationKey = "actio.quantization";

const std::string& metadata_at(const Metadata& metadata, const std::string& key, const std::string& where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) fail_data("{}: has no '{}'", where, key);
  return found->second;
}

void check_format(const Metadata& metadata, const std::string& where) {
  const auto found = metadata.find("actio.format");
  if (found == metadata.end()) fail_data("{}: is not an actio model (a weights file? see 'actio import')", where);
  const std::string& text = found->second;
  int version = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (code != std::errc() || end != text.data() + text.size() || version < 1) {
    fail_data("{}: model format '{}', a version from 1 to {} was expected", where, shown_name(text), kFormat);
  }
  if (version > kFormat) {
    fail("{}: model format {}, this program reads up to {}; use a newer actio", where, version, kFormat);
  }
}

// Whether the file is of version 1.
bool is_of_options(const Metadata& metadata) { return metadata.at("actio.format") == "1"; }

std::size_t place_of_digits(std::span<const std::byte> file, std::size_t data_begin, const std::string& where) {
  const std::string_view header = as_text(file.first(data_begin));
  const std::size_t key = header.find(kHashKey);
  if (key == std::string_view::npos || header.size() - key < kHashKey.size() + kHashDigits) {
    fail_data("{}: is damaged: the place of its content hash cannot be found", where);
  }
  return key + kHashKey.size();
}

struct Contents {
  std::string hash;     // of the whole file with the digits themselves as zeros
  bool finite = false;  // it is known that the weights are finite numbers
  TensorMap weights;
};

// Overwrites the digits.
Contents copied(const SafetensorsHeader& header, std::span<std::byte> file, const std::string& where) {
  std::ranges::fill(file.subspan(place_of_digits(file, header.data_begin, where), kHashDigits), std::byte{'0'});
  return {content_hash(file), false, copy_tensors(header, file)};
}

// All that has to be known of every byte, in one pass. `weights`: of the whole file.
Contents mapped(const SafetensorsHeader& header, const FileMap& file, TensorMap weights, const std::string& where) {
  const std::size_t digits = place_of_digits(file.span(), header.data_begin, where);
  ContentHash hash;
  bool finite = true;
  file.read([&](std::size_t begin, std::span<std::byte> block) {
    for (std::size_t i = std::max(begin, digits); i < std::min(begin + block.size(), digits + kHashDigits); ++i) block[i - begin] = std::byte{'0'};
    hash.add(block);
    const std::span data = block.subspan(std::min(block.size(), std::max(begin, header.data_begin) - begin));
    finite = finite && all_finite({reinterpret_cast<const float*>(data.data()), data.size() / sizeof(float)});
  });
  return {hash.text(), finite, std::move(weights)};
}

Json json_at(const Metadata& metadata, const std::string& key, const std::string& where) {
  return parse_json(metadata_at(metadata, key, where), fmt::format("{}: '{}'", where, key));
}

std::vector<std::string> parse_classes(const Json& json, const std::string& where) {
  const bool valid = json.is_array() && std::ranges::all_of(json, [](const Json& name) { return name.is_string(); });
  if (!valid) fail_data("{}: 'actio.classes' must be a list of names", where);
  return json.get<std::vector<std::string>>();
}

// Runs `check` and puts the file in front of what it throws.
template <typename Check>
void naming_file(const std::string& where, ErrorCode code, Check check) {
  try {
    check();
  } catch (const Error& error) {
    fail(code, "{}: {}", where, error.what());
  }
}

// What is made of a video must be what the network takes.
void check_network_inputs(const NetSpec& spec, const Inputs& inputs) {
  check_inputs(inputs);
  const std::vector<std::string> names = input_names(spec);
  for (const std::string& name : names) {
    const InputSpec* input = inputs.find(name);
    if (input == nullptr) fail_data("nothing says how a video becomes the network's input '{}'", shown_name(name));
    const Shape& wanted = spec.node(name).attrs.shape;
    if (wanted == input->row()) continue;
    fail_data("the input '{}' has shape {}, the preprocessing makes {} of kind '{}'", name, shape_text(wanted), shape_text(input->row()),
              name_of(input->kind));
  }
  for (const InputSpec& input : inputs.list) {
    if (!spec.has_input(input.name)) fail_data("the network has no input '{}'", shown_name(input.name));
  }
}

void check_consistency(const Model& model, bool finite = false) {
  check_network_inputs(model.spec, model.inputs);
  const Shape output = infer(model.spec).at(model.spec.output).shape;
  if (Shape{static_cast<std::int64_t>(model.classes.size())} != output) {
    fail_data("{} class names for an output of shape {}", model.classes.size(), shape_text(output));
  }
  check_weights(model.spec, model.weights, finite);
}

std::string dumped(const Json& json, const char* key, const std::string& where) {
  try {
    return json.dump();
  } catch (const Json::exception&) {
    fail("{}: '{}' holds text that is not UTF-8", where, key);
  }
}

// A field that an older file does not have keeps its default, which is what that file meant.
Inputs read_inputs(const Metadata& metadata, const NetSpec& spec, const std::string& where) {
  if (!is_of_options(metadata)) return inputs_from_json(json_at(metadata, "actio.inputs", where), "inputs");
  Preprocess preprocess;
  fields_from_json(preprocess.fields(), json_at(metadata, "actio.preprocess", where), "preprocess");
  return inputs_of(input_names(spec), preprocess);
}

// `read` gives the contents, once it is a model.
template <typename Read>
Model parse_model(const SafetensorsHeader& header, const std::string& where, Read read) {
  const Metadata& metadata = header.metadata;
  check_format(metadata, where);

  Model model;
  model.hash = metadata_at(metadata, "actio.hash", where);
  Contents contents = read();
  if (contents.hash != model.hash) {
    fail_data("{}: is damaged: content hash {}, recorded {}", where, contents.hash, shown_name(model.hash));
  }
  model.spec = spec_from_json(json_at(metadata, "actio.spec", where), where);
  model.classes = parse_classes(json_at(metadata, "actio.classes", where), where);
  model.training = json_at(metadata, "actio.training", where);
  model.parent_hash = metadata_at(metadata, "actio.parent", where);
  if (metadata.contains(kQuantizationKey)) {
    model.quantization = quantization_from_json(json_at(metadata, kQuantizationKey, where), model.spec, fmt::format("{}: '{}'", where, kQuantizationKey));
  }
  model.weights = std::move(contents.weights);
  naming_file(where, ErrorCode::kBadData, [&] {
    model.inputs = read_inputs(metadata, model.spec, where);
    check_consistency(model, contents.finite);
  });
  return model;
}

Model parse_copy(std::span<std::byte> file, const std::string& where) {
  const SafetensorsHeader header = parse_safetensors_header(file, where);
  return parse_model(header, where, [&] { return copied(header, file, where); });
}

// Nothing where it cannot be mapped, or has tensors that no weights are.
std::optional<Model> read_mapped(const std::filesystem::path& path) {
  const std::shared_ptr<FileMap> file = FileMap::open(path);
  if (!file) return std::nullopt;
  const std::string where = path.string();
  const SafetensorsHeader header = parse_safetensors_header(file->span(), where);
  TensorMap weights = mapped_tensors(header, *file);
  if (weights.empty()) return std::nullopt;
  return parse_model(header, where, [&] { return mapped(header, *file, std::move(weights), where); });
}

}  // namespace

Model read_model(const std::filesystem::path& path, WeightPlace place) {
  if (place == WeightPlace::kMapped && checked_file_size(path) >= kSmallestMap) {
    if (std::optional<Model> model = read_mapped(path)) return std::move(*model);
  }
  FileBytes file(path);
  return parse_copy(file.span(), path.string());
}

Model read_model(std::span<const std::byte> file, const std::string& name) {
  std::vector<std::byte> own(file.begin(), file.end());
  return parse_copy(own, name);
}

bool is_model_file(const std::filesystem::path& path) {
  const FileBytes file(path);
  try {
    return parse_safetensors_header(file.span(), path.string()).metadata.contains("actio.format");
  } catch (const Error&) {
    return false;
  }
}

void check_model(const Model& model, const std::string& name) {
  naming_file(name, ErrorCode::kBadData, [&] { check_consistency(model); });
}

void write_model(const std::filesystem::path& path, Model& model) {
  const std::string where = path.string();
  check_model(model, where);
  Metadata metadata = {
      {"actio.format", fmt::format("{}", kFormat)},
      {"actio.spec", dumped(to_json(model.spec), "actio.spec", where)},
      {"actio.inputs", dumped(to_json(model.inputs), "actio.inputs", where)},
      {"actio.classes", dumped(Json(model.classes), "actio.classes", where)},
      {"actio.training", dumped(model.training, "actio.training", where)},
      {"actio.parent", model.parent_hash},
      {"actio.hash", std::string(kHashDigits, '0')},
  };
  if (!model.quantization.empty()) metadata[kQuantizationKey] = dumped(to_json(model.quantization), kQuantizationKey, where);
  std::string content = safetensors_content(model.weights, metadata, where);
  std::string hash = content_hash(std::as_bytes(std::span(content)));
  content.replace(content.find(kHashKey) + kHashKey.size(), kHashDigits, hash);
  write_file_atomically(path, content);
  model.hash = std::move(hash);
}

}  // namespace actio::net

#include "net/model_file.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "net/file_bytes.h"
#include "net/infer.h"
#include "net/initialise.h"
#include "net/safetensors.h"

namespace actio::net {
namespace {

constexpr int kFormat = 2;
constexpr std::size_t kHashDigits = 32;

// As this file's header has it; inside of any other text of the header the quotes are escaped.
constexpr std::string_view kHashKey = "\"actio.hash\":\"";

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

// The hash covers the whole file with the digits themselves as zeros.
std::string hash_with_zeroed_digits(std::span<std::byte> file, std::size_t data_begin, const std::string& where) {
  const std::string_view header = as_text(file.first(data_begin));
  const std::size_t key = header.find(kHashKey);
  if (key == std::string_view::npos || header.size() - key < kHashKey.size() + kHashDigits) {
    fail_data("{}: is damaged: the place of its content hash cannot be found", where);
  }
  std::ranges::fill(file.subspan(key + kHashKey.size(), kHashDigits), std::byte{'0'});
  return content_hash(file);
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

void check_consistency(const Model& model) {
  check_network_inputs(model.spec, model.inputs);
  const Shape output = infer(model.spec).at(model.spec.output).shape;
  if (Shape{static_cast<std::int64_t>(model.classes.size())} != output) {
    fail_data("{} class names for an output of shape {}", model.classes.size(), shape_text(output));
  }
  check_weights(model.spec, model.weights);
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

// Overwrites the digits of the hash.
Model parse_model(std::span<std::byte> file, const std::string& where) {
  const SafetensorsHeader header = parse_safetensors_header(file, where);
  const Metadata& metadata = header.metadata;
  check_format(metadata, where);

  Model model;
  model.hash = metadata_at(metadata, "actio.hash", where);
  const std::string actual = hash_with_zeroed_digits(file, header.data_begin, where);
  if (actual != model.hash) {
    fail_data("{}: is damaged: content hash {}, recorded {}", where, actual, shown_name(model.hash));
  }
  model.spec = spec_from_json(json_at(metadata, "actio.spec", where), where);
  model.classes = parse_classes(json_at(metadata, "actio.classes", where), where);
  model.training = json_at(metadata, "actio.training", where);
  model.parent_hash = metadata_at(metadata, "actio.parent", where);
  if (metadata.contains(kQuantizationKey)) {
    model.quantization = quantization_from_json(json_at(metadata, kQuantizationKey, where), model.spec, fmt::format("{}: '{}'", where, kQuantizationKey));
  }
  model.weights = copy_tensors(header, file);
  naming_file(where, ErrorCode::kBadData, [&] {
    model.inputs = read_inputs(metadata, model.spec, where);
    check_consistency(model);
  });
  return model;
}

}  // namespace

Model read_model(const std::filesystem::path& path) {
  FileBytes file(path);
  return parse_model(file.span(), path.string());
}

Model read_model(std::span<const std::byte> file, const std::string& name) {
  std::vector<std::byte> own(file.begin(), file.end());
  return parse_model(own, name);
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

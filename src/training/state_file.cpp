#include "training/state_file.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "net/weights.h"
#include "training/spec.h"

namespace actio::training {
namespace {

const std::set<std::string>& harmless_fields() {
  static const std::set<std::string> kFields = {"workers", "save_minutes", "evaluate_every"};
  return kFields;
}

// What an option was before there was it: its default. Null for what is no option.
Json default_of(const std::string& table, const std::string& name) {
  TrainSpec spec;
  const Json defaults = fields_to_json(spec.fields(table));
  return defaults.contains(name) ? defaults.at(name) : Json();
}

Json metadata_json(const net::Metadata& metadata, const char* key, const std::string& path) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) fail_data("{}: is not the state of a training: it has no '{}'", path, key);
  return parse_json(found->second, fmt::format("{}: '{}'", path, key));
}

TensorMap read_tensors(const std::string& path, net::Metadata& metadata) {
  try {
    return net::read_safetensors(path, &metadata);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadData) throw;
    fail_data("{}; --restart-changed begins anew", error.what());
  }
}

}  // namespace

void write_state(const std::string& path, const TrainState& state, const Json& config) {
  net::write_safetensors(path, state.tensors, {{"actio.state", state.progress.dump()}, {"actio.config", config.dump()}});
}

Json identity_of(const Json& config) {
  Json identity = config;
  if (!identity.contains("train") || !identity.at("train").is_object()) return identity;
  Json& train = identity.at("train");
  for (const std::string& name : harmless_fields()) train.erase(name);
  const auto views = train.find("cache_views");
  if (views != train.end() && *views == 0) train.erase("cache_gigabytes");  // a limit for features that are not kept
  return identity;
}

std::string config_difference(const Json& of_there, const Json& of_here) {
  const Json there = identity_of(of_there), here = identity_of(of_here);
  for (const auto& [table, fields] : here.items()) {
    const Json others = there.contains(table) ? there.at(table) : Json();
    if (!fields.is_object()) {
      if (others != fields) return fmt::format("{}: {} there, {} here", table, others.dump(), fields.dump());
      continue;
    }
    for (const auto& [name, value] : fields.items()) {
      const Json other = others.is_object() && others.contains(name) ? others.at(name) : default_of(table, name);
      if (other != value) return fmt::format("[{}] {}: {} there, {} here", table, name, other.dump(), value.dump());
    }
  }
  return "";
}

std::string state_difference(const std::string& path, const Json& config) {
  try {
    net::Metadata metadata;
    net::read_safetensors(path, &metadata);
    return config_difference(metadata_json(metadata, "actio.config", path), config);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadData) throw;  // may be whole
    return error.what();
  }
}

TrainState read_state(const std::string& path, const Json& config) {
  net::Metadata metadata;
  TrainState state;
  state.tensors = read_tensors(path, metadata);
  state.progress = metadata_json(metadata, "actio.state", path);
  const std::string difference = config_difference(metadata_json(metadata, "actio.config", path), config);
  if (!difference.empty()) fail_usage("{}: belongs to another training ({}); --restart-changed replaces it", path, difference);
  return state;
}

}  // namespace actio::training

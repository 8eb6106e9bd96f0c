#include "torch/state_file.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "net/weights.h"

namespace actio::torch_train {
namespace {

const std::set<std::string>& harmless_fields() {
  static const std::set<std::string> kFields = {"workers", "save_minutes", "evaluate_every"};
  return kFields;
}

Json metadata_json(const net::Metadata& metadata, const char* key, const std::string& path) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) fail_data("{}: is not the state of a training: it has no '{}'", path, key);
  return parse_json(found->second, fmt::format("{}: '{}'", path, key));
}

}  // namespace

void write_state(const std::string& path, const TrainState& state, const Json& config) {
  net::write_safetensors(path, state.tensors, {{"actio.state", state.progress.dump()}, {"actio.config", config.dump()}});
}

std::string config_difference(const Json& there, const Json& here) {
  for (const auto& [table, fields] : here.items()) {
    const Json others = there.contains(table) ? there.at(table) : Json();
    if (!fields.is_object()) {
      if (others != fields) return fmt::format("{}: {} there, {} here", table, others.dump(), fields.dump());
      continue;
    }
    for (const auto& [name, value] : fields.items()) {
      if (harmless_fields().contains(name)) continue;
      const Json other = others.is_object() && others.contains(name) ? others.at(name) : Json();
      if (other != value) return fmt::format("[{}] {}: {} there, {} here", table, name, other.dump(), value.dump());
    }
  }
  return "";
}

TrainState read_state(const std::string& path, const Json& config) {
  net::Metadata metadata;
  TrainState state;
  state.tensors = net::read_safetensors(path, &metadata);
  state.progress = metadata_json(metadata, "actio.state", path);
  const std::string difference = config_difference(metadata_json(metadata, "actio.config", path), config);
  if (!difference.empty()) fail_usage("{}: belongs to another training ({}); --restart starts anew", path, difference);
  return state;
}

}  // namespace actio::torch_train

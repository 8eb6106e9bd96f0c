#include "training/spec.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/json_text.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

// That a stage may have; all stages share the data.
const std::vector<std::string>& stage_tables() {
  static const std::vector<std::string> kNames = {"network", "preprocess", "train", "cache"};
  return kNames;
}

std::vector<std::string> init_of(const Json& value, const std::string& where) {
  if (value.is_string()) return {value.get<std::string>()};
  const bool texts = value.is_array() && std::ranges::all_of(value, [](const Json& entry) { return entry.is_string(); });
  if (!texts) fail_usage("{}: init must be a text or a list of texts, got {}", where, json_text(value));
  return value.get<std::vector<std::string>>();
}

Stage read_stage(const Json& table, const std::string& where) {
  const std::vector<std::string>& tables = stage_tables();
  if (!table.is_object()) fail_usage("{}: must be a table, got {}", where, json_text(table));
  Stage stage;
  for (const auto& [key, value] : table.items()) {
    if (key == "name" && value.is_string()) {
      stage.name = value.get<std::string>();
    } else if (key == "init") {
      stage.init = init_of(value, where);
    } else if (std::ranges::find(tables, key) != tables.end()) {
      stage.tables[key] = value;
    } else if (key == "name") {
      fail_usage("{}: name must be a text, got {}", where, json_text(value));
    } else {
      std::vector<std::string> known = tables;
      known.insert(known.end(), {"name", "init"});
      fail_usage("{}: {}", where, unknown_name_text("key", key, known));
    }
  }
  return stage;
}

bool is_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

}  // namespace

Fields TrainSpec::fields(std::string_view table) {
  if (table == net::NetworkOptions::kTable) return network.fields();
  if (table == Preprocess::kTable) return preprocess.fields();
  if (table == data::DatasetOptions::kTable) return dataset.fields();
  if (table == TrainOptions::kTable) return train.fields();
  if (table == data::FlowCacheOptions::kTable) return cache.fields();
  if (table == data::ReadLimits::kTable) return read.fields();
  if (table == RecipeOptions::kTable) return recipe.fields();
  return {};
}

const std::vector<std::string>& spec_tables() {
  static const std::vector<std::string> kNames = {"network", "preprocess", "data", "train", "cache", "read", "recipe"};
  return kNames;
}

TrainSpec read_spec(const Json& file, const std::string& where) {
  TrainSpec spec;
  for (const auto& [table, content] : file.items()) {
    if (table == "stage") continue;
    if (std::ranges::find(spec_tables(), table) == spec_tables().end()) {
      fail_usage("{}: {}", where, unknown_name_text("table", table, spec_tables()));
    }
    fields_from_json(spec.fields(table), content, fmt::format("{}: [{}]", where, table));
    for (const auto& [key, value] : content.items()) spec.chosen.add_name(table + "." + key);
  }
  return spec;
}

void apply(const Setting& setting, TrainSpec& spec) {
  const Fields fields = spec.fields(setting.table);
  const auto field = std::ranges::find(fields, setting.field, &Field::name);
  if (field == fields.end()) fail_usage("{}: [{}] has no option '{}'", setting.where, setting.table, setting.field);
  set_field(*field, setting.text, setting.where);
  spec.chosen.add_name(setting.table + "." + setting.field);
}

TrainSpec paper_spec(std::string_view network) {
  TrainSpec spec;
  spec.network.network = value_named<net::NetworkKind>("network", network);
  spec.chosen.add(&net::NetworkOptions::network);
  net::apply_defaults(spec.network, spec.preprocess, spec.chosen);
  return spec;
}

std::vector<Stage> read_stages(const Json& file, const std::string& where) {
  std::vector<Stage> stages;
  if (!file.is_object() || !file.contains("stage")) return stages;
  const Json& list = file.at("stage");
  if (!list.is_array()) fail_usage("{}: stages are written as [[stage]], each with a name", where);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = fmt::format("{}: [[stage]] {}", where, i + 1);
    Stage stage = read_stage(list[i], place);
    if (!is_file_name(stage.name)) fail_usage("{}: needs a name that a file can have, got '{}'", place, stage.name);
    const auto same = [&](const Stage& earlier) { return earlier.name == stage.name; };
    if (std::ranges::any_of(stages, same)) fail_usage("{}: the name '{}' occurs twice", place, stage.name);
    if (stage.name == kFirstWeights) fail_usage("{}: '{}' stands for what --init names", place, stage.name);
    std::vector<std::string> earlier;
    for (const Stage& other : stages) earlier.push_back(other.name);
    for (const std::string& name : stage.init) {
      std::error_code ignored;
      if (name == kFirstWeights || std::ranges::find(earlier, name) != earlier.end() || fs::exists(name, ignored)) continue;
      fail_usage("{}: init '{}' is neither an earlier stage ({}), '{}' nor a file", place, name, fmt::join(earlier, ", "), kFirstWeights);
    }
    stages.push_back(std::move(stage));
  }
  return stages;
}

std::vector<TrainSpec> resolve(const TrainSpec& spec, const std::vector<Stage>& stages, const std::vector<Setting>& settings,
                               const std::string& where) {
  std::vector<TrainSpec> resolved;
  net::OtherStages others;
  others.for_all = spec.chosen;
  for (const Stage& stage : stages) {
    TrainSpec own = spec;
    const std::string place = fmt::format("{}: [[stage]] {}", where, stage.name);
    for (const auto& [table, content] : stage.tables.items()) {
      fields_from_json(own.fields(table), content, fmt::format("{}: [{}]", place, table));
      for (const auto& [key, value] : content.items()) own.chosen.add_name(table + "." + key);
    }
    for (const Setting& setting : settings) {
      if (std::ranges::find(stage_tables(), setting.table) != stage_tables().end()) apply(setting, own);
    }
    others.networks.push_back(own.network.network);
    resolved.push_back(std::move(own));
  }
  for (TrainSpec& own : resolved) own.others = others;
  return resolved;
}

}  // namespace actio::training

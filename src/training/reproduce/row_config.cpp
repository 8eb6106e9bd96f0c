#include "training/reproduce/row_config.h"

#include <algorithm>

#include "core/error.h"
#include "net/zoo.h"
#include "training/spec.h"

namespace actio::training {
namespace {

const std::vector<std::string> kTables = {"network", "preprocess", "data", "train"};

bool is_compared(const std::string& table, const std::string& key) {
  return table == "network" &&
         (key == "network" || key == "streams" || key == "classes" || key == "ifm" || key == "st_fusion" ||
          (key.starts_with("stfn_") && key != "stfn_dropout" && key != "stfn_weights"));
}

void check_change(const ConfigChange& change, const std::string& where) {
  if (is_compared(change.table, change.key)) {
    fail_usage("{}: {}.{} is what rows differ by; it cannot be changed for all of them", where, change.table, change.key);
  }
  if (change.table == "train" && change.key == "seed") fail_usage("{}: train.seed: --seeds chooses it", where);
  if (change.table == "data" && !change.stage.empty()) fail_usage("{}: all stages have the same [data]", where);
}

void check_table(const std::string& table, const std::string& where) {
  if (std::ranges::find(kTables, table) == kTables.end())
    fail_usage("{}: {}", where, unknown_name_text("table", table, kTables));
}

ConfigChange checked(ConfigChange change, const std::string& where) {
  TrainSpec scratch;  // to check names and values with
  fields_from_json(scratch.fields(change.table), {{change.key, change.value}}, fmt::format("{}: [{}]", where, change.table));
  check_change(change, where);
  return change;
}

void add_table(const Json& content, const std::string& stage, const std::string& table, const std::string& where,
               std::vector<ConfigChange>& changes) {
  if (!content.is_object()) fail_usage("{}: [{}] must be a table, got {}", where, table, content.dump());
  for (const auto& [key, value] : content.items()) changes.push_back(checked({stage, table, key, value}, where));
}

bool is_empty_list(const Json& value) { return value.is_null() || (value.is_array() && value.empty()); }

// Whether the option means something to the stage, and whether it does to every stage.
struct Reach {
  bool every = true;
  bool this_one = true;
};

Reach reach_of(const Json& config, const Json& stage, const ConfigChange& change) {
  if (change.table == "network") {
    const std::vector<std::string> networks = net::networks_with(change.key);
    if (networks.empty()) return {};
    const Json network = effective(config, stage, "network", "network");
    return {false, network.is_string() && std::ranges::find(networks, network.get<std::string>()) != networks.end()};
  }
  if (change.table == "preprocess" && change.key == "motion") {
    const Json motion = effective(config, stage, "preprocess", "motion");
    return {false, motion.is_string() && motion != "none"};
  }
  if (change.table == "train" && (change.key == "cache_views" || change.key == "cache_gigabytes")) {
    return {false, !is_empty_list(effective(config, stage, "train", "freeze"))};
  }
  return {};
}

void apply_everywhere(Json& config, const ConfigChange& change) {
  bool every = true;
  for (Json& stage : config["stage"]) {
    const Reach reach = reach_of(config, stage, change);
    every = every && reach.every;
    if (!reach.every && reach.this_one) stage[change.table][change.key] = change.value;
    if (reach.every && stage.contains(change.table)) stage[change.table].erase(change.key);
  }
  if (every) config[change.table][change.key] = change.value;
}

}  // namespace

ConfigChange parse_change(const std::string& text) {
  const std::string where = "--override '" + text + "'";
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::size_t colon = name.find(':'), dot = name.find('.', colon == std::string::npos ? 0 : colon);
  if (equals == std::string::npos || dot == std::string::npos) {
    fail_usage("{}: is written as TABLE.KEY=VALUE, or STAGE:TABLE.KEY=VALUE", where);
  }
  ConfigChange change;
  if (colon != std::string::npos) change.stage = name.substr(0, colon);
  const std::size_t begin = colon == std::string::npos ? 0 : colon + 1;
  change.table = name.substr(begin, dot - begin);
  change.key = name.substr(dot + 1);
  check_table(change.table, where);
  TrainSpec scratch;  // to check names and values with
  const Fields fields = scratch.fields(change.table);
  const auto field = std::ranges::find(fields, change.key, &Field::name);
  if (field == fields.end()) {
    std::vector<std::string> names;
    for (const Field& known : fields) names.push_back(known.name);
    fail_usage("{}: {}", where, unknown_name_text("option", change.key, names));
  }
  set_field(*field, text.substr(equals + 1), where);
  change.value = fields_to_json({*field}).at(change.key);
  check_change(change, where);
  return change;
}

std::vector<ConfigChange> changes_of(const Json& file, const std::string& where) {
  std::vector<ConfigChange> changes;
  for (const std::string& table : kTables) {
    if (file.contains(table)) add_table(file.at(table), "", table, where, changes);
  }
  if (!file.contains("stage")) return changes;
  if (!file.at("stage").is_array()) fail_usage("{}: stages are written as [[stage]], each with a name", where);
  for (const Json& stage : file.at("stage")) {
    const bool named = stage.is_object() && stage.contains("name") && stage.at("name").is_string();
    if (!named) fail_usage("{}: [[stage]] needs the name of the stages that it changes", where);
    for (const auto& [key, content] : stage.items()) {
      if (key == "name") continue;
      check_table(key, where + ": [[stage]]");
      add_table(content, stage.at("name").get<std::string>(), key, where, changes);
    }
  }
  return changes;
}

bool is_same_option(const ConfigChange& a, const ConfigChange& b) {
  return a.stage == b.stage && a.table == b.table && a.key == b.key;
}

std::string change_text(const ConfigChange& change) {
  return fmt::format("{}{}.{} = {}", change.stage.empty() ? "" : change.stage + ":", change.table, change.key,
                     change.value.dump());
}

std::vector<std::string> stage_names(const Json& config, const std::string& where) {
  std::vector<std::string> names;
  if (config.contains("stage") && config.at("stage").is_array()) {
    for (const Json& stage : config.at("stage")) names.push_back(stage.at("name").get<std::string>());
  }
  if (names.empty()) fail_usage("{}: has no [[stage]]", where);
  return names;
}

Json effective(const Json& config, const Json& stage, const std::string& table, const std::string& key) {
  for (const Json* place : {&stage, &config}) {
    if (place->contains(table) && place->at(table).contains(key)) return place->at(table).at(key);
  }
  return {};
}

Json changed_config(Json config, const std::vector<ConfigChange>& changes, const std::vector<std::string>& keep) {
  const auto is_kept = [&](const ConfigChange& change) {
    return std::ranges::find(keep, change.table + "." + change.key) != keep.end();
  };
  for (const ConfigChange& change : changes) {
    if (change.stage.empty() && !is_kept(change)) apply_everywhere(config, change);
  }
  for (const ConfigChange& change : changes) {
    if (change.stage.empty() || is_kept(change)) continue;
    for (Json& stage : config["stage"]) {
      if (stage.at("name") == change.stage) stage[change.table][change.key] = change.value;
    }
  }
  for (Json& stage : config["stage"]) {
    for (const std::string& table : kTables) {
      if (stage.contains(table) && stage.at(table).empty()) stage.erase(table);
    }
  }
  return config;
}

void set_flow_cache(Json& config, const std::string& folder) {
  if (folder.empty()) return;
  for (Json& stage : config["stage"]) {
    if (effective(config, stage, "preprocess", "motion") == "flow") stage["cache"]["flow_cache"] = folder;
  }
}

}  // namespace actio::training

#include "training/request_file.h"

#include <algorithm>

#include "core/error.h"
#include "core/json_text.h"
#include "core/request_json.h"

namespace actio::training {
namespace {

constexpr const char* kStages = "stages";
constexpr const char* kOverStages = "over_stages";
constexpr const char* kOwnNetwork = "own_network";

RequestForm form_of(TrainRequest& request) {
  RequestForm form;
  form.kind = "train";
  form.keys = {{"data", &request.data, ""},
               {"output", &request.output, ""},
               {"init", &request.init, ""},
               {"partial", &request.partial, ""},
               choice_field("existing", &request.existing, ""),
               {"folds", &request.folds, ""},
               {"stage_cache", &request.stage_cache, ""},
               {"scores", &request.scores, ""},
               {"log", &request.log, ""},
               {"tensorboard", &request.tensorboard, ""},
               {"config", &request.config, ""}};
  form.required = {"data", "output"};
  for (const std::string& table : spec_tables()) form.tables.push_back({table, request.spec.fields(table)});
  form.others = {kStages, kOverStages, kOwnNetwork};
  return form;
}

Json stages_json(const std::vector<Stage>& stages) {
  Json list = Json::array();
  for (const Stage& stage : stages) {
    Json entry = {{"name", stage.name}};
    if (!stage.init.empty()) entry["init"] = stage.init;
    entry.update(stage.tables);
    list.push_back(std::move(entry));
  }
  return list;
}

// Of the same types as in the tables.
Json settings_json(const std::vector<Setting>& settings) {
  TrainSpec scratch;
  Json tables = Json::object();
  for (const Setting& setting : settings) {
    if (setting.table == data::DatasetOptions::kTable) continue;  // which all stages share
    apply(setting, scratch);
    const Fields fields = scratch.fields(setting.table);
    const auto field = std::ranges::find(fields, setting.field, &Field::name);
    tables[setting.table].update(fields_to_json({*field}));
  }
  return tables;
}

std::vector<Stage> stages_of(const Json& list, const std::string& where) {
  if (!list.is_array()) fail_usage("{}: {} must be a list, got {}", where, kStages, json_text(list));
  Json file;
  file["stage"] = list;
  return read_stages(file, where);
}

std::vector<Setting> settings_of(const Json& tables, const std::string& where) {
  if (!tables.is_object()) fail_usage("{}: tables of options were expected, got {}", where, json_text(tables));
  TrainSpec scratch = read_spec(tables, where);
  std::vector<Setting> settings;
  for (const auto& [table, content] : tables.items()) {
    const Fields fields = scratch.fields(table);
    if (fields.empty()) fail_usage("{}: {}", where, unknown_name_text("table", table, spec_tables()));
    for (const Field& field : fields) {
      if (content.contains(field.name)) settings.push_back({table, field.name, field_text(field), where});
    }
  }
  return settings;
}

std::shared_ptr<const OwnNetwork> own_of(const Json& json, const std::string& where) {
  const auto part = [&](const char* key) {
    if (!json.is_object() || !json.contains(key)) fail_usage("{}: {} has no '{}'", where, kOwnNetwork, key);
    return json.at(key);
  };
  return std::make_shared<OwnNetwork>(net::spec_from_json(part("network"), where), inputs_from_json(part("inputs"), where));
}

}  // namespace

void write_request(const std::filesystem::path& path, const TrainRequest& request) {
  TrainRequest copy = request;
  resolve(copy.spec, copy.stages, copy.settings, copy.config);
  Json others = Json::object();
  if (!copy.stages.empty()) others[kStages] = stages_json(copy.stages);
  // Without stages there is nothing that they win over.
  if (!copy.stages.empty() && !copy.settings.empty()) others[kOverStages] = settings_json(copy.settings);
  if (copy.spec.own) others[kOwnNetwork] = {{"network", net::to_json(copy.spec.own->spec)}, {"inputs", to_json(copy.spec.own->inputs)}};
  write_request_json(path, form_of(copy), copy.spec.chosen, others);
}

TrainRequest read_request(const std::filesystem::path& path) {
  TrainRequest request;
  const std::string where = path.string();
  const Json others = read_request_json(path, form_of(request), request.spec.chosen);
  if (others.contains(kStages)) request.stages = stages_of(others.at(kStages), where);
  if (others.contains(kOverStages)) request.settings = settings_of(others.at(kOverStages), fmt::format("{}: {}", where, kOverStages));
  if (others.contains(kOwnNetwork)) request.spec.own = own_of(others.at(kOwnNetwork), where);
  resolve(request.spec, request.stages, request.settings, where);
  return request;
}

}  // namespace actio::training

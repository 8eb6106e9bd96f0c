#include "training/recipe/recipe_file.h"

#include <utility>

#include "core/error.h"
#include "core/toml_text.h"
#include "data/list_file.h"
#include "training/identity.h"

namespace actio::training {
namespace {

// What a decided stage says itself.
bool is_of_stage(const std::string& table, const std::string& field) {
  return table == net::NetworkOptions::kTable && (field == "network" || field == "streams");
}

// What the user chose, as what wins over stages.
std::vector<Setting> settings_of(TrainSpec spec, bool decided) {
  std::vector<Setting> settings;
  for (const std::string& table : spec_tables()) {
    for (const Field& field : spec.fields(table)) {
      if (!spec.chosen.has_name(fmt::format("{}.{}", table, field.name)) || (decided && is_of_stage(table, field.name))) continue;
      settings.push_back({table, field.name, field_text(field), flag_name(field.name)});
    }
  }
  return settings;
}

// With what the user chose, too, so that the file says all.
Json whole_tables(Json tables, TrainSpec spec) {
  for (const std::string& table : spec_tables()) {
    if (table == data::DatasetOptions::kTable || table == RecipeOptions::kTable) continue;
    const Json values = fields_to_json(spec.fields(table));
    for (const auto& [name, value] : values.items()) {
      if (!spec.chosen.has_name(fmt::format("{}.{}", table, name))) continue;
      tables[table][name] = value;
      if (!tables.contains("stage")) continue;
      for (Json& stage : tables["stage"]) {
        if (stage.contains(table) && !is_of_stage(table, name)) stage[table].erase(name);
      }
    }
  }
  Json stages = tables.contains("stage") ? tables["stage"] : Json::array();
  tables.erase("stage");
  if (!stages.empty()) tables["stage"] = std::move(stages);
  return tables;
}

std::string mark_line(const std::string& mark) { return fmt::format("# asked: {}\n", mark); }

std::string with_reason(const Decision& decision) {
  return data::shown(decision.value + (decision.reason.empty() ? "" : " (" + decision.reason + ")"));
}

}  // namespace

TrainRequest with_tables(const TrainRequest& request, const Json& tables, const std::string& where, bool decided) {
  TrainRequest settled = request;
  settled.settings = settings_of(request.spec, decided && tables.contains("stage"));
  TrainSpec spec = read_spec(tables, where);
  for (const Setting& setting : settled.settings) apply(setting, spec);
  settled.spec = std::move(spec);
  settled.stages = read_stages(tables, where);
  settled.config = where;
  return settled;
}

std::string asked_mark(const TrainRequest& request) {
  TrainSpec spec = request.spec;
  const Json asked = {{"recipe", spec.recipe.recipe}, {"minutes", spec.recipe.minutes}, {"chosen", chosen_record(spec)}, {"init", init_record(request.init)}};
  return short_hash(asked.dump());
}

bool is_of_mark(const std::string& text, const std::string& mark) { return text.find(mark_line(mark)) != std::string::npos; }

std::string text_of(const Recipe& recipe) {
  std::string text;
  for (const Decision& decision : recipe.decisions) {
    text += fmt::format("{}  {:<14}{}", text.empty() ? "" : "\n", decision.what, with_reason(decision));
  }
  return text;
}

std::string file_text(const Recipe& recipe, const TrainSpec& spec, const std::string& mark) {
  std::string text = "# What a training was decided to be: actio train DATA -o MODEL --config THIS, with the same options about the data, repeats it.\n";
  for (const Decision& decision : recipe.decisions) text += fmt::format("# {}: {}\n", decision.what, with_reason(decision));
  return text + mark_line(mark) + "\n" + toml_text(whole_tables(recipe.tables, spec));
}

}  // namespace actio::training

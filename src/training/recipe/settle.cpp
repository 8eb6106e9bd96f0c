#include "training/recipe/settle.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/toml_text.h"
#include "data/check.h"
#include "data/check_report.h"
#include "training/first_weights.h"
#include "training/recipe/decide.h"
#include "training/recipe/facts.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

bool is_decided(const std::string& recipe) { return recipe == kAutoRecipe || recipe == kQuickRecipe; }

// What a decided stage says itself: the network that was asked for is that of the last one.
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

// The recipe's tables below what the user chose.
TrainRequest with_tables(const TrainRequest& request, const Json& tables, const std::string& where) {
  TrainRequest settled = request;
  settled.settings = settings_of(request.spec, is_decided(request.spec.recipe.recipe) && tables.contains("stage"));
  TrainSpec spec = read_spec(tables, where);
  for (const Setting& setting : settled.settings) apply(setting, spec);
  settled.spec = std::move(spec);
  settled.stages = read_stages(tables, where);
  settled.config = where;
  return settled;
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

std::string text_of(const Recipe& recipe) {
  std::string text;
  for (const Decision& decision : recipe.decisions) {
    text += fmt::format("{}  {:<14}{}{}", text.empty() ? "" : "\n", decision.what, decision.value, decision.reason.empty() ? "" : " (" + decision.reason + ")");
  }
  return text;
}

// The file: what --config takes, and why as comments.
std::string file_text(const Recipe& recipe, const TrainSpec& spec) {
  std::string text = "# What a training was decided to be. actio train DATA -o MODEL --config THIS repeats it.\n";
  for (const Decision& decision : recipe.decisions) {
    text += fmt::format("# {}: {}{}\n", decision.what, decision.value, decision.reason.empty() ? "" : " (" + decision.reason + ")");
  }
  return text + "\n" + toml_text(whole_tables(recipe.tables, spec));
}

class Settler {
 public:
  Settler(const TrainRequest& request, const data::Dataset& dataset, const data::Split& split, Trainer& trainer, const TrainHooks& hooks)
      : request_(request), dataset_(dataset), split_(split), trainer_(trainer), hooks_(hooks) {}

  // Returns: the file's text.
  std::string decide_all() {
    look();
    const RecipeOptions& options = request_.spec.recipe;
    TrainSpec adopted = request_.spec;
    for (std::size_t i = request_.init.size(); i-- > 0;) adopt_settings_of(request_.init[i], adopted);
    const WeightFacts weights = facts_of(request_.init);
    const MachineFacts machine = machine_facts();
    int thrift = options.recipe == kQuickRecipe ? kQuickest : kDearest;
    Recipe recipe;
    while (true) {
      recipe = decide(facts_, machine, weights, adopted, thrift);
      if (options.minutes <= 0 || thrift == kQuickest) break;
      if (estimate_of(recipe).seconds() * folds() <= 60 * options.minutes) break;
      ++thrift;
    }
    hooks_.tell(fmt::format("recipe {}: {} clips to learn from, {} classes, {} groups", options.recipe, facts_.clips, facts_.classes, facts_.groups));
    hooks_.tell(text_of(recipe));
    return file_text(recipe, request_.spec);
  }

 private:
  double folds() const { return request_.folds.empty() ? 1 : static_cast<double>(std::max<std::int64_t>(1, facts_.groups)); }

  void look() {
    data::CheckOptions check;
    if (!request_.spec.recipe.check_data) check.permutations = 0;
    check.limits = request_.spec.read;
    const data::CheckReport report = data::check_dataset(dataset_, request_.spec.dataset, check, hooks_.progress, hooks_.stop);
    throw_if_stopped(hooks_.stop);
    for (const std::string& finding : data::findings(report, dataset_)) {
      if (hooks_.warn) hooks_.warn(fmt::format("{}: {}", request_.data, finding));
    }
    facts_ = facts_of(report, dataset_, split_, request_.spec.read, hooks_);
  }

  TimeEstimate estimate_of(const Recipe& recipe) {
    return estimate_time(with_tables(request_, recipe.tables, "recipe"), dataset_, split_, trainer_, hooks_);
  }

  const TrainRequest& request_;
  const data::Dataset& dataset_;
  const data::Split& split_;
  Trainer& trainer_;
  const TrainHooks& hooks_;
  DataFacts facts_;
};

std::string from_leader(const Team& team, const std::string& text) {
  return team.peers == nullptr ? text : team.peers->all_gather(text).front();
}

bool goes_on(const TrainRequest& request, const std::string& path) {
  std::error_code ignored;
  const bool may = request.existing == Existing::kResume || request.existing == Existing::kReplaceChanged || !request.folds.empty();
  return may && request.existing != Existing::kRestart && fs::exists(path, ignored);
}

}  // namespace

bool has_recipe(const TrainRequest& request) {
  const RecipeOptions& options = request.spec.recipe;
  const Chosen& chosen = request.spec.chosen;
  const bool asked = (chosen.has(&RecipeOptions::recipe) || options.minutes > 0) && options.recipe != kPaperRecipe;
  const char* beside = request.spec.own ? "a network of one's own" : !request.stages.empty() ? "a file with stages" : nullptr;
  if (asked && beside != nullptr) fail_usage("--recipe {}: decides the stages; it cannot stand beside {}", options.recipe, beside);
  if (options.minutes > 0 && (beside != nullptr || !is_decided(options.recipe))) {
    fail_usage("--minutes: is kept by --recipe auto and quick, which cannot stand beside {}", beside != nullptr ? beside : "--recipe " + options.recipe);
  }
  std::error_code ignored;
  if (asked && !is_decided(options.recipe) && !fs::exists(options.recipe, ignored)) {
    fail_usage("--recipe: '{}' is none of auto, quick and paper, and no file", options.recipe);
  }
  if (options.recipe == kPaperRecipe || beside != nullptr) return false;
  if (asked) return true;
  return request.config.empty() && !chosen.has(&net::NetworkOptions::network) && !chosen.has(&net::NetworkOptions::streams);
}

std::string recipe_path(const TrainRequest& request) {
  const fs::path output = request.output;
  return (request.folds.empty() ? fs::path(output).replace_extension(".recipe.toml") : output / "recipe.toml").string();
}

PacedTeam::PacedTeam(const Settled& settled, std::int64_t folds, const Team& team, const TrainHooks& hooks) : team_(team) {
  if (!settled.estimate) return;
  trainer_.emplace(*team.trainer, settled.estimate, folds, hooks.say);
  team_.trainer = &*trainer_;
  if (settled.begins) trainer_->prepare();
}

Settled settle(const TrainRequest& request, const data::Dataset& dataset, const data::Split& split, const Team& team, const TrainHooks& hooks) {
  if (!has_recipe(request)) return {request, nullptr, false};
  const std::string& name = request.spec.recipe.recipe;
  if (!is_decided(name)) return {with_tables(request, read_toml(name), name), nullptr, false};
  if (team.size() > 1 && request.spec.recipe.minutes > 0) fail_usage("--minutes: time is estimated for one process, there are {}", team.size());
  const std::string path = recipe_path(request);
  const bool begins = !goes_on(request, path);
  std::string text;
  if (team.leads()) {
    if (!begins) {
      text = read_text_file(path);
      hooks.tell(fmt::format("recipe {}: as decided before, {}", name, path));
    } else {
      text = Settler(request, dataset, split, *team.trainer, hooks).decide_all();
      write_file_atomically(path, text);
      hooks.tell(fmt::format("wrote {}", path));
    }
  }
  text = from_leader(team, text);
  Settled settled{with_tables(request, parse_toml(text, path), path), nullptr, begins};
  if (team.size() > 1) return settled;  // a trial on a few clips would be another training of all processes
  settled.estimate = [own = settled.request, &dataset, &split, &team, &hooks] { return estimate_time(own, dataset, split, *team.trainer, hooks); };
  return settled;
}

}  // namespace actio::training

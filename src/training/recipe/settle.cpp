#include "training/recipe/settle.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/toml_text.h"
#include "data/check.h"
#include "data/check_report.h"
#include "data/list_file.h"
#include "training/first_weights.h"
#include "training/identity.h"
#include "training/recipe/decide.h"
#include "training/recipe/facts.h"
#include "training/recipe/recipe_file.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

bool is_decided(const std::string& recipe) { return recipe == kAutoRecipe || recipe == kQuickRecipe; }

class Settler {
 public:
  Settler(const TrainRequest& request, const Division& division, Trainer& trainer, const TrainHooks& hooks)
      : request_(request), division_(division), trainer_(trainer), hooks_(hooks) {}

  // Returns: the file's text.
  std::string decide_all() {
    look();
    const RecipeOptions& options = request_.spec.recipe;
    TrainSpec adopted = request_.spec;
    net::apply_defaults(adopted.network, adopted.preprocess, adopted.chosen);
    for (std::size_t i = request_.init.size(); i-- > 0;) adopt_settings_of(request_.init[i], adopted);
    const WeightFacts weights = facts_of(request_.init);
    const MachineFacts machine = machine_facts(trainer_.has_quick_bf16(), trainer_.has_cuda());
    int thrift = options.recipe == kQuickRecipe ? kQuickest : kDearest;
    const auto decided = [&] {
      Recipe made = decide(facts_, machine, weights, adopted, thrift);
      keep_flow(adopted, made);
      return made;
    };
    Recipe recipe = decided();
    while (options.minutes > 0) {
      const double seconds = estimate_of(recipe).seconds() * static_cast<double>(division_.folds);
      if (seconds <= 60 * options.minutes) break;
      if (thrift == kQuickest) {
        hooks_.warn_of(fmt::format("--minutes {}: the quickest recipe takes {}", options.minutes, duration_text(seconds)));
        break;
      }
      ++thrift;
      recipe = decided();
    }
    hooks_.tell(fmt::format("recipe {}: {} clips to learn from, {} classes, {} groups", options.recipe, facts_.clips, facts_.classes, facts_.groups));
    hooks_.tell(text_of(recipe));
    return file_text(recipe, request_.spec, asked_mark(request_));
  }

 private:
  // TV-L1 costs more than all the rest, so that it is computed once.
  void keep_flow(const TrainSpec& spec, Recipe& recipe) const {
    const std::vector<Motion> motions = net::motions_of(spec.network, spec.preprocess);
    if (std::ranges::find(motions, Motion::kFlow) == motions.end() || spec.chosen.has(&data::FlowCacheOptions::flow_cache)) return;
    const fs::path output = request_.output;
    const std::string folder = (request_.folds.empty() ? fs::path(output).replace_extension(".flow") : output / "flow").string();
    recipe.tables[std::string(data::FlowCacheOptions::kTable)]["flow_cache"] = folder;
    recipe.decisions.push_back({"flow", folder, "is computed once and kept there; --flow-cache names another folder"});
  }

  void look() {
    data::CheckOptions check;
    if (!request_.spec.recipe.check_data) check.permutations = 0;
    check.limits = request_.spec.read;
    const data::CheckReport report = data::check_dataset(division_.dataset, request_.spec.dataset, check, hooks_.progress, hooks_.stop);
    throw_if_stopped(hooks_.stop);
    if (report.looked_at() == 0 && !report.clips.empty()) {
      const data::CheckedClip& first = report.clips.front();
      fail_data("{}: none of its {} clips can be read; the first, {}: {}", request_.data, report.clips.size(),
                data::shown(division_.dataset.items[first.item].path), first.error);
    }
    for (const std::string& finding : data::findings(report, division_.dataset)) hooks_.warn_of(fmt::format("{}: {}", request_.data, finding));
    facts_ = facts_of(report, division_.dataset, division_.split, request_.spec.read, hooks_);
  }

  TimeEstimate estimate_of(const Recipe& recipe) {
    return estimate_time(with_tables(request_, recipe.tables, "recipe", true), division_.dataset, division_.split, trainer_, hooks_);
  }

  const TrainRequest& request_;
  const Division& division_;
  Trainer& trainer_;
  const TrainHooks& hooks_;
  DataFacts facts_;
};

std::string from_leader(const Team& team, const std::string& text) {
  return team.peers == nullptr ? text : team.peers->all_gather(text).front();
}

bool has_state(const TrainRequest& request) {
  std::error_code ignored;
  if (fs::exists(state_path(request.output), ignored)) return true;
  for (const auto& entry : fs::directory_iterator(fs::path(request.output).replace_extension(".stages"), ignored)) {
    if (entry.path().extension() == ".state") return true;
  }
  return false;
}

// The file of a training that is gone on with; empty where one begins. Throws: Error(kUsage) where it was decided for something else.
std::string decided_before(const TrainRequest& request, const std::string& path) {
  std::error_code ignored;
  const bool folds = !request.folds.empty();
  if (request.existing == Existing::kRefuse && !folds && has_state(request)) {
    fail_usage("{}: is of a training that did not end; --resume continues it, --restart begins anew", request.output);
  }
  if (request.existing == Existing::kRestart || (request.existing == Existing::kRefuse && !folds) || !fs::exists(path, ignored)) return "";
  const std::string text = read_text_file(path);
  if (is_of_mark(text, asked_mark(request))) return text;
  if (request.existing == Existing::kReplaceChanged) return "";
  fail_usage("{}: was decided for other options or first weights; --restart-changed decides anew, --config takes it as it is", path);
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
  if (options.recipe == kPaperRecipe || beside != nullptr) return false;
  if (asked) return true;
  return request.config.empty() && !chosen.has(&net::NetworkOptions::network) && !chosen.has(&net::NetworkOptions::streams);
}

TrainRequest with_file(const TrainRequest& request) {
  const std::string& name = request.spec.recipe.recipe;
  if (!has_recipe(request) || is_decided(name)) return request;
  std::error_code ignored;
  if (!fs::exists(name, ignored)) fail_usage("--recipe: '{}' is none of auto, quick and paper, and no file", name);
  TrainRequest followed = with_tables(request, read_toml(name), name, false);
  followed.spec.recipe.recipe = kPaperRecipe;  // what it leaves open
  return followed;
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

Settled settle(const TrainRequest& request, const Division& division, const Team& team, const TrainHooks& hooks) {
  if (!has_recipe(request)) return {request, nullptr, false};
  const std::string& name = request.spec.recipe.recipe;
  if (team.size() > 1 && request.spec.recipe.minutes > 0) fail_usage("--minutes: time is estimated for one process, there are {}", team.size());
  data::require_classes(division.dataset);
  const std::string path = recipe_path(request);
  bool begins = false;
  std::string text;
  if (team.leads()) {
    text = decided_before(request, path);
    begins = text.empty();
    if (begins) {
      text = Settler(request, division, *team.trainer, hooks).decide_all();
      write_file_atomically(path, text);
      hooks.tell(fmt::format("wrote {}", path));
    } else {
      hooks.tell(fmt::format("recipe {}: as decided before, {}", name, path));
    }
  }
  text = from_leader(team, text);
  Settled settled{with_tables(request, parse_toml(text, path), path, true), nullptr, begins};
  if (team.size() > 1) return settled;  // a trial on a few clips would be another training of all processes
  settled.estimate = [own = settled.request, &division, &team, &hooks] {
    return estimate_time(own, division.dataset, division.split, *team.trainer, hooks);
  };
  return settled;
}

}  // namespace actio::training

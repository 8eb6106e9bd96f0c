#include "training/request.h"

#include "core/error.h"
#include "core/output_check.h"
#include "eval/score_file.h"
#include "training/folds.h"
#include "training/lost_classes.h"
#include "training/plan.h"
#include "training/recipe/settle.h"

namespace actio::training {
namespace {

void check_outputs(const TrainRequest& request, const std::string& file) {
  std::vector<std::string> inputs = request.init;
  inputs.insert(inputs.end(), {request.data, request.config, file});
  if (request.folds.empty()) check_output(request.output, inputs);
  inputs.push_back(request.output);
  if (!request.scores.empty()) {
    for (const std::string& scores : eval::score_files_of(request.scores)) check_output(scores, inputs);
    inputs.push_back(request.scores);
  }
  if (!request.log.empty()) check_output(request.log, inputs);
}

// What [network] and [preprocess] would say, the network says itself.
void check_own_network(const TrainRequest& request) {
  if (!request.spec.own) return;
  const std::string& name = request.spec.own->spec.name;
  if (!request.stages.empty()) fail_usage("{}: a network of one's own is trained in one go; {} has {} stages", name, request.config, request.stages.size());
  TrainSpec spec = request.spec;
  for (const std::string_view table : {net::NetworkOptions::kTable, Preprocess::kTable}) {
    for (const Field& field : spec.fields(table)) {
      const std::string option = fmt::format("{}.{}", table, field.name);
      if (spec.chosen.has_name(option)) fail_usage("{}: is a network of one's own, for which {} has no use", name, option);
    }
  }
}

}  // namespace

void check_settings(const TrainRequest& request) {
  const TrainSpec& spec = request.spec;
  check_own_network(request);
  if (request.partial && request.init.empty()) fail_usage("--partial needs --init");
  const bool decided = has_recipe(request);
  if (!request.stage_cache.empty() && request.stages.empty() && !decided) fail_usage("--stage-cache needs a --config with [[stage]] tables");
  if (!request.folds.empty() && !request.scores.empty()) fail_usage("--scores: with --folds every fold's scores are in its folder");
  if (spec.chosen.has(&data::DatasetOptions::fold) && spec.dataset.fold.empty()) fail_usage("--fold: names no group");
  if (spec.chosen.has(&net::NetworkOptions::classes)) fail_usage("--classes follows from the data when training");
}

void check_request(const TrainRequest& request, const std::string& file) {
  check_settings(request);
  check_outputs(request, file);
}

std::optional<eval::ScoreTable> run_request(const TrainRequest& asked, const Team& team, const TrainHooks& hooks) {
  const TrainRequest request = with_file(asked);
  if (!request.folds.empty()) {
    run_folds(request, team, hooks);
    return std::nullopt;
  }
  const data::Dataset dataset = data::load_dataset(request.data, request.spec.dataset);
  hooks.tell_of_data(dataset.ignored, dataset.warnings);
  const data::Split split = data::split_dataset(dataset, request.spec.dataset);
  FewWarnings(hooks.warn).add(data::split_warnings(dataset, split));
  if (!request.scores.empty() && split.test.empty()) fail_usage("--scores: there are no clips to test on");
  const Division division = {dataset, split};
  const Settled settled = settle(request, division, team, hooks);
  const PlanOutput output = {request.output, request.scores, request.log, request.tensorboard, request.existing};
  const data::Split own = data::split_dataset(dataset, settled.request.spec.dataset);  // a recipe may choose a validation part
  const Plan plan = {settled.request, settled.request.spec, output, dataset, own};
  check_plan(plan, team);
  refuse_lost_classes(settled.request, own.train, hooks);
  const PacedTeam paced(settled, 1, team, hooks);
  return run_plan(plan, paced.team(), hooks).test;
}

}  // namespace actio::training

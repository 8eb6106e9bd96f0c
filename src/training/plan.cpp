#include "training/plan.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "core/error.h"
#include "data/flow_cache.h"
#include "data/flow_file.h"
#include "eval/score_file.h"
#include "net/defaults.h"
#include "training/first_weights.h"
#include "training/freeze.h"
#include "training/identity.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

// The model of each stage so far, by name.
using Models = std::map<std::string, std::string>;

std::vector<std::string> init_files(const Stage& stage, std::size_t index, const std::vector<Stage>& stages, const Models& models,
                                    const std::vector<std::string>& first) {
  if (stage.init.empty()) return index == 0 ? first : std::vector{models.at(stages[index - 1].name)};
  std::vector<std::string> files;
  for (const std::string& name : stage.init) {
    if (name == kFirstWeights) files.insert(files.end(), first.begin(), first.end());
    else files.push_back(models.contains(name) ? models.at(name) : name);
  }
  return files;
}

TrainRun run_of(const Plan& plan, const Team& team) {
  TrainRun run;
  run.output = plan.output.model;
  run.init = plan.request.init;
  run.partial = plan.request.partial;
  run.existing = plan.output.existing;
  run.scores = plan.output.scores;
  run.log = plan.output.log;
  run.tensorboard = plan.output.tensorboard;
  run.team = team;
  return run;
}

TrainRun run_of_stage(const Plan& plan, const Team& team, std::size_t index) {
  const Stage& stage = plan.request.stages[index];
  TrainRun run = run_of(plan, team);
  run.name = stage.name;
  run.partial = true;  // a later stage has parts that an earlier one lacks, and the other way round
  if (!run.tensorboard.empty()) run.tensorboard = (fs::path(run.tensorboard) / stage.name).string();
  run.cache_folder = plan.request.stage_cache;
  if (index + 1 == plan.request.stages.size()) return run;
  run.output = (fs::path(plan.output.model).replace_extension(".stages") / (stage.name + ".actio")).string();
  run.only_in_cache = !run.cache_folder.empty();
  run.scores.clear();
  return run;
}

// Before hours of work: whether the file can name these clips and classes.
void check_scores(const std::string& path, const data::Dataset& dataset, const data::Split& split) {
  if (path.empty() || split.test.empty()) return;
  eval::ScoreTable table;
  table.source = dataset.source;
  table.classes = dataset.classes;
  for (const data::Item& item : split.test) {
    table.paths.push_back(item.path);
    const auto name = std::ranges::find(dataset.classes, item.label);
    table.labels.push_back(name - dataset.classes.begin());
  }
  table.scores = Tensor({static_cast<std::int64_t>(split.test.size()), static_cast<std::int64_t>(dataset.classes.size())});
  eval::check_storable(path, table);
}

void check_teacher(const TrainOptions& options, const std::vector<std::string>& classes, const data::Split& split) {
  if (!options.teacher.empty()) teacher_answers(options.teacher, options.teacher_temperature, classes, split.train);
}

ParentSettings settings_of(const TrainSpec& spec) {
  return {spec.network, spec.preprocess, !net::motions_of(spec.network, spec.preprocess).empty()};
}

// The network of a stage, which the settings of the stage before it may decide.
class StageNetworks {
 public:
  // Throws: Error(kUsage) as building it would, for parts to freeze that it does not have, and for flow of other parameters in
  // the cache.
  void check(const TrainRequest& request, std::size_t index, TrainSpec spec, const data::Split& split, const std::vector<std::string>& classes) {
    const Stage& stage = request.stages[index];
    net::apply_defaults(spec.network, spec.preprocess, spec.chosen, spec.others);
    check_options(spec.train);
    std::vector<std::string> init;
    for (const std::string& name : stage.init) {
      if (name == kFirstWeights) init.insert(init.end(), request.init.begin(), request.init.end());
      else init.push_back(name);
    }
    if (stage.init.empty()) init = index == 0 ? request.init : std::vector{request.stages[index - 1].name};
    // The first one's settings win, so it comes last.
    for (std::size_t i = init.size(); i-- > 0;) {
      const auto earlier = stages_.find(init[i]);
      if (earlier != stages_.end()) adopt_settings(settings_of(earlier->second), init[i], spec);
      else adopt_settings_of(init[i], spec);
    }
    const net::NetSpec network = net::build_network(spec.network, spec.preprocess);
    check_freeze(network, spec.train.freeze);
    check_train_segments(network, spec.train.train_segments);
    check_flow_cache(net::network_inputs(spec.network, spec.preprocess), spec, split);
    check_teacher(spec.train, classes, split);
    stages_.insert_or_assign(stage.name, std::move(spec));
  }

 private:
  // Flow that lies there with other parameters, as far as the first clips tell.
  static void check_flow_cache(const Inputs& inputs, const TrainSpec& spec, const data::Split& split) {
    constexpr std::size_t kClips = 3;
    const InputSpec* flow = inputs.find(InputKind::kFlow);
    if (flow == nullptr || spec.cache.flow_cache.empty()) return;
    for (std::size_t i = 0; i < std::min(kClips, split.train.size()); ++i) {
      std::optional<data::FlowFile> file;
      fs::path path;
      try {
        path = data::flow_path(spec.cache.flow_cache, split.train[i].path);
        std::error_code ignored;
        if (fs::exists(path, ignored)) file.emplace(path);
      } catch (const Error&) {
        continue;  // is told of where the clip is read
      }
      if (file) data::require_parameters(*file, path, motion::flow_settings(*flow));
    }
  }

  std::map<std::string, TrainSpec> stages_;
};

// What is wrong with a later stage must not be found once the first are trained, or trained anew.
void check_stages(const Plan& plan, const std::vector<TrainSpec>& specs, const Team& team) {
  const std::vector<Stage>& stages = plan.request.stages;
  StageNetworks networks;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    try {
      networks.check(plan.request, i, specs[i], plan.split, plan.dataset.classes);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("stage {}: {}", stages[i].name, error.what()));
    }
    const TrainRun run = run_of_stage(plan, team, i);
    std::error_code ignored;
    refuse_others_output(run, specs[i], plan.split);
    const std::string state = state_path(run.output);
    if (run.existing != Existing::kRefuse || run.only_in_cache || !fs::exists(state, ignored)) continue;
    fail_usage("{}: is the state of a training that did not end; --resume continues it, --restart begins anew", state);
  }
}

// Only what the last stage answers is of interest.
std::vector<TrainSpec> specs_of(const Plan& plan) {
  std::vector<TrainSpec> specs = resolve(plan.spec, plan.request.stages, plan.request.settings, plan.request.config);
  for (std::size_t i = 0; i + 1 < specs.size(); ++i) specs[i].train.fit_heads = HeadFit::kNone;
  return specs;
}

fs::path inner_folder(const Plan& plan) { return fs::path(plan.output.model).replace_extension(".inner"); }

void check_head_fit(const TrainOptions& options, const data::Split& split) {
  if (options.fit_heads == HeadFit::kValidation && split.validation.empty()) {
    fail_usage("--fit-heads validation needs a validation part: --validation-share, or a folder for it");
  }
  if (options.fit_heads == HeadFit::kInner) inner_splits(split, options.fit_parts);  // throws where there are too few groups
}

// What the last stage is trained on is divided once more, and all stages with it.
std::string train_inner(const Plan& plan, const Team& team, const TrainHooks& hooks, const data::Split& split, std::int64_t part) {
  TrainRequest request = plan.request;
  request.settings.push_back({std::string(TrainOptions::kTable), "fit_heads", std::string(name_of(HeadFit::kNone)), "fit_heads"});
  TrainSpec spec = plan.spec;
  spec.train.fit_heads = HeadFit::kNone;
  const fs::path folder = inner_folder(plan);
  const PlanOutput output = {(folder / fmt::format("part{}.actio", part)).string(), "", "", "", Existing::kReplaceChanged};
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  TrainHooks quiet;
  static_cast<Hooks&>(quiet) = hooks;
  return run_plan({request, std::move(spec), output, plan.dataset, split}, team, quiet).model;
}

// By whoever leads, once the model is there.
void remove_inner(const Plan& plan, const Team& team) {
  std::error_code ignored;
  if (team.leads()) fs::remove_all(inner_folder(plan), ignored);
}

TrainRunResult run_last(TrainRun run, const Plan& plan, const TrainSpec& spec, const Team& team, const TrainHooks& hooks) {
  const bool inner = spec.train.fit_heads == HeadFit::kInner;
  if (inner) {
    run.train_inner = [&](const data::Split& split, std::int64_t part) { return train_inner(plan, team, hooks, split, part); };
  }
  TrainRunResult result = run_training(run, spec, plan.dataset, plan.split, hooks);
  if (inner) remove_inner(plan, team);
  return result;
}

}  // namespace

void check_plan(const Plan& plan, const Team& team) {
  data::require_classes(plan.dataset);
  check_head_fit(plan.spec.train, plan.split);
  check_scores(plan.output.scores, plan.dataset, plan.split);
  check_teacher(plan.spec.train, plan.dataset.classes, plan.split);
  if (plan.request.stages.empty()) refuse_others_output(run_of(plan, team), plan.spec, plan.split);
  else check_stages(plan, specs_of(plan), team);
}

TrainRunResult run_plan(const Plan& plan, const Team& team, const TrainHooks& hooks) {
  check_plan(plan, team);
  const std::vector<Stage>& stages = plan.request.stages;
  if (stages.empty()) return run_last(run_of(plan, team), plan, plan.spec, team, hooks);
  const std::vector<TrainSpec> specs = specs_of(plan);
  Models models;
  TrainRunResult result;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    hooks.tell(fmt::format("stage {} of {}: {}", i + 1, stages.size(), stages[i].name));
    TrainRun run = run_of_stage(plan, team, i);
    run.init = init_files(stages[i], i, stages, models, plan.request.init);
    const bool last = i + 1 == stages.size();
    result = last ? run_last(std::move(run), plan, specs[i], team, hooks) : run_training(run, specs[i], plan.dataset, plan.split, hooks);
    models[stages[i].name] = result.model;
  }
  return result;
}

}  // namespace actio::training

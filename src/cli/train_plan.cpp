#include "cli/train_plan.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>

#include "cli/first_weights.h"
#include "cli/network_defaults.h"
#include "cli/train_record.h"
#include "core/error.h"
#include "data/flow_cache.h"
#include "data/flow_file.h"
#include "eval/score_file.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> init_of(const Json& value, const std::string& where) {
  if (value.is_string()) return {value.get<std::string>()};
  const bool texts = value.is_array() && std::ranges::all_of(value, [](const Json& entry) { return entry.is_string(); });
  if (!texts) fail_usage("{}: init must be a text or a list of texts, got {}", where, value.dump());
  return value.get<std::vector<std::string>>();
}

Stage read_stage(const Json& table, const std::string& where) {
  static const std::vector<std::string> kTables = {"network", "preprocess", "train", "cache"};
  if (!table.is_object()) fail_usage("{}: must be a table, got {}", where, table.dump());
  Stage stage;
  for (const auto& [key, value] : table.items()) {
    if (key == "name" && value.is_string()) {
      stage.name = value.get<std::string>();
    } else if (key == "init") {
      stage.init = init_of(value, where);
    } else if (std::ranges::find(kTables, key) != kTables.end()) {
      stage.tables[key] = value;
    } else if (key == "name") {
      fail_usage("{}: name must be a text, got {}", where, value.dump());
    } else {
      std::vector<std::string> known = kTables;
      known.insert(known.end(), {"name", "init"});
      fail_usage("{}: {}", where, unknown_name_text("key", key, known));
    }
  }
  return stage;
}

// In a stage's init: what --init names, for stages that do not go on from an earlier one.
constexpr const char* kFirstWeights = "first_weights";

bool is_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

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

TrainRun run_of(const TrainArguments& arguments, const PlanOutput& output) {
  TrainRun run;
  run.output = output.model;
  run.init = arguments.init;
  run.partial = arguments.partial;
  run.resume = output.resume;
  run.restart = arguments.restart;
  run.replace_other = arguments.restart_changed;
  run.scores = output.scores;
  run.log = output.log;
  run.tensorboard = output.tensorboard;
  run.group = arguments.group;
  return run;
}

TrainRun run_of_stage(const TrainArguments& arguments, const PlanOutput& output, const Stage& stage, bool last) {
  TrainRun run = run_of(arguments, output);
  run.name = stage.name;
  run.partial = true;  // a later stage has parts that an earlier one lacks, and the other way round
  if (!output.tensorboard.empty()) run.tensorboard = (fs::path(output.tensorboard) / stage.name).string();
  run.cache_folder = arguments.stage_cache;
  if (last) return run;
  run.output = (fs::path(output.model).replace_extension(".stages") / (stage.name + ".actio")).string();
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

std::string stage_place(const TrainArguments& arguments, const Stage& stage) {
  return fmt::format("{}: [[stage]] {}", arguments.flags->config_path(), stage.name);
}

// The network of a stage, which the settings of the stage before it may decide.
class StageNetworks {
 public:
  // After the stage's overlay. Throws: Error(kUsage) as building it would, for parts to freeze that it does not have, and for
  // flow of other parameters in the cache.
  void check(TrainArguments& arguments, const std::vector<Stage>& stages, std::size_t index, const data::Split& split) {
    const Stage& stage = stages[index];
    const OptionFlags& flags = *arguments.flags;
    TrainTables tables = arguments.tables;
    apply_network_defaults(tables.network, tables.preprocess, flags, arguments.tables.networks);
    torch_train::check_options(tables.train);
    std::vector<std::string> init;
    for (const std::string& name : stage.init) {
      if (name == kFirstWeights) init.insert(init.end(), arguments.init.begin(), arguments.init.end());
      else init.push_back(name);
    }
    if (stage.init.empty()) init = index == 0 ? arguments.init : std::vector{stages[index - 1].name};
    // The first one's settings win, so it comes last.
    for (std::size_t i = init.size(); i-- > 0;) {
      const auto earlier = stages_.find(init[i]);
      if (earlier != stages_.end()) adopt_settings(earlier->second.network, earlier->second.preprocess, init[i], flags, tables);
      else adopt_settings_of(init[i], flags, tables);
    }
    const net::NetSpec spec = net::build_network(tables.network, tables.preprocess);
    torch_train::check_freeze(spec, tables.train.freeze);
    torch_train::check_train_segments(spec, tables.train.train_segments);
    if (spec.has_input("motion")) check_flow_cache(tables, split);
    stages_[stage.name] = tables;
  }

 private:
  // Flow that lies there with other parameters, as far as the first clips tell.
  static void check_flow_cache(const TrainTables& tables, const data::Split& split) {
    constexpr std::size_t kClips = 3;
    if (tables.preprocess.motion != "flow" || tables.cache.flow_cache.empty()) return;
    for (std::size_t i = 0; i < std::min(kClips, split.train.size()); ++i) {
      std::optional<data::FlowFile> file;
      fs::path path;
      try {
        path = data::flow_path(tables.cache.flow_cache, split.train[i].path);
        std::error_code ignored;
        if (fs::exists(path, ignored)) file.emplace(path);
      } catch (const Error&) {
        continue;  // is told of where the clip is read
      }
      if (file) data::require_parameters(*file, path, tables.preprocess);
    }
  }

  std::map<std::string, TrainTables> stages_;
};

std::vector<std::string> networks_of(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& tables) {
  std::vector<std::string> networks;
  for (const Stage& stage : stages) {
    arguments.tables = tables;
    arguments.flags->overlay(stage.tables, stage_place(arguments, stage));
    networks.push_back(arguments.tables.network.network);
  }
  return networks;
}

// What is wrong with a later stage must not be found once the first are trained, or trained anew.
void check_stages(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& tables, const PlanOutput& output,
                  const data::Split& split) {
  StageNetworks networks;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    arguments.tables = tables;
    arguments.flags->overlay(stages[i].tables, stage_place(arguments, stages[i]));
    try {
      networks.check(arguments, stages, i, split);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("stage {}: {}", stages[i].name, error.what()));
    }
    const TrainRun run = run_of_stage(arguments, output, stages[i], i + 1 == stages.size());
    std::error_code ignored;
    TrainTables of_stage = arguments.tables;
    of_stage.dataset = tables.dataset;  // a fold of it, which no flag names
    refuse_others_output(run, *arguments.flags, of_stage, split);
    const std::string state = state_path(run.output);
    if (run.resume || run.restart || run.only_in_cache || !fs::exists(state, ignored)) continue;
    fail_usage("{}: is the state of a training that did not end; --resume continues it, --restart begins anew", state);
  }
}

}  // namespace

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

void check_plan(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& options, const PlanOutput& output,
                const data::Dataset& dataset, const data::Split& split) {
  check_scores(output.scores, dataset, split);
  if (stages.empty()) {
    refuse_others_output(run_of(arguments, output), *arguments.flags, options, split);
    return;
  }
  TrainTables tables = options;
  tables.networks = networks_of(arguments, stages, options);
  check_stages(arguments, stages, tables, output, split);
}

TrainRunResult run_plan(TrainArguments& arguments, const std::vector<Stage>& stages, const TrainTables& options,
                        const PlanOutput& output, const data::Dataset& dataset, const data::Split& split) {
  OptionFlags& flags = *arguments.flags;
  check_plan(arguments, stages, options, output, dataset, split);
  if (stages.empty()) return run_training(run_of(arguments, output), flags, options, dataset, split);
  TrainTables tables = options;
  tables.networks = networks_of(arguments, stages, options);
  Models models;
  TrainRunResult result;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    std::puts(fmt::format("stage {} of {}: {}", i + 1, stages.size(), stage.name).c_str());
    TrainRun run = run_of_stage(arguments, output, stage, i + 1 == stages.size());
    run.init = init_files(stage, i, stages, models, arguments.init);
    arguments.tables = tables;
    flags.overlay(stage.tables, stage_place(arguments, stage));  // writes to the arguments' tables
    TrainTables of_stage = arguments.tables;
    of_stage.dataset = tables.dataset;  // a fold of it, which no flag names
    result = run_training(run, flags, of_stage, dataset, split);
    models[stage.name] = result.model;
  }
  return result;
}

}  // namespace actio::cli

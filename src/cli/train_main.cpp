// actio-train: what `actio train` becomes. In: a dataset and options. Out: a model file, or a folder of folds.
#include <cstdio>
#include <memory>

#include "cli/interrupt.h"
#include "cli/output_check.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "cli/train_arguments.h"
#include "cli/train_folds.h"
#include "cli/train_plan.h"
#include "core/error.h"
#include "core/process_memory.h"
#include "data/snippet.h"
#include "eval/score_file.h"
#include "torch/distributed/group.h"

namespace actio::cli {
namespace {

void check_outputs(const TrainArguments& a) {
  std::vector<std::string> inputs = a.init;
  inputs.insert(inputs.end(), {a.data, a.flags->config_path()});
  if (a.folds.empty()) check_output(a.output, inputs);
  inputs.push_back(a.output);
  if (!a.scores.empty()) {
    for (const std::string& file : eval::score_files_of(a.scores)) check_output(file, inputs);
    inputs.push_back(a.scores);
  }
  if (!a.log.empty()) check_output(a.log, inputs);
}

// Before hours of work rather than after them.
void check_request(const TrainArguments& a, const std::vector<Stage>& stages) {
  if (a.partial && a.init.empty()) fail_usage("--partial needs --init");
  if (a.resume + a.restart + a.restart_changed > 1) {
    fail_usage("--resume goes on, --restart begins anew, --restart-changed does so where the settings are others; choose one");
  }
  if (!a.stage_cache.empty() && stages.empty()) fail_usage("--stage-cache needs a --config with [[stage]] tables");
  if (!a.folds.empty() && !a.scores.empty()) fail_usage("--scores: with --folds every fold's scores are in its folder");
  if (a.flags->was_set("data.fold") && a.tables.dataset.fold.empty()) fail_usage("--fold: names no group");
  check_outputs(a);
  if (a.flags->was_set("network.classes")) fail_usage("--classes follows from the data when training");
  data::check_motion(a.tables.preprocess.motion);
}

namespace distributed = torch_train::distributed;

// The other ranks do the same work; rank 0 tells of it.
void be_quiet() {
  if (std::freopen("/dev/null", "w", stdout) == nullptr) fail("/dev/null: cannot be opened");
}

void train(TrainArguments& a, const std::vector<Stage>& stages) {
  if (!a.folds.empty()) {
    run_folds(a, stages);
    return;
  }
  const TrainTables tables = a.tables;
  const data::Dataset dataset = data::load_dataset(a.data, tables.dataset);
  print_warnings(dataset.warnings);
  const data::Split split = data::split_dataset(dataset, tables.dataset);
  if (!a.scores.empty() && split.test.empty()) fail_usage("--scores: there are no clips to test on");
  run_plan(a, stages, tables, {a.output, a.scores, a.log, a.tensorboard, a.resume || a.restart_changed}, dataset, split);
}

int run_train(TrainArguments& a) {
  keep_all_freed_memory();
  a.flags->apply();
  const std::vector<Stage> stages = read_stages(a.flags->file(), a.flags->config_path());
  check_request(a, stages);
  distributed::GroupOptions options;
  options.stop = interrupt_token();
  options.on_waiting = [](const std::string& line) { print_note(line); };
  if (a.tables.train.device == "cuda" && distributed::Group::has_nccl()) options.backend = "nccl";
  const std::unique_ptr<distributed::Group> group = distributed::Group::connect(options);
  if (group->size() > 1) a.group = group.get();
  if (group->rank() != 0) be_quiet();
  try {
    train(a, stages);
  } catch (const std::exception& error) {
    group->leave(error.what());
    throw;
  }
  return 0;
}

void add_arguments(CLI::App& app, std::shared_ptr<TrainArguments> a) {
  app.add_option("DATA", a->data, "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list")->required();
  app.add_option("-o,--output", a->output, "the model file to write; with --folds a folder")->required();
  app.add_option("--init", a->init, "first weights: a model, or torchvision-named .safetensors or .pth; of several the first goes first")
      ->type_name("FILE,...")
      ->delimiter(',');
  app.add_flag("--partial", a->partial, "with --init: start tensors that the files lack anew, and leave out those that have no place");
  app.add_flag("--resume", a->resume, "go on from OUTPUT.state, if there is one, bit for bit; a finished model is left as it is");
  app.add_flag("--restart", a->restart, "begin anew although there is an OUTPUT.state");
  app.add_flag("--restart-changed", a->restart_changed, "as --resume, but begin anew where settings or clips are others than those there");
  app.add_option("--folds", a->folds, "hold out every group (or official split) in turn, or those named: train and test each")
      ->type_name("all|NAME,...");
  app.add_option("--stage-cache", a->stage_cache, "a folder for the models of stages, shared by trainings that have a stage in common")
      ->type_name("FOLDER");
  app.add_option("--scores", a->scores, "also write the scores of the test part, .csv, .npy or .f32")->type_name("FILE");
  app.add_option("--log", a->log, "append a line of JSON for each epoch to this file")->type_name("FILE");
  app.add_option("--tensorboard", a->tensorboard, "write event files for TensorBoard to this folder")->type_name("FOLDER");
  a->flags = std::make_unique<OptionFlags>(app);
  a->flags->add("network", a->tables.network.fields());
  a->flags->add("preprocess", a->tables.preprocess.fields());
  a->flags->add("data", a->tables.dataset.fields());
  a->flags->add("train", a->tables.train.fields());
  a->flags->add("cache", a->tables.cache.fields());
  a->flags->carry("stage");  // read by train_plan
  a->flags->add_config();
  on_run(app, [a] { return run_train(*a); });
}

}  // namespace
}  // namespace actio::cli

int main(int argc, char** argv) {
  actio::cli::install_interrupt_handler();
  CLI::App app("Train a network on your videos.", "actio train");
  actio::cli::add_arguments(app, std::make_shared<actio::cli::TrainArguments>());
  return actio::cli::run_app(app, argc, argv);
}

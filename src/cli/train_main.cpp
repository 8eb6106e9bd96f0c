// actio-train: what `actio train` becomes. In: a dataset and options. Out: a model file, or a folder of folds.
#include <cstdio>
#include <memory>

#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/rank_process.h"
#include "cli/request_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/output_check.h"
#include "core/process_memory.h"
#include "torch/distributed/group.h"
#include "torch/trainer/torch_trainer.h"
#include "training/recipe/settle.h"
#include "training/request_file.h"
#include "video/ffmpeg_log.h"

namespace actio::cli {
namespace {

struct TrainArguments {
  training::TrainRequest request;
  bool resume = false, restart = false, restart_changed = false;
  std::unique_ptr<OptionFlags> flags;
  std::unique_ptr<RequestFlags> file;
};

training::Existing existing_of(const TrainArguments& a) {
  if (a.resume + a.restart + a.restart_changed > 1) {
    fail_usage("--resume goes on, --restart begins anew, --restart-changed does so where the settings are others; choose one");
  }
  if (a.resume) return training::Existing::kResume;
  if (a.restart) return training::Existing::kRestart;
  return a.restart_changed ? training::Existing::kReplaceChanged : training::Existing::kRefuse;
}

namespace distributed = torch_train::distributed;

// The other ranks do the same work; rank 0 tells of it.
void be_quiet() {
  if (std::freopen("/dev/null", "w", stdout) == nullptr) fail("/dev/null: cannot be opened");
}

// What the training tells, on the terminal.
class TrainTerminal {
 public:
  training::TrainHooks hooks() {
    training::TrainHooks hooks;
    hooks.progress = progress_.fn();
    hooks.warn = [this](const std::string& line) {
      progress_.clear();
      print_warning(line);
    };
    hooks.say = [this](const std::string& line) {
      progress_.clear();
      std::puts(line.c_str());
      std::fflush(stdout);
    };
    hooks.note = [this](const std::string& line) {
      progress_.clear();
      print_note(line);
    };
    hooks.stop = interrupt_token();
    return hooks;
  }

 private:
  TerminalProgress progress_;
};

void settle(TrainArguments& a) {
  training::TrainRequest& request = a.request;
  if (!a.file->read_from().empty()) {
    request = training::read_request(a.file->read_from());
    return;
  }
  a.flags->apply();
  request.stages = training::read_stages(a.flags->file(), a.flags->config_path());
  request.existing = existing_of(a);
  request.config = a.flags->config_path();
  request.spec.chosen = a.flags->chosen();
  request.settings = a.flags->settings();
}

int write_request(const TrainArguments& a) {
  const training::TrainRequest request = training::with_file(a.request);  // which another machine may not have
  training::check_settings(request);  // its other files may be those of another machine
  std::vector<std::string> inputs = request.init;
  inputs.insert(inputs.end(), {request.data, request.config});
  check_output(a.file->write_to(), inputs);
  training::write_request(a.file->write_to(), request);
  std::puts(fmt::format("wrote {}", a.file->write_to()).c_str());
  return 0;
}

int run_train(TrainArguments& a) {
  keep_all_freed_memory();
  settle(a);
  if (!a.file->write_to().empty()) return write_request(a);
  const training::TrainRequest& request = a.request;
  training::check_request(request, a.file->read_from());
  prepare_rank_process();
  distributed::GroupOptions options;
  options.stop = interrupt_token();
  options.on_waiting = [](const std::string& line) { print_note(line); };
  if (request.spec.train.device == training::Device::kCuda && distributed::Group::has_nccl()) options.backend = "nccl";
  const std::unique_ptr<distributed::Group> group = distributed::Group::connect(options);
  if (group->rank() != 0) be_quiet();
  distributed::Group* const ranks = group->size() > 1 ? group.get() : nullptr;
  torch_train::TorchTrainer trainer(ranks);
  try {
    TrainTerminal terminal;
    training::run_request(request, {&trainer, ranks}, terminal.hooks());
  } catch (const std::exception& error) {
    group->leave(error.what());
    throw;
  }
  return 0;
}

void add_arguments(CLI::App& app, std::shared_ptr<TrainArguments> a) {
  CLI::Option* const data =
      app.add_option("DATA", a->request.data, "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list");
  CLI::Option* const output = app.add_option("-o,--output", a->request.output, "the model file to write; with --folds a folder");
  a->file = std::make_unique<RequestFlags>(app, std::vector{data, output});
  app.add_option("--init", a->request.init, "first weights: a model, or torchvision-named .safetensors or .pth; of several the first goes first")
      ->type_name("FILE,...")
      ->delimiter(',');
  app.add_flag("--partial", a->request.partial, "with --init: start tensors that the files lack anew, and leave out those that have no place");
  app.add_flag("--resume", a->resume, "go on from OUTPUT.state, if there is one, bit for bit; a finished model is left as it is");
  app.add_flag("--restart", a->restart, "begin anew although there is an OUTPUT.state");
  app.add_flag("--restart-changed", a->restart_changed, "as --resume, but begin anew where settings or clips are others than those there");
  app.add_option("--folds", a->request.folds, "hold out every group (or official split) in turn, or those named: train and test each")
      ->type_name("all|NAME,...");
  app.add_option("--stage-cache", a->request.stage_cache, "a folder for the models of stages, shared by trainings that have a stage in common")
      ->type_name("FOLDER");
  app.add_option("--scores", a->request.scores, "also write the scores of the test part, .csv, .npy or .f32")->type_name("FILE");
  app.add_option("--log", a->request.log, "append a line of JSON for each epoch to this file")->type_name("FILE");
  app.add_option("--tensorboard", a->request.tensorboard, "write event files for TensorBoard to this folder")->type_name("FOLDER");
  a->flags = std::make_unique<OptionFlags>(app);
  training::TrainSpec& spec = a->request.spec;
  a->flags->add(spec.network);
  a->flags->add(spec.preprocess);
  a->flags->add(spec.dataset);
  a->flags->add(spec.train);
  a->flags->add(spec.cache);
  a->flags->add(spec.read);
  a->flags->add(spec.recipe);
  a->flags->carry("stage");  // read by training::read_stages
  a->flags->add_config();
  on_run(app, [a] { return run_train(*a); });
}

}  // namespace
}  // namespace actio::cli

int main(int argc, char** argv) {
  actio::cli::install_interrupt_handler();
  actio::video::silence_ffmpeg();
  CLI::App app("Train a network on your videos.", "actio train");
  actio::cli::add_arguments(app, std::make_shared<actio::cli::TrainArguments>());
  return actio::cli::run_app(app, argc, argv);
}

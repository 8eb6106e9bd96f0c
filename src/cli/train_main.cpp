// actio-train: what `actio train` becomes. In: a dataset and options. Out: a model file, written after every epoch.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "cli/init_report.h"
#include "cli/interrupt.h"
#include "cli/network_defaults.h"
#include "cli/option_flags.h"
#include "cli/output_check.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "data/snippet.h"
#include "data/utf8.h"
#include "motion/flow_image.h"
#include "net/initialise.h"
#include "net/model_file.h"
#include "net/weights.h"
#include "net/zoo.h"
#include "torch/train.h"

namespace actio::cli {
namespace {

struct TrainArguments {
  std::string data;
  std::string output;
  std::string init;
  bool partial = false;
  net::NetworkOptions network;
  Preprocess preprocess;
  data::DatasetOptions dataset;
  torch_train::TrainOptions train;
  data::FlowCacheOptions cache;
  std::unique_ptr<OptionFlags> flags;
};

// The paper's order: the motion stream and the TTN start from the spatial stream where the parent has none of its own.
// Returns: the names under which copies were offered ("conv1.weight" for "rgb.conv1.weight").
std::set<std::string> offer_spatial_weights(TensorMap& weights) {
  TensorMap spatial;
  std::set<std::string> offered;
  for (const auto& [name, tensor] : weights) {
    if (!name.starts_with("rgb.") || weights.contains(name.substr(4))) continue;
    offered.insert(name.substr(4));
    spatial.emplace(name.substr(4), tensor);
  }
  weights.merge(spatial);
  return offered;
}

// A tensor and its copy count as one, which is used where either of them is.
void merge_offered(const std::set<std::string>& offered, net::InitReport& report) {
  const std::set<std::string> unused(report.unused.begin(), report.unused.end());
  std::erase_if(report.unused, [&](const std::string& name) {
    if (offered.contains(name)) return true;
    return name.starts_with("rgb.") && offered.contains(name.substr(4)) && !unused.contains(name.substr(4));
  });
}

bool describes_motion(const std::string& field) {
  return field.starts_with("motion") || field.starts_with("flow") || field == "key_frames";
}

// What the first weights demand and the user left open: the backbone, and how pixels and motion reach it.
void adopt_settings(TrainArguments& a, const net::Model& parent) {
  net::NetworkOptions recorded;
  if (parent.training.contains("network")) fields_from_json(recorded.fields(), parent.training.at("network"), a.init);
  const OptionFlags& flags = *a.flags;
  if (!flags.was_set("network.backbone")) a.network.backbone = recorded.backbone;
  if (!flags.was_set("network.width")) a.network.width = recorded.width;
  if (!flags.was_set("network.padding")) a.network.padding = recorded.padding;
  Preprocess of_parent = parent.preprocess;
  const bool both_move = of_parent.motion != "none" && a.preprocess.motion != "none";
  Json adopted = Json::object();
  const Json recorded_fields = fields_to_json(of_parent.fields());
  for (const auto& [name, value] : recorded_fields.items()) {
    if (!flags.was_set("preprocess." + name) && (both_move || !describes_motion(name))) adopted[name] = value;
  }
  fields_from_json(a.preprocess.fields(), adopted, a.init);
}

// Fills the model's network and first weights, and tells what came from where.
void initialise_model(TrainArguments& a, net::Model& model) {
  TensorMap source;
  std::set<std::string> offered;
  apply_network_defaults(a.network, a.preprocess, *a.flags);
  if (!a.init.empty()) {
    if (net::is_model_file(a.init)) {
      net::Model parent = net::read_model(a.init);
      adopt_settings(a, parent);
      model.parent_hash = parent.hash;
      source = std::move(parent.weights);
      offered = offer_spatial_weights(source);
    } else {
      source = net::read_weights(a.init);
    }
  }
  model.spec = net::build_network(a.network, a.preprocess);
  model.preprocess = a.preprocess;
  net::InitReport report = net::initialise(model.spec, source.empty() ? nullptr : &source,
                                                 static_cast<std::uint64_t>(a.train.seed), model.weights);
  if (a.init.empty()) return;
  merge_offered(offered, report);
  if (report.loaded.empty()) {
    fail_usage("{}: none of its tensors belongs to {}; choose the same --backbone", a.init, model.spec.name);
  }
  if (!a.partial) net::require_complete(model.spec, report, source, a.init);
  std::puts(init_text(report, a.init).c_str());
}

// What divided the data, without the folders of this machine.
Json data_record(data::DatasetOptions options) {
  for (std::string* path : {&options.root, &options.annotations, &options.test_list, &options.class_names}) {
    const std::filesystem::path whole = std::filesystem::path(*path).lexically_normal();
    const std::string name = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
    *path = data::is_utf8(name) ? name : data::escaped(name);
  }
  return fields_to_json(options.fields());
}

Json record_json(const torch_train::EpochRecord& r) {
  Json json = {{"epoch", r.epoch}, {"learning_rate", r.learning_rate}, {"loss", r.loss}, {"train_top1", r.train_top1},
               {"seconds", r.seconds}, {"clips_per_second", r.clips_per_second}, {"wait_share", r.wait_share}};
  if (r.test_top1 >= 0) json["test_top1"] = r.test_top1;
  return json;
}

std::string record_text(const torch_train::EpochRecord& r, std::int64_t epochs) {
  std::string text = fmt::format("epoch {:>3}/{}  rate {:.2g}  loss {:.4f}  train {:5.1f} %", r.epoch, epochs, r.learning_rate, r.loss,
                                 100 * r.train_top1);
  text += r.test_top1 >= 0 ? fmt::format("  test {:5.1f} %", 100 * r.test_top1) : std::string(14, ' ');
  return text + fmt::format("  {:.1f} s, {:.1f} clips/s, waiting {:.0f} %", r.seconds, r.clips_per_second, 100 * r.wait_share);
}

// Before hours of work rather than after them.
void check_request(const TrainArguments& a) {
  if (a.partial && a.init.empty()) fail_usage("--partial needs --init");
  check_output(a.output, {a.data, a.init});
  if (a.flags->was_set("network.classes")) fail_usage("--classes follows from the data when training");
  data::check_motion(a.preprocess.motion);
}

// Once the network's defaults are in place.
void check_flow(const TrainArguments& a) {
  if (a.preprocess.motion == "flow") {
    motion::flow_settings(a.preprocess);
    if (!a.cache.flow_cache.empty()) data::make_cache_folder(a.cache.flow_cache);
  } else if (!a.cache.flow_cache.empty()) {
    fail_usage("--flow-cache needs --motion flow; the motion is '{}'", a.preprocess.motion);
  }
}

int run_train(TrainArguments& a) {
  a.flags->apply();
  check_request(a);
  const data::Dataset dataset = data::load_dataset(a.data, a.dataset);
  print_warnings(dataset.warnings);
  const data::Split split = data::split_dataset(dataset, a.dataset);
  a.network.classes = static_cast<std::int64_t>(dataset.classes.size());

  net::Model model;
  model.classes = dataset.classes;
  initialise_model(a, model);
  check_flow(a);
  std::puts(fmt::format("{}: {} classes, {} clips to train on, {} to test on, input {} px, {} segments", model.spec.name,
                        dataset.classes.size(), split.train.size(), split.test.size(), a.preprocess.input_size, model.spec.segments)
                .c_str());
  model.training = {{"network", fields_to_json(a.network.fields())}, {"preprocess", fields_to_json(a.preprocess.fields())},
                    {"data", data_record(a.dataset)}, {"train", fields_to_json(a.train.fields())},
                    {"init", std::filesystem::path(a.init).filename().string()}, {"epochs", Json::array()}};

  TerminalProgress progress;
  WarningPrinter warnings;
  torch_train::TrainJob job;
  job.spec = model.spec;
  job.preprocess = a.preprocess;
  job.train = split.train;
  job.test = split.test;
  job.options = a.train;
  job.flow_cache = a.cache.flow_cache;
  job.progress = progress.fn();
  job.warn = [&](const std::string& message) {
    progress.clear();
    warnings.print(message);
  };
  job.stop = interrupt_token();
  job.on_epoch = [&](const torch_train::EpochRecord& record, const TensorMap& weights) {
    progress.clear();
    std::puts(record_text(record, a.train.epochs).c_str());
    std::fflush(stdout);
    model.training["epochs"].push_back(record_json(record));
    net::Model snapshot = model;
    snapshot.weights = weights;
    net::write_model(a.output, snapshot);
  };
  const torch_train::TrainResult result = torch_train::train(job, model.weights);
  progress.clear();
  if (result.interrupted) {
    if (result.steps == 0) fail(ErrorCode::kInterrupted, "interrupted before the first step; {} is not written", a.output);
    net::write_model(a.output, model);
    throw Error(ErrorCode::kInterrupted, fmt::format("interrupted after {} epochs; {} holds what was learned", result.epochs.size(), a.output));
  }
  if (result.skipped_clips > 0) print_warning(fmt::format("clips that could not be read: {}; others took their places", result.skipped_clips));
  std::puts(fmt::format("wrote {}", a.output).c_str());
  return 0;
}

void add_arguments(CLI::App& app, std::shared_ptr<TrainArguments> a) {
  app.add_option("DATA", a->data, "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list")->required();
  app.add_option("-o,--output", a->output, "the model file to write, after every epoch")->required();
  app.add_option("--init", a->init, "first weights: a model, or torchvision-named .safetensors or .pth")->type_name("FILE");
  app.add_flag("--partial", a->partial, "with --init: start tensors that the file lacks anew, and leave out those that have no place");
  a->flags = std::make_unique<OptionFlags>(app);
  a->flags->add("network", a->network.fields());
  a->flags->add("preprocess", a->preprocess.fields());
  a->flags->add("data", a->dataset.fields());
  a->flags->add("train", a->train.fields());
  a->flags->add("cache", a->cache.fields());
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

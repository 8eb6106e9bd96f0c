#include <cstdio>
#include <memory>
#include <sstream>

#include "cli/commands.h"
#include "net/init_report.h"
#include "net/defaults.h"
#include "cli/option_flags.h"
#include "core/output_check.h"
#include "cli/run_command.h"
#include "core/error.h"
#include "core/file.h"
#include "net/infer.h"
#include "net/initialise.h"
#include "net/model_file.h"
#include "net/weight_names.h"
#include "net/weights.h"
#include "net/zoo.h"
#include "net/zoo/backbone.h"

namespace actio::cli {
namespace {

struct ImportArguments {
  std::string source;
  std::string output;
  std::string labels;
  std::string prefix;  // of the names that are read; empty: all
  bool partial = false;
  net::NetworkOptions options;
  Preprocess preprocess;
  std::unique_ptr<OptionFlags> flags;
};

// One class per line. A first line "background" beside the classes is not one of them (TensorFlow's label files).
std::vector<std::string> read_labels(const std::string& path, std::int64_t classes) {
  std::istringstream lines(read_text_file(path));
  std::vector<std::string> labels;
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) labels.push_back(line);
  }
  if (static_cast<std::int64_t>(labels.size()) == classes + 1 && labels[0] == "background") labels.erase(labels.begin());
  if (static_cast<std::int64_t>(labels.size()) != classes) {
    fail_data("{}: {} labels, the classifier has {} classes", path, labels.size(), classes);
  }
  return labels;
}

// The whole source, as a network of pictures. Throws: Error(kBadData) for a tensor that is missing or has no place.
void import_whole(ImportArguments& a, TensorMap tensors, net::Model& model) {
  for (const char* field : {"network", "streams", "classes", "motion"}) {
    const std::string table = std::string(field) == "motion" ? "preprocess." : "network.";
    if (a.flags->chosen().has_name(table + field)) {
      fail_usage("import makes a network of pictures: {} cannot be chosen; --partial loads weights into any network", flag_name(field));
    }
  }
  const net::NamedWeights weights = net::fit_names(std::move(tensors), a.options, nullptr, a.source);
  const TensorMap& source = weights.tensors;
  const std::string classifier = net::make_backbone({a.options.backbone, a.options.width, a.options.padding})->classifier() + ".weight";
  const auto found = source.find(classifier);
  if (found == source.end() || found->second.shape().size() != 2) {
    fail_data("{}: has no tensor '{}'{}; is it a {}? choose with --backbone", a.source, classifier, weights.remark,
              name_of(a.options.backbone));
  }
  a.options.network = net::NetworkKind::kTsn;
  a.options.streams = "rgb";
  a.options.segments = a.flags->chosen().has(&net::NetworkOptions::segments) ? a.options.segments : 1;
  a.options.classes = found->second.dim(0);
  net::apply_defaults(a.options, a.preprocess, a.flags->chosen());
  model.spec = net::build_network(a.options, a.preprocess);
  TensorMap named;
  bool left_out = false;
  for (const auto& [name, tensor] : source) {
    // Every published Inception-V3 has its auxiliary classifier, which only training needs.
    const bool auxiliary = name.starts_with("AuxLogits.") && !a.options.aux_head;
    left_out |= auxiliary;
    if (!auxiliary) named["rgb." + name] = tensor;
  }
  try {
    net::load_strict(model.spec, named, model.weights);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}{}", a.source, error.what(), weights.remark));
  }
  for (const std::string& note : weights.notes) std::puts(note.c_str());
  if (left_out) std::puts("the auxiliary classifier (AuxLogits) is left out; --aux-head keeps it");
}

// What fits of the source, in any network.
void import_part(ImportArguments& a, TensorMap tensors, net::Model& model) {
  net::apply_defaults(a.options, a.preprocess, a.flags->chosen());
  model.spec = net::build_network(a.options, a.preprocess);
  const net::NamedWeights weights = net::fit_names(std::move(tensors), a.options, &model.spec, a.source);
  const net::InitReport report = net::initialise(model.spec, &weights.tensors, 0, model.weights);
  if (report.loaded.empty()) {
    fail_usage("{}: none of its tensors belongs to {}{}; choose the same --backbone", a.source, model.spec.name,
               weights.remark);
  }
  std::puts(net::init_text(report, a.source, weights.notes).c_str());
}

int run_import(ImportArguments& a) {
  a.flags->apply();
  check_output(a.output, {a.source, a.labels});
  TensorMap source = net::read_weights(a.source);
  if (!a.prefix.empty()) source = net::weights_below(std::move(source), a.prefix, a.source);
  net::Model model;
  a.partial ? import_part(a, std::move(source), model) : import_whole(a, std::move(source), model);
  model.inputs = net::network_inputs(a.options, a.preprocess);
  if (a.labels.empty()) {
    for (std::int64_t i = 0; i < a.options.classes; ++i) model.classes.push_back(fmt::format("class {}", i));
  } else {
    model.classes = read_labels(a.labels, a.options.classes);
  }
  model.training = {{"network", fields_to_json(a.options.fields())}};
  net::write_model(a.output, model);
  std::puts(fmt::format("{}: {}, {} classes, {} tensors from {}", a.output, model.spec.name, a.options.classes, model.weights.size(),
                        a.source).c_str());
  return 0;
}

}  // namespace

void add_import(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("import", "make a model of torchvision-named image weights (.safetensors or zip .pth)");
  auto a = std::make_shared<ImportArguments>();
  command.add_option("WEIGHTS", a->source, "the weights")->required();
  command.add_option("-o,--output", a->output, "the model file to write")->required();
  command.add_option("--labels", a->labels, "a text file with one class name per line");
  command.add_option("--prefix", a->prefix,
                     "take only the tensors whose names begin so, where a file holds several networks");
  command.add_flag("--partial", a->partial, "load what fits into any network, start the rest anew, and print both");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->options);
  a->flags->add(a->preprocess);
  for (const char* table : {"data", "train", "cache", "read", "stage"}) a->flags->tolerate(table);  // a file for training does
  a->flags->add_config();
  on_run(command, [a] { return run_import(*a); });
}

}  // namespace actio::cli

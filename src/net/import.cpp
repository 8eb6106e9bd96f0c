#include "net/import.h"

#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "net/defaults.h"
#include "net/infer.h"
#include "net/init_report.h"
#include "net/initialise.h"
#include "net/weight_names.h"
#include "net/weights.h"
#include "net/zoo/backbone.h"

namespace actio::net {
namespace {

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
void import_whole(ImportRequest& a, TensorMap tensors, Imported& made) {
  for (const char* field : {"network", "streams", "classes", "motion"}) {
    const std::string table = std::string(field) == "motion" ? "preprocess." : "network.";
    if (a.chosen.has_name(table + field)) {
      fail_usage("import makes a network of pictures: --{} cannot be chosen; --partial loads weights into any network", field);
    }
  }
  const NamedWeights weights = fit_names(std::move(tensors), a.options, nullptr, a.source);
  const TensorMap& source = weights.tensors;
  const std::string classifier = make_backbone({a.options.backbone, a.options.width, a.options.padding})->classifier() + ".weight";
  const auto found = source.find(classifier);
  if (found == source.end() || found->second.shape().size() != 2) {
    fail_data("{}: has no tensor '{}'{}; is it a {}? choose with --backbone", a.source, classifier, weights.remark,
              name_of(a.options.backbone));
  }
  a.options.network = NetworkKind::kTsn;
  a.options.streams = "rgb";
  a.options.segments = a.chosen.has(&NetworkOptions::segments) ? a.options.segments : 1;
  a.options.classes = found->second.dim(0);
  apply_defaults(a.options, a.preprocess, a.chosen);
  made.model.spec = build_network(a.options, a.preprocess);
  TensorMap named;
  bool left_out = false;
  for (const auto& [name, tensor] : source) {
    // Every published Inception-V3 has its auxiliary classifier, which only training needs.
    const bool auxiliary = name.starts_with("AuxLogits.") && !a.options.aux_head;
    left_out |= auxiliary;
    if (!auxiliary) named["rgb." + name] = tensor;
  }
  try {
    load_strict(made.model.spec, named, made.model.weights);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}{}", a.source, error.what(), weights.remark));
  }
  for (const std::string& note : weights.notes) made.notes.push_back(note);
  if (left_out) made.notes.emplace_back("the auxiliary classifier (AuxLogits) is left out; --aux-head keeps it");
}

// What fits of the source, in any network.
void import_part(ImportRequest& a, TensorMap tensors, Imported& made) {
  apply_defaults(a.options, a.preprocess, a.chosen);
  made.model.spec = build_network(a.options, a.preprocess);
  const NamedWeights weights = fit_names(std::move(tensors), a.options, &made.model.spec, a.source);
  const InitReport report = initialise(made.model.spec, &weights.tensors, 0, made.model.weights);
  if (report.loaded.empty()) {
    fail_usage("{}: none of its tensors belongs to {}{}; choose the same --backbone", a.source, made.model.spec.name,
               weights.remark);
  }
  made.notes.push_back(init_text(report, a.source, weights.notes));
}

}  // namespace

Imported import_model(ImportRequest a) {
  TensorMap source = read_weights(a.source);
  if (!a.prefix.empty()) source = weights_below(std::move(source), a.prefix, a.source);
  Imported made;
  a.partial ? import_part(a, std::move(source), made) : import_whole(a, std::move(source), made);
  Model& model = made.model;
  model.inputs = network_inputs(a.options, a.preprocess);
  if (a.labels.empty()) {
    for (std::int64_t i = 0; i < a.options.classes; ++i) model.classes.push_back(fmt::format("class {}", i));
  } else {
    model.classes = read_labels(a.labels, a.options.classes);
  }
  model.training = {{"network", fields_to_json(a.options.fields())}};
  return made;
}

}  // namespace actio::net

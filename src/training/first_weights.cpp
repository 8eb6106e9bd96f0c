#include "training/first_weights.h"

#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "core/error.h"
#include "net/defaults.h"
#include "net/infer.h"
#include "net/init_report.h"
#include "net/initialise.h"
#include "net/weight_names.h"
#include "net/weights.h"

namespace actio::training {
namespace {

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

void build(const TrainSpec& spec, net::Model& model) {
  if (!spec.own) {
    model.spec = net::build_network(spec.network, spec.preprocess);
    model.inputs = net::network_inputs(spec.network, spec.preprocess);
    return;
  }
  model.spec = spec.own->spec;
  model.inputs = spec.own->inputs;
  const Shape output = net::infer(model.spec).at(model.spec.output).shape;
  if (output == Shape{static_cast<std::int64_t>(model.classes.size())}) return;
  fail_usage("{}: the data have {} classes, the network's output has shape {}", model.spec.name, model.classes.size(), shape_text(output));
}

void adopt_settings_of_model(const net::Model& parent, const std::string& file, TrainSpec& spec) {
  ParentSettings settings{{}, preprocess_of(parent.inputs), parent.inputs.moves()};
  if (parent.training.contains("network")) fields_from_json(settings.network.fields(), parent.training.at("network"), file);
  // Says the kind of motion of a network without any, too, which its training was told for a later one.
  if (parent.training.contains("preprocess")) fields_from_json(settings.preprocess.fields(), parent.training.at("preprocess"), file);
  settings.moves |= settings.preprocess.motion != Motion::kNone;
  adopt_settings(std::move(settings), file, spec);
}

// The tensors of one file. A model also brings its settings.
TensorMap read_source(const std::string& file, TrainSpec& spec, net::Model& model) {
  if (!net::is_model_file(file)) return net::read_weights(file);
  net::Model parent = net::read_model(file);
  if (!spec.own) adopt_settings_of_model(parent, file, spec);
  model.parent_hash = parent.hash;
  return std::move(parent.weights);
}

// Published weights have wrappers' names; models have the networks' own.
TensorMap named_by_backbone(TensorMap tensors, const std::string& file, const TrainSpec& spec, const net::NetSpec& network,
                            std::vector<std::string>& notes, std::string& remark) {
  if (net::is_model_file(file) || spec.own) return tensors;  // names of a network of one's own are known to its maker alone
  net::NamedWeights named = net::fit_names(std::move(tensors), spec.network, &network, file);
  notes.insert(notes.end(), named.notes.begin(), named.notes.end());
  remark += named.remark;
  return std::move(named.tensors);
}

// Several streams of one kind of network: what only the second file has comes from there. Scores of one network mean nothing to
// another's fusion.
void add_missing(TensorMap from, TensorMap& to) {
  for (auto& [name, tensor] : from) to.try_emplace(name, std::move(tensor));
}

}  // namespace

void adopt_settings(ParentSettings parent, const std::string& source, TrainSpec& spec) {
  if (!spec.chosen.has(&net::NetworkOptions::backbone)) spec.network.backbone = parent.network.backbone;
  if (!spec.chosen.has(&net::NetworkOptions::width)) spec.network.width = parent.network.width;
  if (!spec.chosen.has(&net::NetworkOptions::padding)) spec.network.padding = parent.network.padding;
  const bool both_move = parent.moves && !net::motions_of(spec.network, spec.preprocess).empty();
  // Which kind "motion" is: of networks that have such a stream, not of those whose streams are named after a kind.
  const bool same_motion = parent.preprocess.motion != Motion::kNone && spec.preprocess.motion != Motion::kNone;
  Json adopted = Json::object();
  const Json recorded = fields_to_json(parent.preprocess.fields());
  for (const auto& [name, value] : recorded.items()) {
    const bool fits = name == "motion" ? same_motion : both_move || !describes_motion(name);
    if (fits && !spec.chosen.has_name("preprocess." + name)) adopted[name] = value;
  }
  fields_from_json(spec.preprocess.fields(), adopted, source);
}

void adopt_settings_of(const std::string& file, TrainSpec& spec) {
  if (net::is_model_file(file)) adopt_settings_of_model(net::read_model(file), file, spec);
}

std::string initialise_model(const std::vector<std::string>& files, bool partial, TrainSpec& spec, net::Model& model) {
  if (!spec.own) net::apply_defaults(spec.network, spec.preprocess, spec.chosen, spec.others);
  TensorMap source;
  // The first file's settings win, so it is read last.
  std::vector<TensorMap> sources(files.size());
  for (std::size_t i = files.size(); i-- > 0;) sources[i] = read_source(files[i], spec, model);
  build(spec, model);
  std::vector<std::string> notes;
  std::string remark;
  for (std::size_t i = 0; i < files.size(); ++i)
    add_missing(named_by_backbone(std::move(sources[i]), files[i], spec, model.spec, notes, remark), source);
  const std::set<std::string> offered = offer_spatial_weights(source);
  const std::string names = fmt::format("{}", fmt::join(files, ", "));
  net::InitReport report;
  try {
    report = net::initialise(model.spec, source.empty() ? nullptr : &source, static_cast<std::uint64_t>(spec.train.seed),
                             model.weights);
    merge_offered(offered, report);
    if (!files.empty() && report.loaded.empty()) {
      fail_usage("{}: none of its tensors belongs to {}; choose the same --backbone", names, model.spec.name);
    }
    if (!files.empty() && !partial) net::require_complete(model.spec, report, source, names);
  } catch (const Error& error) {
    throw Error(error.code(), error.what() + remark);
  }
  return files.empty() ? std::string() : net::init_text(report, names, notes);
}

}  // namespace actio::training

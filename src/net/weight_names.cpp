#include "net/weight_names.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "net/file_bytes.h"
#include "net/infer.h"
#include "net/zoo/backbone.h"

namespace actio::net {
namespace {

constexpr std::size_t kMostNamed = 8;

using Names = std::set<std::string, std::less<>>;

// The backbone's parameters as torchvision names them, with its classifier.
std::vector<ParamInfo> backbone_parameters(const NetworkOptions& options) {
  NetworkOptions alone;
  alone.network = NetworkKind::kTsn;
  alone.streams = "rgb";
  alone.backbone = options.backbone;
  alone.width = options.width;
  alone.padding = options.padding;
  alone.segments = 1;
  std::vector<ParamInfo> params = parameters(build_network(alone, {}));
  for (ParamInfo& param : params) param.name = param.name.substr(param.name.find('.') + 1);
  return params;
}

// Names of the source that are known behind a prefix, for each prefix; "" is none.
using Matches = std::map<std::string, Names, std::less<>>;

Matches matches_of(const TensorMap& source, const Names& known) {
  Matches matches;
  for (const auto& [name, tensor] : source) {
    for (std::size_t begin = 0, dot = 0; dot != std::string::npos; begin = dot + 1) {
      if (known.contains(std::string_view(name).substr(begin))) matches[name.substr(0, begin)].insert(name);
      dot = name.find('.', begin);
    }
  }
  return matches;
}

// "" where the names fit as they are, or in no way.
std::string best_prefix(const Matches& matches, std::size_t least, const NetworkOptions& options, const std::string& where) {
  const auto bare = matches.find("");
  if (bare != matches.end() && bare->second.size() >= least) return "";
  const std::string* best = nullptr;
  std::size_t most = least - 1;
  for (const auto& [prefix, names] : matches) {
    if (names.size() <= most) continue;
    best = &prefix;
    most = names.size();
  }
  if (best == nullptr) return "";
  const Names& taken = matches.at(*best);
  for (const auto& [prefix, names] : matches) {
    const auto others = std::ranges::count_if(names, [&](const std::string& name) { return !taken.contains(name); });
    if (static_cast<std::size_t>(others) < least) continue;
    fail_data(
        "{}: has weights of {} below '{}' and below '{}'; 'actio import --prefix {}' takes those, and makes a model to "
        "start from",
        where, name_of(options.backbone), shown_name(*best), shown_name(prefix), shown_name(*best));
  }
  return *best;
}

TensorMap without_prefix(TensorMap source, const std::string& prefix, const std::string& where) {
  TensorMap plain;
  for (auto& [name, tensor] : source) {
    const std::string key = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
    if (!plain.emplace(key, std::move(tensor)).second) {
      fail_data("{}: two tensors would be named '{}' without '{}'", where, shown_name(key), shown_name(prefix));
    }
  }
  return plain;
}

// "module." of "module.conv1.weight" and "module.fc.bias": what all names begin with, up to a dot.
std::string common_beginning(const TensorMap& source) {
  if (source.empty()) return "";
  const std::string& first = source.begin()->first;
  const std::string& last = source.rbegin()->first;
  const auto [end, ignored] = std::ranges::mismatch(first, last);
  const std::size_t dot = std::string_view(first).substr(0, static_cast<std::size_t>(end - first.begin())).rfind('.');
  return dot == std::string::npos ? "" : first.substr(0, dot + 1);
}

// Linear layers over the backbone's features that no parameter is named like.
std::vector<std::string> other_classifiers(const TensorMap& source, const Names& known, std::int64_t features) {
  constexpr std::string_view kWeight = ".weight";
  std::vector<std::string> layers;
  for (const auto& [name, tensor] : source) {
    const bool fits = name.ends_with(kWeight) && tensor.shape().size() == 2 && tensor.dim(1) == features;
    if (fits && !known.contains(name)) layers.push_back(name.substr(0, name.size() - kWeight.size()));
  }
  return layers;
}

void name_classifier(NamedWeights& named, const std::string& layer, const std::string& classifier) {
  for (const char* part : {".weight", ".bias"}) {
    auto node = named.tensors.extract(layer + part);
    if (node.empty()) continue;
    node.key() = classifier + part;
    named.tensors.insert(std::move(node));
  }
  named.notes.push_back(fmt::format("'{}' is the classifier '{}'", shown_name(layer), classifier));
}

void find_classifier(NamedWeights& named, const std::string& classifier, const std::vector<ParamInfo>& params,
                     const Names& known) {
  const auto weight = std::ranges::find(params, classifier + ".weight", &ParamInfo::name);
  const auto is_one = [&](const std::string& name) {
    return name == weight->name || (known.contains(name) && name.ends_with("." + weight->name));
  };
  if (std::ranges::any_of(named.tensors, is_one, &TensorMap::value_type::first)) return;
  const std::vector<std::string> layers = other_classifiers(named.tensors, known, weight->shape.at(1));
  if (layers.size() == 1) name_classifier(named, layers.front(), classifier);
  if (layers.size() > 1) {
    named.remark +=
        fmt::format(" ('{}' and '{}' could both be its classifier)", shown_name(layers[0]), shown_name(layers[1]));
  }
}

}  // namespace

NamedWeights fit_names(TensorMap source, const NetworkOptions& options, const NetSpec* network, const std::string& where) {
  const std::vector<ParamInfo> params = backbone_parameters(options);
  const std::string classifier = make_backbone({options.backbone, options.width, options.padding})->classifier();
  Names known;
  for (const ParamInfo& param : params) known.insert(param.name);
  const std::size_t least = (known.size() + 1) / 2;
  bool classifies = network == nullptr;
  for (const ParamInfo& param : network != nullptr ? parameters(*network) : std::vector<ParamInfo>{}) {
    classifies |= param.name.substr(param.name.find('.') + 1) == classifier + ".weight";
    known.insert(param.name);
  }

  const std::string prefix = best_prefix(matches_of(source, known), least, options, where);
  NamedWeights named;
  if (prefix.empty()) {
    const std::string beginning = common_beginning(source);
    if (!beginning.empty()) named.remark = fmt::format(" (all names begin with '{}')", shown_name(beginning));
    named.tensors = std::move(source);
  } else {
    named.notes.push_back(fmt::format("names without '{}'", shown_name(prefix)));
    named.remark = fmt::format(" ({})", named.notes.back());
    named.tensors = without_prefix(std::move(source), prefix, where);
  }
  const auto is_known = [&](const auto& entry) { return known.contains(entry.first); };
  const bool fits = static_cast<std::size_t>(std::ranges::count_if(named.tensors, is_known)) >= least;
  if (fits && classifies) find_classifier(named, classifier, params, known);
  return named;
}

TensorMap weights_below(TensorMap source, std::string_view prefix, const std::string& where) {
  TensorMap below;
  std::set<std::string> beginnings;
  for (auto& [name, tensor] : source) {
    beginnings.insert(name.substr(0, std::min(name.find('.'), name.size() - 1) + 1));
    if (name.starts_with(prefix) && name.size() > prefix.size())
      below.emplace(name.substr(prefix.size()), std::move(tensor));
  }
  if (!below.empty()) return below;
  std::vector<std::string> shown;
  for (const std::string& beginning : beginnings) {
    if (shown.size() < kMostNamed) shown.push_back(fmt::format("'{}'", shown_name(beginning)));
  }
  fail_usage("{}: no tensor's name begins with '{}'; names begin with {}", where, shown_name(prefix),
             fmt::join(shown, ", "));
}

}  // namespace actio::net

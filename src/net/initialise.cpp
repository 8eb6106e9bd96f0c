#include "net/initialise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "net/file_bytes.h"
#include "net/infer.h"

namespace actio::net {
namespace {

constexpr double kLinearDeviation = 0.01;

// FNV-1a: the random stream of a name, the same on every platform.
std::uint64_t stream_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3ULL;
  return hash;
}

void check_values(const std::string& name, const Tensor& tensor, bool finite = false) {
  if (tensor.dtype() != DType::kF32) {
    fail_data("tensor '{}': holds {}, f32 was expected", shown_name(name), dtype_name(tensor.dtype()));
  }
  const auto values = tensor.values<float>();
  if (finite || all_finite(values)) return;
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  fail_data("tensor '{}': element {} is {}, a finite number was expected", shown_name(name), bad - values.begin(), *bad);
}

void fill(Tensor& tensor, float value) { std::ranges::fill(tensor.values<float>(), value); }

double deviation_of(const Node& node, const Shape& shape) {
  if (node.op == Op::kLinear) return kLinearDeviation;
  // Output channels times kernel elements. torchvision does not divide it by the groups, and neither does this.
  const double per_output = static_cast<double>(shape_numel(shape)) / static_cast<double>(shape.at(0) * shape.at(1));
  if (is_linear(node)) return 1 / std::sqrt(3.0 * static_cast<double>(shape.at(1)));
  return std::sqrt(2.0 / (static_cast<double>(shape.at(0)) * per_output));
}

Tensor fresh_weight(const ParamInfo& param, const Node& node, std::uint64_t seed) {
  const double deviation = deviation_of(node, param.shape);
  Rng rng(seed, stream_of(param.name));
  Tensor tensor(param.shape);
  for (float& value : tensor.values<float>()) value = static_cast<float>(deviation * rng.normal());
  return tensor;
}

Tensor fresh_scalars(const ParamInfo& param, const Node& node) {
  const std::vector<float> values(node.attrs.weights.begin(), node.attrs.weights.end());
  return Tensor::of(param.shape, values);
}

Tensor fresh_value(const ParamInfo& param, const Node& node, std::uint64_t seed) {
  Tensor tensor(param.shape);
  switch (param.role) {
    case ParamRole::kWeight: return fresh_weight(param, node, seed);
    case ParamRole::kScalars: return fresh_scalars(param, node);
    case ParamRole::kScale:
    case ParamRole::kRunningVar: fill(tensor, 1.0F); return tensor;
    case ParamRole::kBias:
    case ParamRole::kShift:
    case ParamRole::kRunningMean: return tensor;
  }
  return tensor;
}

// [O, 3, kh, kw] -> [O, C, kh, kw]
Tensor spread_over_channels(const Tensor& source, const Shape& shape) {
  const std::int64_t window = shape[2] * shape[3];
  Tensor result(shape);
  const float* from = source.data<float>();
  float* to = result.data<float>();
  for (std::int64_t output = 0; output < shape[0]; ++output) {
    for (std::int64_t i = 0; i < window; ++i) {
      double sum = 0;
      for (std::int64_t c = 0; c < source.dim(1); ++c) sum += from[(output * source.dim(1) + c) * window + i];
      const auto mean = static_cast<float>(sum / static_cast<double>(source.dim(1)));
      for (std::int64_t c = 0; c < shape[1]; ++c) to[(output * shape[1] + c) * window + i] = mean;
    }
  }
  return result;
}

// The linear layers behind which no other weights lie on the way to a head or to the scores.
std::set<std::string> classifiers(const NetSpec& spec) {
  std::set<std::string> open = {spec.scores, spec.output}, found;
  for (const Head& head : spec.heads) open.insert(head.node);
  for (auto node = spec.nodes.rbegin(); node != spec.nodes.rend(); ++node) {
    if (!open.contains(node->name)) continue;
    if (is_linear(*node)) found.insert(node->name);
    else if (node->op != Op::kConv2d && node->op != Op::kConv1d) open.insert(node->inputs.begin(), node->inputs.end());
  }
  return found;
}

class Initialiser {
 public:
  Initialiser(const NetSpec& spec, const TensorMap* source, std::uint64_t seed)
      : spec_(spec), inferred_(infer(spec)), source_(source), seed_(seed) {
    classifiers_ = classifiers(spec);
    for (const Node& node : spec.nodes) {
      if (node.op == Op::kInput) inputs_.insert(node.name);
    }
  }

  InitReport run(TensorMap& weights) {
    TensorMap result;
    for (std::size_t i = 0; i < spec_.nodes.size(); ++i) {
      const Node& node = spec_.nodes[i];
      const auto& params = inferred_.nodes[i].params;
      const bool all_fresh = is_other_classifier(node, params);
      for (const ParamInfo& param : params) {
        // Fixed scalars (the weights of a late fusion) belong to the spec, not to what was learned.
        const bool of_spec = param.role == ParamRole::kScalars && !param.trainable;
        const auto* found = all_fresh || of_spec ? nullptr : find(param.name);
        result[param.name] = found != nullptr ? taken(*found, param, node) : fresh_value(param, node, seed_);
        (found != nullptr ? report_.loaded : report_.fresh).push_back(param.name);
        if (all_fresh && find(param.name) != nullptr) report_.replaced.push_back(param.name);
      }
    }
    if (source_ != nullptr) {
      for (const auto& [name, tensor] : *source_) {
        if (!used_.contains(name) && !name.ends_with("num_batches_tracked")) report_.unused.push_back(name);
      }
    }
    weights = std::move(result);
    return std::move(report_);
  }

 private:
  using Found = TensorMap::value_type;

  // "rgb.conv1.weight", else "conv1.weight".
  const Found* find(const std::string& param) const {
    if (source_ == nullptr) return nullptr;
    auto found = source_->find(param);
    if (found == source_->end()) found = source_->find(std::string_view(param).substr(param.find('.') + 1));
    return found == source_->end() ? nullptr : &*found;
  }

  bool is_other_classifier(const Node& node, const std::vector<ParamInfo>& params) const {
    if (!classifiers_.contains(node.name)) return false;
    return std::ranges::any_of(params, [&](const ParamInfo& param) {
      const Found* found = find(param.name);
      return found != nullptr && found->second.shape() != param.shape;
    });
  }

  bool is_first_of_other_modality(const Tensor& source, const ParamInfo& param, const Node& node) const {
    constexpr std::int64_t kRgbChannels = 3;
    if (node.op != Op::kConv2d || param.role != ParamRole::kWeight || !inputs_.contains(node.inputs.at(0))) return false;
    Shape wanted = param.shape;
    wanted[1] = kRgbChannels;
    return node.attrs.groups == 1 && source.shape() == wanted;
  }

  // A copy: two streams may start from one tensor of the source and must not share it.
  Tensor taken(const Found& found, const ParamInfo& param, const Node& node) {
    const auto& [name, tensor] = found;
    const bool same = tensor.shape() == param.shape;
    const bool spread = !same && is_first_of_other_modality(tensor, param, node);
    if (!same && !spread) {
      fail_data("{}: expected shape {}, the source's '{}' has {}", param.name, shape_text(param.shape), shown_name(name),
                shape_text(tensor.shape()));
    }
    check_values(name, tensor);
    used_.insert(name);
    return spread ? spread_over_channels(tensor, param.shape) : tensor.clone();
  }

  const NetSpec& spec_;
  const Inferred inferred_;
  const TensorMap* source_;
  const std::uint64_t seed_;
  std::set<std::string> classifiers_;
  std::set<std::string> inputs_;
  std::set<std::string> used_;
  InitReport report_;
};

void check_fixed_scalars(const ParamInfo& param, const Node& node, const Tensor& tensor) {
  const auto values = tensor.values<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != static_cast<float>(node.attrs.weights[i])) {
      fail_data("tensor '{}': element {} is {}, the network says {}", param.name, i, values[i], node.attrs.weights[i]);
    }
  }
}

}  // namespace

InitReport initialise(const NetSpec& spec, const TensorMap* source, std::uint64_t seed, TensorMap& weights) {
  return Initialiser(spec, source, seed).run(weights);
}

void require_complete(const NetSpec& spec, const InitReport& report, const TensorMap& tensors, const std::string& source) {
  std::map<std::string, const ParamInfo*> known;
  const std::vector<ParamInfo> params = parameters(spec);
  for (const ParamInfo& param : params) known[param.name] = &param;
  for (const std::string& name : report.fresh) {
    if (known.at(name)->role == ParamRole::kScalars || std::ranges::find(report.replaced, name) != report.replaced.end()) continue;
    fail_data("{}: has no tensor '{}' of shape {} for {}; --partial starts what is missing anew", source, name,
              shape_text(known.at(name)->shape), spec.name);
  }
  // The old values of a replaced classifier, and scalars that belong to the network.
  const auto known_place = [&](const std::string& name) {
    const auto replaces = [&](const std::string& param) { return param == name || param.substr(param.find('.') + 1) == name; };
    return known.contains(name) || std::ranges::any_of(report.replaced, replaces);
  };
  for (const std::string& name : report.unused) {
    if (known_place(name)) continue;
    fail_data("{}: its tensor '{}' of shape {} has no place in {}; --partial leaves such tensors out", source, shown_name(name),
              shape_text(tensors.at(name).shape()), spec.name);
  }
}

bool all_finite(std::span<const float> values) {
  // Without an early exit, and in whole numbers, so that the compiler vectorises it: models have 10^8 elements.
  std::int32_t most = 0;
  for (const float value : values) most = std::max(most, std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF);
  return most < 0x7F800000;
}

void check_weights(const NetSpec& spec, const TensorMap& weights, bool finite) {
  std::set<std::string, std::less<>> known;
  for (const ParamInfo& param : parameters(spec)) {
    const auto found = weights.find(param.name);
    if (found == weights.end()) fail_data("tensor '{}' is missing, expected shape {}", param.name, shape_text(param.shape));
    const Tensor& tensor = found->second;
    if (!tensor.defined() || tensor.shape() != param.shape) {
      fail_data("tensor '{}': expected shape {}, got {}", param.name, shape_text(param.shape),
                tensor.defined() ? shape_text(tensor.shape()) : "an empty tensor");
    }
    check_values(param.name, tensor, finite);
    if (param.role == ParamRole::kScalars && !param.trainable) check_fixed_scalars(param, spec.node(param.node), tensor);
    known.insert(param.name);
  }
  for (const auto& [name, tensor] : weights) {
    if (!known.contains(name)) {
      fail_data("tensor '{}' of shape {} is no parameter of {}", shown_name(name), shape_text(tensor.shape()), spec.name);
    }
  }
}

void load_strict(const NetSpec& spec, const TensorMap& source, TensorMap& weights) {
  check_weights(spec, source);
  weights = source;
}

}  // namespace actio::net

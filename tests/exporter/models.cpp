#include "models.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "net/infer.h"
#include "runtime/compile.h"

namespace actio::testing {
namespace {

net::NetworkOptions small_options(const std::string& network, const std::string& backbone) {
  net::NetworkOptions options;
  options.network = value_named<net::NetworkKind>("network", network);
  options.backbone = value_named<net::BackboneKind>("backbone", backbone);
  options.width = backbone == "inception_v3" ? 0.125 : 0.25;
  options.padding = backbone == "mobilenet_v2" ? net::PaddingKind::kSame : net::PaddingKind::kTorch;
  options.classes = 7;
  options.segments = 4;
  return options;
}

std::vector<Variant> tsn_variants(const net::NetworkOptions& base) {
  std::vector<Variant> all;
  for (const char* streams : {"rgb", "motion", "both"}) {
    all.push_back({fmt::format("tsn {}", streams), base});
    all.back().options.streams = streams;
  }
  all.push_back({"tsn of one segment, torch padding", all.back().options});
  all.back().options.segments = 1;
  all.back().options.padding = net::PaddingKind::kTorch;
  return all;
}

// What comes behind the backbone is the same for all, so all combinations go with the smallest one; the others get each fusion
// once, with each direction.
std::vector<Variant> stfn_variants(const net::NetworkOptions& base) {
  const std::vector<std::string> fusions = {"average", "maximum", "multiplication", "weighted"};
  const std::vector<std::string> directions = {"bidirectional", "a_from_m", "m_from_a"};
  const bool all_combinations = base.backbone == net::BackboneKind::kResnet18;
  std::vector<Variant> all;
  for (std::size_t i = 0; i < fusions.size(); ++i) {
    for (std::size_t j = 0; j < directions.size(); ++j) {
      for (const char* design : {"a", "b"}) {
        if (!all_combinations && (j != i % directions.size() || (design[0] == 'a') != (i % 2 == 0))) continue;
        all.push_back({fmt::format("stfn {} {} {}", design, fusions[i], directions[j]), base});
        all.back().options.stfn_design = value_named<net::StfnDesign>("stfn_design", design);
        all.back().options.stfn_fusion = value_named<net::StfnFusion>("stfn_fusion", fusions[i]);
        all.back().options.stfn_direction = value_named<net::StfnDirection>("stfn_direction", directions[j]);
      }
    }
  }
  all.push_back({"stfn c", base});
  all.back().options.stfn_design = net::StfnDesign::kC;
  if (!all_combinations) return all;
  all.push_back({"stfn a of two blocks and five segments", base});
  all.back().options.stfn_blocks = 2;
  all.back().options.segments = 5;
  return all;
}

std::vector<Variant> if_ttn_variants(const net::NetworkOptions& base) {
  std::vector<Variant> all;
  for (const char* ifm : {"attention", "adaptive", "additive", "multiplicative", "none"}) {
    for (std::int64_t stage = 2; stage <= 5; ++stage) {
      for (const bool merge : {false, true}) {
        if (base.backbone == net::BackboneKind::kInceptionV3 && (stage != 2 || merge != (all.size() % 2 == 1))) continue;
        all.push_back({fmt::format("if_ttn {} from stage {}{}", ifm, stage, merge ? " with the final merge" : ""), base});
        all.back().options.ifm = value_named<net::IfmKind>("ifm", ifm);
        all.back().options.ttn_first_stage = stage;
        all.back().options.ttn_final_merge = merge;
      }
    }
  }
  return all;
}

// It injects at residual units, which Inception lacks.
std::vector<Variant> st_fusion_variants(const net::NetworkOptions& base) {
  if (base.backbone == net::BackboneKind::kInceptionV3) return {};
  std::vector<Variant> all;
  for (const char* kind : {"additive", "multiplicative"}) {
    all.push_back({fmt::format("st_fusion {}", kind), base});
    all.back().options.st_fusion = value_named<net::StFusionKind>("st_fusion", kind);
  }
  return all;
}

void randomise(const net::ParamInfo& param, Rng& rng, Tensor& tensor) {
  const double fan_in = static_cast<double>(tensor.numel()) / static_cast<double>(tensor.dim(0));
  for (float& x : tensor.values<float>()) {
    double value = 0;
    switch (param.role) {
      case net::ParamRole::kWeight: value = rng.normal() * std::sqrt(2 / fan_in); break;
      case net::ParamRole::kScale: value = rng.uniform(0.8, 1.2); break;
      case net::ParamRole::kRunningVar: value = rng.uniform(0.7, 1.3); break;
      default: value = rng.normal() * 0.1;
    }
    x = static_cast<float>(value);
  }
}

// Scalars near those that the definition starts with. Fixed ones belong to the definition.
void set_scalars(const net::Node& node, const net::ParamInfo& param, Rng& rng, Tensor& tensor) {
  for (std::size_t i = 0; i < node.attrs.weights.size(); ++i) {
    tensor.values<float>()[i] = static_cast<float>(node.attrs.weights[i] + (param.trainable ? rng.uniform(0.05, 0.2) : 0));
  }
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.values<float>().size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(a.values<float>()[i]) - b.values<float>()[i]));
  }
  return largest;
}

double range(const Tensor& tensor) {
  const auto [low, high] = std::ranges::minmax(tensor.values<float>());
  return static_cast<double>(high) - low;
}

bool finite(const Tensor& tensor) {
  return std::ranges::all_of(tensor.values<float>(), [](float x) { return std::isfinite(x); });
}

}  // namespace

std::vector<Variant> variants(const std::string& network, const std::string& backbone) {
  const net::NetworkOptions base = small_options(network, backbone);
  if (network == "tsn") return tsn_variants(base);
  if (network == "stfn") return stfn_variants(base);
  if (network == "if_ttn") return if_ttn_variants(base);
  if (network == "st_fusion") return st_fusion_variants(base);
  return {{network, base}};
}

net::Model random_model(net::NetSpec spec, std::uint64_t seed) {
  net::Model model;
  model.spec = std::move(spec);
  const std::int64_t classes = net::infer(model.spec).at(model.spec.output).shape[0];
  Rng rng(seed);
  for (const net::ParamInfo& param : net::parameters(model.spec)) {
    Tensor tensor(param.shape);
    if (param.role == net::ParamRole::kScalars) set_scalars(model.spec.node(param.node), param, rng, tensor);
    else randomise(param, rng, tensor);
    // Large scores would saturate the probabilities.
    if (param.role == net::ParamRole::kWeight && param.shape[0] == classes) {
      for (float& x : tensor.values<float>()) x *= 0.05F;
    }
    model.weights[param.name] = tensor;
  }
  for (std::int64_t i = 0; i < classes; ++i) model.classes.push_back(fmt::format("class {}", i));
  return model;
}

net::Model random_model(const net::NetworkOptions& options) {
  Preprocess preprocess;
  preprocess.input_size = options.backbone == net::BackboneKind::kInceptionV3 ? 96 : 48;
  preprocess.motion = Motion::kVectors;
  preprocess.motion_length = 2;
  net::Model model = random_model(net::build_network(options, preprocess), 5);
  model.inputs = net::network_inputs(options, preprocess);
  return model;
}

TensorMap random_clips(const net::NetSpec& spec, std::int64_t clips, std::uint64_t seed) {
  TensorMap inputs;
  for (const net::Node& node : spec.nodes) {
    if (node.op != net::Op::kInput) continue;
    Shape shape = node.attrs.shape;
    shape.insert(shape.begin(), clips * spec.segments);
    Tensor tensor(shape);
    Rng rng(seed, inputs.size());
    for (std::int64_t row = 0; row < shape[0]; ++row) {
      const double brightness = rng.normal();
      for (float& x : tensor.rows(row, 1).values<float>()) x = static_cast<float>(brightness + rng.normal());
    }
    inputs[node.name] = tensor;
  }
  return inputs;
}

TensorMap reference_outputs(const net::Model& model, const TensorMap& inputs) {
  const TensorMap values = runtime::compile(model.spec, model.weights, {"reference", 2})->run(inputs);
  return {{"scores", values.at(model.spec.scores)}, {"probabilities", values.at(model.spec.output)}};
}

double relative_error(const Tensor& actual, const Tensor& expected) {
  return largest_difference(actual, expected) / range(expected);
}

::testing::AssertionResult outputs_agree(const TensorMap& actual, const TensorMap& expected) {
  for (const auto& [name, wanted] : expected) {
    const auto found = actual.find(name);
    if (found == actual.end()) return ::testing::AssertionFailure() << "there is no output " << name;
    const Tensor& given = found->second;
    if (given.shape() != wanted.shape()) {
      return ::testing::AssertionFailure() << name << " has shape " << shape_text(given.shape()) << ", not " << shape_text(wanted.shape());
    }
    if (!finite(given) || !finite(wanted)) return ::testing::AssertionFailure() << name << " is not finite";
    const double difference = largest_difference(given, wanted);
    double scale = range(wanted);
    if (wanted.dim(0) > 1) scale = std::min(scale, largest_difference(wanted.rows(0, 1), wanted.rows(1, 1)));
    if (!(difference < 1e-3 * scale)) {
      return ::testing::AssertionFailure() << name << " differs by " << difference << "; the outputs range over " << range(wanted)
                                           << " and the clips differ by " << scale << " or more";
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace actio::testing

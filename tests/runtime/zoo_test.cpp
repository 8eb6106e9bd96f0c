// The networks of both papers through every backend, whole and snippet by snippet.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "fixture.h"
#include "net/initialise.h"
#include "net/zoo.h"
#include "runtime/compile.h"
#include "support/compare.h"

namespace actio::runtime {
namespace {

using actio::testing::close;

struct ZooCase {
  const char* name;
  const char* network;
  const char* backbone;
  const char* variant;   // ifm, stfn_design or streams
};

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.values<float>().size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(a.values<float>()[i]) - b.values<float>()[i]));
  }
  return largest;
}

class ZooNetwork : public ::testing::TestWithParam<std::tuple<ZooCase, std::string>> {
 protected:
  static constexpr std::int64_t kSegments = 4, kSize = 48;

  void SetUp() override {
    const ZooCase& c = std::get<0>(GetParam());
    backend_ = std::get<1>(GetParam());
    net::NetworkOptions options;
    options.network = value_named<net::NetworkKind>("network", c.network);
    options.backbone = value_named<net::BackboneKind>("backbone", c.backbone);
    options.width = 0.25;
    options.classes = 7;
    options.segments = kSegments;
    if (options.network == net::NetworkKind::kIfTtn) options.ifm = value_named<net::IfmKind>("ifm", c.variant);
    if (options.network == net::NetworkKind::kStfn) options.stfn_design = value_named<net::StfnDesign>("stfn_design", c.variant);
    if (options.network == net::NetworkKind::kTsn) options.streams = c.variant;
    Preprocess preprocess;
    preprocess.input_size = kSize;
    preprocess.motion = Motion::kVectors;
    preprocess.motion_length = 2;
    spec_ = net::build_network(options, preprocess);
    net::initialise(spec_, nullptr, 5, weights_);
    Rng rng(6);
    // Weights that keep the scale of what passes through, and statistics that are not the defaults, so that every layer shows.
    for (auto& [name, tensor] : weights_) {
      if (tensor.shape().size() > 1) {
        const double fan_in = static_cast<double>(tensor.numel() / tensor.dim(0));
        // STFN shows probabilities only: large scores would saturate them.
        const double gain = name.starts_with("stfn.head") ? 0.05 : 1;
        for (float& x : tensor.values<float>()) x = static_cast<float>(gain * rng.normal() * std::sqrt(2 / fan_in));
      } else if (name.ends_with("running_var")) {
        for (float& x : tensor.values<float>()) x = static_cast<float>(rng.uniform(0.7, 1.3));
      } else if (name.ends_with("running_mean")) {
        for (float& x : tensor.values<float>()) x = static_cast<float>(rng.normal() * 0.1);
      }
    }
  }

  TensorMap snippets(std::int64_t count, std::uint64_t seed) const {
    TensorMap inputs;
    for (const net::Node& node : spec_.nodes) {
      if (node.op != net::Op::kInput) continue;
      Shape shape = node.attrs.shape;
      shape.insert(shape.begin(), count);
      Tensor tensor(shape);
      Rng rng(seed, inputs.size());
      for (std::int64_t row = 0; row < count; ++row) {   // each snippet with a brightness of its own
        const double brightness = rng.normal();
        for (float& x : tensor.rows(row, 1).values<float>()) x = static_cast<float>(brightness + rng.normal());
      }
      inputs[node.name] = tensor;
    }
    return inputs;
  }

  static TensorMap rows(const TensorMap& values, std::int64_t begin, std::int64_t count) {
    TensorMap part;
    for (const auto& [name, tensor] : values) part[name] = tensor.rows(begin, count);
    return part;
  }

  static TensorMap stacked(const std::vector<TensorMap>& parts) {
    TensorMap whole;
    for (const auto& [name, first] : parts.front()) {
      Shape shape = first.shape();
      shape[0] = static_cast<std::int64_t>(parts.size());
      Tensor tensor(shape);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto source = parts[i].at(name).values<float>();
        std::ranges::copy(source, tensor.rows(static_cast<std::int64_t>(i), 1).values<float>().begin());
      }
      whole[name] = tensor;
    }
    return whole;
  }

  std::string backend_;
  net::NetSpec spec_;
  TensorMap weights_;
};

TEST_P(ZooNetwork, gives_the_same_scores_as_in_the_reference) {
  const TensorMap inputs = snippets(2 * kSegments, 1);
  const TensorMap fast = compile(spec_, weights_, {backend_, 2})->run(inputs);
  const TensorMap naive = compile(spec_, weights_, {"reference", 2})->run(inputs);
  for (const net::Head& head : spec_.heads) {
    const Tensor &actual = fast.at(head.node), &expected = naive.at(head.node);
    // What the backends differ by has to be small against what two clips differ by; against the scores alone it would say little.
    EXPECT_LT(largest_difference(actual, expected), 1e-3 * largest_difference(expected.rows(0, 1), expected.rows(1, 1))) << head.name;
  }
  EXPECT_TRUE(close(fast.at(spec_.output), naive.at(spec_.output), 1e-4));
}

TEST_P(ZooNetwork, gives_the_same_scores_snippet_by_snippet_in_a_sliding_window) {
  constexpr std::int64_t kStream = kSegments + 3;
  const TensorMap inputs = snippets(kStream, 2);
  const auto network = compile(spec_, weights_, {backend_, 2});
  std::vector<TensorMap> snippet_values, pair_values;
  for (std::int64_t t = 0; t < kStream; ++t) {
    snippet_values.push_back(network->run_snippets(rows(inputs, t, 1)));
    if (t > 0) pair_values.push_back(network->run_pairs(snippet_values[static_cast<std::size_t>(t - 1)], snippet_values.back()));
    if (t + 1 < kSegments) continue;
    const std::int64_t first = t + 1 - kSegments;
    const TensorMap window = network->run_clip(
        stacked({snippet_values.end() - kSegments, snippet_values.end()}),
        stacked({pair_values.end() - (kSegments - 1), pair_values.end()}));
    const TensorMap whole = network->run(rows(inputs, first, kSegments));
    EXPECT_TRUE(close(window.at(spec_.scores), whole.at(spec_.scores), 1e-5)) << "window at " << first;
    EXPECT_TRUE(close(window.at(spec_.output), whole.at(spec_.output), 1e-5)) << "window at " << first;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Papers, ZooNetwork,
    ::testing::Combine(
        ::testing::Values(ZooCase{"tsn", "tsn", "resnet18", "both"}, ZooCase{"if_ttn_resnet50", "if_ttn", "resnet50", "attention"},
                          ZooCase{"if_ttn_mobilenet", "if_ttn", "mobilenet_v2", "attention"}, ZooCase{"if_ttn_adaptive", "if_ttn", "resnet18", "adaptive"},
                          ZooCase{"if_ttn_separate", "if_ttn", "resnet18", "none"}, ZooCase{"stfn_a", "stfn", "resnet18", "a"},
                          ZooCase{"stfn_b", "stfn", "mobilenet_v2", "b"}, ZooCase{"stfn_c", "stfn", "resnet34", "c"}),
        ::testing::ValuesIn(actio::testing::fast_backends())),
    [](const auto& param) { return fmt::format("{}_{}", std::get<0>(param.param).name, std::get<1>(param.param)); });

}  // namespace
}  // namespace actio::runtime

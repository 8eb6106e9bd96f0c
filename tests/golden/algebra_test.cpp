// What the papers' equations imply for whole networks, whatever the weights are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/rng.h"
#include "net/infer.h"
#include "net/initialise.h"
#include "runtime/compile.h"
#include "support/compare.h"
#include "support/zoo_variants.h"
#include "torch/forward.h"

namespace actio {
namespace {

using testing::close;
using testing::random_clips;
using testing::ZooVariant;
using testing::ZooVariants;

constexpr std::int64_t kClips = 2;
constexpr double kRounding = 2e-5;  // of f32 sums in another order, on scores around 1

TensorMap random_weights(const net::NetSpec& spec, std::uint64_t seed) {
  TensorMap weights;
  net::initialise(spec, nullptr, seed, weights);
  for (auto& [name, tensor] : weights) {
    Rng rng(seed, std::hash<std::string>{}(name));
    if (tensor.shape().size() == 2 || tensor.shape().size() == 3) {
      for (float& x : tensor.values<float>()) x = static_cast<float>(rng.normal() * 0.1);
    } else if (name.ends_with("running_mean")) {
      for (float& x : tensor.values<float>()) x = static_cast<float>(rng.normal() * 0.1);
    }
  }
  return weights;
}

TensorMap reversed(const TensorMap& inputs, std::int64_t segments) {
  TensorMap result;
  for (const auto& [name, tensor] : inputs) {
    Tensor backwards = tensor.clone();
    for (std::int64_t row = 0; row < tensor.dim(0); ++row) {
      const std::int64_t clip = row / segments, k = row % segments;
      std::ranges::copy(tensor.rows(clip * segments + segments - 1 - k, 1).values<float>(),
                        backwards.rows(row, 1).values<float>().begin());
    }
    result[name] = backwards;
  }
  return result;
}

double difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  const auto x = a.values<float>(), y = b.values<float>();
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::fabs(static_cast<double>(x[i]) - y[i]));
  return largest;
}

Tensor scores_of(const net::NetSpec& spec, const TensorMap& weights, const TensorMap& inputs) {
  return runtime::compile(spec, weights, {"reference", 0})->run(inputs).at(spec.scores);
}

TEST(Algebra, attention_equals_adaptive_fusion_at_one_zero_one) {
  ZooVariant attention = ZooVariants::plain("if_ttn"), adaptive = attention;
  adaptive.options.ifm = net::IfmKind::kAdaptive;
  const net::NetSpec first = attention.spec(), second = adaptive.spec();
  const TensorMap weights = random_weights(first, 1);
  TensorMap with_scalars = weights;
  for (const net::ParamInfo& param : net::parameters(second)) {
    if (!weights.contains(param.name)) with_scalars[param.name] = Tensor::of({3}, std::vector<float>{1, 0, 1});
  }
  ASSERT_GT(with_scalars.size(), weights.size());
  const TensorMap inputs = random_clips(first, kClips);
  const Tensor expected = scores_of(first, weights, inputs);
  EXPECT_TRUE(close(scores_of(second, with_scalars, inputs), expected, kRounding));
  for (auto& [name, tensor] : with_scalars) {
    if (name.starts_with("ifm.")) tensor = Tensor::of({3}, std::vector<float>{1, 0.5F, 1});
  }
  EXPECT_GT(difference(scores_of(second, with_scalars, inputs), expected), 100 * kRounding) << "the scalars count";
}

TEST(Algebra, ttn_does_not_see_a_constant_added_to_the_features_of_every_snippet) {
  for (const char* ifm : {"attention", "multiplicative"}) {
    ZooVariant variant = ZooVariants::plain("if_ttn");
    variant.options.ifm = value_named<net::IfmKind>("ifm", ifm);
    const net::NetSpec spec = variant.spec();
    const auto network = runtime::compile(spec, random_weights(spec, 2), {"reference", 0});
    TensorMap snippets = network->run_snippets(random_clips(spec, 1));
    const auto pairs_of = [&] {
      TensorMap earlier, later;
      for (const auto& [name, tensor] : snippets) {
        earlier[name] = tensor.rows(0, spec.segments - 1);
        later[name] = tensor.rows(1, spec.segments - 1);
      }
      return network->run_pairs(earlier, later);
    };
    const TensorMap before = pairs_of();
    int shifted = 0;
    for (auto& [name, tensor] : snippets) {
      if (!name.starts_with("ifm.")) continue;
      // Another constant for every feature, the same for every snippet.
      const std::int64_t features = tensor.numel() / tensor.dim(0);
      const auto values = tensor.values<float>();
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] += static_cast<float>(static_cast<std::int64_t>(i) % features % 7) - 3;
      }
      ++shifted;
    }
    EXPECT_EQ(shifted, 3) << "stages 2, 3 and 4";
    const TensorMap after = pairs_of();
    ASSERT_FALSE(before.empty());
    for (const auto& [name, tensor] : before) EXPECT_TRUE(close(after.at(name), tensor, kRounding)) << ifm << " " << name;
  }
}

TEST(Algebra, reversed_segments_negate_every_input_of_the_ttns_first_stage) {
  for (const std::int64_t first : {2, 3, 4, 5}) {
    ZooVariant variant = ZooVariants::plain("if_ttn");
    variant.options.ttn_first_stage = first;
    const net::NetSpec spec = variant.spec();
    const TensorMap weights = random_weights(spec, 3), inputs = random_clips(spec, kClips);
    const std::string node = fmt::format("ttn.diff{}", first - 1);
    const auto input_of = [&](const TensorMap& clips) {
      return torch_train::forward(spec, weights, clips, {node}).at(node);
    };
    const Tensor forwards = input_of(inputs);
    Tensor negated = forwards.clone();
    const std::int64_t pairs = spec.segments - 1;
    for (std::int64_t row = 0; row < forwards.dim(0); ++row) {
      const auto source = forwards.rows(row / pairs * pairs + pairs - 1 - row % pairs, 1).values<float>();
      std::ranges::transform(source, negated.rows(row, 1).values<float>().begin(), [](float x) { return -x; });
    }
    EXPECT_TRUE(close(input_of(reversed(inputs, spec.segments)), negated, kRounding)) << "first stage " << first;
    EXPECT_GT(difference(forwards, negated), 0.1) << "they differ at all";
  }
}

std::string swapped_name(std::string name) {
  for (const auto& [one, other] :
       {std::pair{"rgb.", "motion."}, {"stfn.a.", "stfn.m."}, {"stfn.fa.", "stfn.fm."}, {"stfn.head_a.", "stfn.head_m."}}) {
    if (name.starts_with(one)) return other + name.substr(std::string(one).size());
    if (name.starts_with(other)) return one + name.substr(std::string(other).size());
  }
  return name;
}

TEST(Algebra, stfn_with_average_fusion_both_ways_does_not_change_when_its_streams_are_swapped) {
  for (const char* design : {"a", "b"}) {
    ZooVariant variant = ZooVariants::plain("stfn");
    variant.options.stfn_design = value_named<net::StfnDesign>("stfn_design", design);
    const net::NetSpec spec = variant.spec();
    const TensorMap weights = random_weights(spec, 4), inputs = random_clips(spec, kClips);
    TensorMap swapped;
    for (const auto& [name, tensor] : weights) swapped[swapped_name(name)] = tensor;
    ASSERT_EQ(swapped.size(), weights.size());
    const TensorMap swapped_inputs = {{"rgb", inputs.at("motion")}, {"motion", inputs.at("rgb")}};
    const Tensor expected = scores_of(spec, weights, inputs);
    EXPECT_TRUE(close(scores_of(spec, swapped, swapped_inputs), expected, kRounding)) << design;
    EXPECT_GT(difference(scores_of(spec, weights, swapped_inputs), expected), 100 * kRounding)
        << "the streams are not alike";
  }
}

TEST(Algebra, the_order_of_segments_counts_for_if_ttn_stfn_and_trn_and_not_for_tsn_and_two_stream) {
  for (const std::string& network : net::network_names()) {
    const bool ordered = network == "if_ttn" || network == "stfn" || network == "trn";
    const net::NetSpec spec = ZooVariants::plain(network).spec();
    const TensorMap weights = random_weights(spec, 5), inputs = random_clips(spec, kClips);
    const Tensor expected = scores_of(spec, weights, inputs);
    const double changed = difference(scores_of(spec, weights, reversed(inputs, spec.segments)), expected);
    if (ordered) {
      EXPECT_GT(changed, 100 * kRounding) << network;
    } else {
      EXPECT_LT(changed, kRounding) << network;
    }
  }
}

}  // namespace
}  // namespace actio

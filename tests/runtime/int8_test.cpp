// Networks in 8 bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "core/error.h"
#include "fixture.h"
#include "int8_arbiter.h"
#include "net/initialise.h"
#include "nets.h"
#include "runtime/assign_types.h"
#include "runtime/backends.h"
#include "runtime/compiled_network.h"
#include "runtime/cut.h"
#include "runtime/onednn_compat.h"
#include "runtime/quantize_values.h"
#include "runtime/ranges_on.h"
#include "small_zoo.h"

namespace actio::runtime {
namespace {

using net::Op;
using ::testing::HasSubstr;
using testing::graph_of;
using testing::node;

// Of the values that convolutions of a piece touch, on these inputs.
net::Ranges ranges_on(Subgraph graph, const TensorMap& weights, const TensorMap& inputs, std::int64_t rows) {
  const auto infos = infer_values(graph);
  graph.outputs.clear();
  for (const std::string& name : values_to_measure(fuse(graph))) graph.outputs.push_back({name, infos.at(name).shape});
  net::Ranges ranges;
  for (const auto& [name, value] : testing::run_graph(*testing::make_backend("reference"), graph, weights, inputs, rows)) ranges[name] = range_of(value);
  return ranges;
}

double relative_error(const Tensor& exact, const Tensor& rounded) {
  const auto one = exact.values<float>(), other = rounded.values<float>();
  double error = 0, size = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    error += std::pow(static_cast<double>(one[i]) - other[i], 2);
    size += std::pow(static_cast<double>(one[i]), 2);
  }
  return std::sqrt(error / size);
}

net::Attrs conv_attrs(std::int64_t channels, std::int64_t kernel, std::int64_t stride = 1, std::int64_t groups = 1) {
  net::Attrs attrs;
  attrs.channels = channels;
  attrs.kernel = {kernel, kernel};
  attrs.stride = {stride, stride};
  attrs.padding = net::same_padding(kernel / 2);
  attrs.groups = groups;
  attrs.bias = true;
  return attrs;
}

struct Compared {
  Tensor expected, actual, real;
  std::vector<OpRecord> records;
};

// The output "y" in 8 bits, as the arbiter has it, and in f32.
Compared compare(const Subgraph& graph, const TensorMap& weights, const TensorMap& inputs, std::int64_t rows) {
  const Numerics numerics{Precision::kInt8, ranges_on(graph, weights, inputs, rows)};
  const auto backend = make_backend("onednn", 2, numerics);
  Compared compared;
  compared.actual = testing::run_graph(*backend, graph, weights, inputs, rows).at("y");
  compared.records = backend->records();
  compared.expected = testing::arbiter_of_int8(graph, weights, inputs, rows, numerics, compared.records).at("y");
  compared.real = testing::run_graph(*testing::make_backend("reference"), graph, weights, inputs, rows).at("y");
  return compared;
}

// How many values are as the arbiter has them, but for f32's rounding.
double share_equal(const Compared& compared) {
  const auto expected = compared.expected.values<float>(), actual = compared.actual.values<float>();
  float size = 0;
  for (const float value : expected) size = std::max(size, std::abs(value));
  double equal = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) equal += std::abs(expected[i] - actual[i]) <= 2e-5F * size;
  return equal / static_cast<double>(expected.size());
}

TensorMap inputs_of(const Subgraph& graph, std::int64_t rows, bool is_signed) {
  TensorMap inputs = testing::random_inputs(graph.inputs, rows, 5);
  for (auto& [name, value] : inputs) {
    for (float& element : value.values<float>()) element = is_signed ? element : std::max(element, 0.0F);
  }
  return inputs;
}

TEST(Int8, a_convolution_is_the_integer_sum_of_what_was_rounded) {
  for (const bool is_signed : {false, true}) {
    for (const auto& [in, attrs] : std::vector<std::pair<std::int64_t, net::Attrs>>{{3, conv_attrs(16, 3, 2)},
                                                                                   {16, conv_attrs(24, 1)},
                                                                                   {24, conv_attrs(24, 3, 1, 24)},
                                                                                   {20, conv_attrs(20, 3, 2, 20)},
                                                                                   {32, conv_attrs(16, 3, 1, 4)},
                                                                                   {10, conv_attrs(7, 5)},
                                                                                   {64, conv_attrs(64, 3)}}) {
      const Subgraph graph = graph_of({{"x", {in, 13, 11}}}, {node(Op::kConv2d, "y", {"x"}, attrs)}, {"y"});
      SCOPED_TRACE(fmt::format("{} > {} kernel {} groups {} signed {}", in, attrs.channels, attrs.kernel[0], attrs.groups, is_signed));
      const Compared compared =
          compare(graph, testing::random_weights(testing::parameters_of(graph), 3), inputs_of(graph, 2, is_signed), 2);
      if (compared.records[0].precision == Precision::kInt8) {
        EXPECT_GT(relative_error(compared.real, compared.actual), 0) << "nothing was rounded";
      } else {
        EXPECT_THAT(compared.records[0].reason, HasSubstr("no quick code"));
      }
      EXPECT_EQ(share_equal(compared), 1);
    }
  }
}

TEST(Int8, sums_of_the_largest_values_do_not_overflow) {
  for (const bool is_signed : {false, true}) {
    for (const auto& attrs : {conv_attrs(16, 1), conv_attrs(16, 3), conv_attrs(32, 3, 1, 32)}) {
      const Subgraph graph = graph_of({{"x", {32, 7, 7}}}, {node(Op::kConv2d, "y", {"x"}, attrs)}, {"y"});
      TensorMap weights = testing::random_weights(testing::parameters_of(graph), 3), inputs = testing::random_inputs(graph.inputs, 1, 5);
      Rng rng(4);
      for (float& value : weights.at("y.weight").values<float>()) value = rng.chance(0.9) ? 127.0F : -127.0F;
      for (float& value : inputs.at("x").values<float>()) value = rng.chance(0.9) ? (is_signed ? 127.0F : 255.0F) : (is_signed ? -127.0F : 0.0F);
      const Compared compared = compare(graph, weights, inputs, 1);
      SCOPED_TRACE(fmt::format("kernel {} groups {} signed {}", attrs.kernel[0], attrs.groups, is_signed));
      EXPECT_LE(relative_error(compared.real, compared.actual), 1.001 / 127) << "64 levels round 127 off by a part in 127";
      EXPECT_EQ(share_equal(compared), 1);
    }
  }
}

// Rectified and linear values that are added: where they lie, beside, or copied first; from signed to unsigned and from f32.
TEST(Int8, adds_residuals_of_every_kind) {
  const auto linear = conv_attrs(16, 1), wide = conv_attrs(16, 3);
  const std::vector<std::pair<const char*, std::vector<net::Node>>> kinds = {
      {"rectified onto rectified",
       {node(Op::kConv2d, "a", {"x"}, wide), node(Op::kRelu, "ar", {"a"}), node(Op::kConv2d, "b", {"ar"}, wide), node(Op::kAdd, "s", {"b", "ar"}),
        node(Op::kRelu, "sr", {"s"}), node(Op::kConv2d, "y", {"sr"}, linear)}},
      {"linear into rectified",
       {node(Op::kConv2d, "a", {"x"}, linear), node(Op::kConv2d, "b", {"x"}, wide), node(Op::kRelu, "br", {"b"}), node(Op::kConv2d, "c", {"br"}, wide),
        node(Op::kAdd, "s", {"c", "a"}), node(Op::kRelu, "sr", {"s"}), node(Op::kConv2d, "y", {"sr"}, linear)}},
      {"linear onto linear, read again",
       {node(Op::kConv2d, "a", {"x"}, linear), node(Op::kConv2d, "b", {"a"}, wide), node(Op::kRelu6, "br", {"b"}), node(Op::kConv2d, "c", {"br"}, linear),
        node(Op::kAdd, "s", {"c", "a"}), node(Op::kConv2d, "d", {"s"}, wide), node(Op::kAdd, "t", {"d", "a"}), node(Op::kConv2d, "y", {"t"}, linear)}},
      {"an input of the piece",
       {node(Op::kConv2d, "a", {"x"}, wide), node(Op::kAdd, "s", {"a", "x"}), node(Op::kRelu, "sr", {"s"}), node(Op::kConv2d, "y", {"sr"}, linear)}},
      {"into a result in f32",
       {node(Op::kConv2d, "a", {"x"}, wide), node(Op::kRelu, "ar", {"a"}), node(Op::kConv2d, "b", {"ar"}, wide), node(Op::kAdd, "s", {"b", "ar"}),
        node(Op::kRelu6, "y", {"s"})}},
      {"what is pooled",
       {node(Op::kConv2d, "a", {"x"}, wide), node(Op::kRelu, "ar", {"a"}), node(Op::kMaxPool2d, "p", {"ar"}, conv_attrs(0, 3)),
        node(Op::kConv2d, "b", {"p"}, wide), node(Op::kAdd, "s", {"b", "p"}), node(Op::kGlobalAvgPool, "y", {"s"})}},
      {"the product of two streams",
       {node(Op::kConv2d, "a", {"x"}, wide), node(Op::kRelu, "ar", {"a"}), node(Op::kConv2d, "b", {"x"}, linear), node(Op::kRelu, "br", {"b"}),
        node(Op::kMul, "m", {"ar", "br"}), node(Op::kAdd, "s", {"ar", "m"}), node(Op::kConv2d, "c", {"ar"}, wide), node(Op::kConcat, "j", {"s", "c"}),
        node(Op::kConv2d, "y", {"j"}, linear)}}};
  for (const auto& [name, nodes] : kinds) {
    SCOPED_TRACE(name);
    const Subgraph graph = graph_of({{"x", {16, 9, 7}}}, nodes, {"y"});
    const Compared compared = compare(graph, testing::random_weights(testing::parameters_of(graph), 3), inputs_of(graph, 2, true), 2);
    for (const OpRecord& record : compared.records) {
      if (record.op == Op::kConv2d) {
        EXPECT_EQ(record.precision, Precision::kInt8) << record.node << ": " << record.reason;
      }
    }
    // What lies between two steps may be rounded to either by f32's own rounding, and moves what follows by a step.
    EXPECT_GE(share_equal(compared), 0.97);
    EXPECT_LE(relative_error(compared.expected, compared.actual), 2e-3);
    EXPECT_LE(relative_error(compared.real, compared.actual), 0.05);
  }
}

// A value's largest of many thousands is five deviations: a step of 127 up to it is 0.04 of a deviation, and rounding to it is off by 0.04 / sqrt(12) = 1.1 %.
// Values and weights each, layer after layer, as a random walk along the convolutions of one stream; times four for the tail of networks with random weights,
// which have no redundancy. TTN's differences of neighbours are smaller than the values that were rounded: three streams.
double rounding_of(const net::NetSpec& spec) {
  const auto convolutions = static_cast<double>(std::ranges::count(spec.nodes, Op::kConv2d, &net::Node::op));
  const double along = spec.name.starts_with("if_ttn") ? convolutions : convolutions / 2;
  return std::min(0.4, 4 * 0.011 * std::sqrt(along / 2));
}

TEST(Int8, networks_of_the_zoo_answer_as_in_f32_but_for_rounding) {
  for (const net::NetworkKind kind : {net::NetworkKind::kTsn, net::NetworkKind::kIfTtn, net::NetworkKind::kStfn, net::NetworkKind::kStFusion}) {
    for (const net::BackboneKind backbone :
         {net::BackboneKind::kResnet18, net::BackboneKind::kResnet50, net::BackboneKind::kMobilenetV2, net::BackboneKind::kInceptionV3}) {
      if (kind == net::NetworkKind::kStFusion && (backbone == net::BackboneKind::kMobilenetV2 || backbone == net::BackboneKind::kInceptionV3)) continue;
      const net::NetSpec spec = testing::small_network(kind, backbone);
      SCOPED_TRACE(spec.name);
      const TensorMap weights = testing::random_weights(net::parameters(spec), 3);
      const TensorMap inputs = testing::random_inputs(spec, 2 * spec.segments, 7);
      const net::Ranges ranges = runtime::ranges_on(spec, weights, inputs);
      const std::string name = testing::compared_value(spec);
      const auto run = [&](Precision precision) {
        const auto network = CompiledNetwork::compile(spec, weights, {"onednn", 2, precision}, std::span(&name, 1), ranges);
        for (const OpRecord& op : network->attributes().ops) {
          if (op.op == Op::kConv2d) {
            EXPECT_EQ(op.precision, precision) << op.node << ": " << op.reason;
          }
        }
        return network->session()->run(inputs).at(name).clone();
      };
      const double error = relative_error(run(Precision::kF32), run(Precision::kInt8));
      EXPECT_LE(error, rounding_of(spec));
      EXPECT_GT(error, 0) << "nothing was rounded";
    }
  }
}

TEST(Int8, a_piece_of_a_network_is_what_the_arbiter_makes_of_it) {
  for (const net::NetSpec& spec : {testing::small_if_ttn(3), testing::small_tsn(3)}) {
    const Cut parts = cut(spec);
    Subgraph piece = parts.snippet;
    piece.outputs = {piece.outputs.front()};
    piece.outputs.front().any_order = false;  // it is looked at here
    const TensorMap weights = testing::random_weights(net::parameters(spec), 3);
    const TensorMap inputs = testing::random_inputs(piece.inputs, 4, 7);
    const Numerics numerics{Precision::kInt8, ranges_on(piece, weights, inputs, 4)};
    const auto backend = make_backend("onednn", 2, numerics);
    Compared compared;
    const std::string name = piece.outputs.front().name;
    compared.actual = testing::run_graph(*backend, piece, weights, inputs, 4).at(name);
    compared.expected = testing::arbiter_of_int8(piece, weights, inputs, 4, numerics, backend->records()).at(name);
    EXPECT_LE(relative_error(compared.expected, compared.actual), 2e-3) << spec.name;
  }
}

TEST(Int8, without_ranges_is_refused_and_where_one_lacks_is_f32_with_the_reason) {
  const net::NetSpec spec = testing::small_tsn(2);
  const TensorMap weights = testing::random_weights(net::parameters(spec), 3), inputs = testing::random_inputs(spec, 2, 7);
  try {
    CompiledNetwork::compile(spec, weights, {"onednn", 1, Precision::kInt8});
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("precision int8 needs ranges of its values"));
  }
  net::Ranges ranges = runtime::ranges_on(spec, weights, inputs);
  ranges.erase("rgb");
  const auto ops = CompiledNetwork::compile(spec, weights, {"onednn", 1, Precision::kInt8}, {}, ranges)->attributes().ops;
  EXPECT_EQ(ops[0].node, "conv1");
  EXPECT_EQ(ops[0].precision, Precision::kF32);
  EXPECT_EQ(ops[0].reason, "the range of what it reads was not measured");
  EXPECT_EQ(ops[1].precision, Precision::kInt8);
}

TEST(WeightScales, leave_room_for_pairs_where_these_are_summed_in_16_bits) {
  const Tensor weight = Tensor::of({2, 4, 1, 1}, std::vector<float>{1, 0.5F, -2, 1, 3, -3, 0, 0});
  EXPECT_THAT(weight_scales(weight, Sums::k32Bits), ::testing::ElementsAre(2.0F / 127, 3.0F / 127));
  EXPECT_THAT(weight_scales(weight, Sums::k16BitPairs), ::testing::ElementsAre(2.0F / 127, 3.0F / 127)) << "no pair adds up to more than its larger element";
  const Tensor same = Tensor::of({1, 2, 1, 1}, std::vector<float>{1, 2});
  EXPECT_THAT(weight_scales(same, Sums::k16BitPairs), ::testing::ElementsAre(3.0F / 127));
  EXPECT_THAT(weight_scales(Tensor({1, 2, 1, 1}), Sums::k16BitPairs), ::testing::ElementsAre(1.0F)) << "zeros";
}

TEST(WeightScales, of_a_rounded_weight_leave_no_shift_on_inputs_of_the_means) {
  Rng rng(3);
  const Tensor weight = testing::random_tensor({6, 2, 3, 3}, rng);  // 3 groups of 2 inputs
  const std::vector<float> scales = weight_scales(weight, Sums::k32Bits), means = {1, 2, 3, 4, 5, 6};
  Tensor steps = weight.clone();
  const std::vector<float> shifts = to_steps(steps, scales, means);
  for (std::size_t c = 0; c < 6; ++c) {
    double exact = 0, rounded = 0;
    for (std::size_t i = 0; i < 18; ++i) {
      const double mean = means[c / 2 * 2 + i / 9];
      EXPECT_EQ(steps.values<float>()[c * 18 + i], std::nearbyint(weight.values<float>()[c * 18 + i] / scales[c]));
      exact += weight.values<float>()[c * 18 + i] * mean;
      rounded += steps.values<float>()[c * 18 + i] * static_cast<double>(scales[c]) * mean;
    }
    EXPECT_NEAR(exact, rounded - shifts[c], 1e-4);
    EXPECT_NE(shifts[c], 0);
  }
  EXPECT_TRUE(to_steps(steps, scales, {}).empty()) << "nothing is known of the inputs";
}

}  // namespace
}  // namespace actio::runtime

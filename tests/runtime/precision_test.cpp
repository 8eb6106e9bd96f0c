// Networks in other precisions than f32.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "core/error.h"
#include "fixture.h"
#include "net/initialise.h"
#include "runtime/assign_types.h"
#include "runtime/compiled_network.h"
#include "runtime/onednn_compat.h"
#include "small_zoo.h"

namespace actio::runtime {
namespace {

using ::testing::HasSubstr;

FusedOp op_of(net::Op op) {
  FusedOp fused;
  fused.node.op = op;
  return fused;
}

TEST(AssignTypes, gives_convolutions_what_was_asked_for_and_says_why_the_others_have_f32) {
  const FusedGraph graph{{op_of(net::Op::kConv2d), op_of(net::Op::kLinear), op_of(net::Op::kMaxPool2d), op_of(net::Op::kSoftmax)}, {}};
  const std::vector<OpType> types = assign_types(graph, {Precision::kBf16}, {.bf16 = true});
  EXPECT_EQ(types[0].precision, Precision::kBf16);
  EXPECT_EQ(types[0].reason, "");
  EXPECT_EQ(types[1].precision, Precision::kF32);
  EXPECT_EQ(types[1].reason, "a classifier");
  EXPECT_EQ(types[2].reason, "as what it reads");
  EXPECT_EQ(types[3].reason, "probabilities");
}

TEST(AssignTypes, gives_f32_where_the_processor_has_nothing_else) {
  const FusedGraph graph{{op_of(net::Op::kConv2d)}, {}};
  const std::vector<OpType> types = assign_types(graph, {Precision::kBf16}, {});
  EXPECT_EQ(types[0].precision, Precision::kF32);
  EXPECT_THAT(types[0].reason, HasSubstr("no instructions for bfloat16"));
  EXPECT_EQ(assign_types(graph, {}, {})[0].reason, "");
}

Tensor answers(const net::NetSpec& spec, const TensorMap& weights, Precision precision) {
  RunOptions options;
  options.threads = 2;
  options.precision = precision;
  const std::string name = testing::compared_value(spec);
  const auto network = CompiledNetwork::compile(spec, weights, options, std::span(&name, 1));
  EXPECT_EQ(network->attributes().precision, quick_types().bf16 ? precision : Precision::kF32);
  return network->session()->run(testing::random_inputs(spec, 2 * spec.segments, 7)).at(name);
}

// Weights and values are off by 2^-9 of themselves each, layer after layer, as a random walk; times four for the tail of many results.
double rounding_of(net::BackboneKind backbone) { return 4 * std::sqrt(backbone == net::BackboneKind::kResnet18 ? 20 : 53) / 256; }

TEST(Precision, bf16_answers_as_f32_but_for_rounding) {
  for (const net::NetworkKind kind : {net::NetworkKind::kTsn, net::NetworkKind::kIfTtn, net::NetworkKind::kStfn, net::NetworkKind::kStFusion}) {
    for (const net::BackboneKind backbone : {net::BackboneKind::kResnet18, net::BackboneKind::kMobilenetV2}) {
      if (kind == net::NetworkKind::kStFusion && backbone == net::BackboneKind::kMobilenetV2) continue;
      SCOPED_TRACE(fmt::format("{} {}", name_of(kind), name_of(backbone)));
      const net::NetSpec spec = testing::small_network(kind, backbone);
      const TensorMap weights = testing::random_weights(net::parameters(spec), 3);
      const Tensor exact = answers(spec, weights, Precision::kF32), rounded = answers(spec, weights, Precision::kBf16);
      const auto one = exact.values<float>(), other = rounded.values<float>();
      double error = 0, size = 0;
      for (std::size_t i = 0; i < one.size(); ++i) {
        error += std::pow(static_cast<double>(one[i]) - other[i], 2);
        size += std::pow(static_cast<double>(one[i]), 2);
      }
      EXPECT_LE(std::sqrt(error / size), rounding_of(backbone));
      if (quick_types().bf16) EXPECT_GT(error, 0) << "nothing was rounded";
      else EXPECT_EQ(error, 0);
    }
  }
}

TEST(Precision, is_f32_alone_in_the_reference_backend_which_refuses_others) {
  const net::NetSpec spec = testing::small_network(net::NetworkKind::kTsn, net::BackboneKind::kResnet18);
  RunOptions options;
  options.backend = "reference";
  options.precision = Precision::kBf16;
  try {
    CompiledNetwork::compile(spec, testing::random_weights(net::parameters(spec), 3), options);
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_STREQ(error.what(), "precision bf16: backend reference computes f32 alone");
  }
}

}  // namespace
}  // namespace actio::runtime

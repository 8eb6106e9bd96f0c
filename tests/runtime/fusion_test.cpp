#include <gtest/gtest.h>

#include "fixture.h"
#include "runtime/fuse.h"

namespace actio::testing {
namespace {

using net::Attrs;
using net::Node;
using net::Op;
using runtime::Activation;
using runtime::FusedGraph;
using runtime::Subgraph;

Node conv(const std::string& name, const std::string& x, std::int64_t channels, std::int64_t kernel = 3) {
  Attrs a;
  a.channels = channels;
  a.kernel = {kernel, kernel};
  a.padding = net::same_padding(kernel / 2);
  return node(Op::kConv2d, name, {x}, a);
}

Node norm(const std::string& name, const std::string& x) { return node(Op::kBatchNorm, name, {x}); }
Node relu(const std::string& name, const std::string& x) { return node(Op::kRelu, name, {x}); }
Node add(const std::string& name, const std::string& a, const std::string& b) { return node(Op::kAdd, name, {a, b}); }

// Full and partly filled blocks, one pixel and many, one row and several.
void expect_agreement(std::vector<Node> (*make)(std::int64_t), const std::vector<std::string>& outputs, std::size_t ops) {
  for (const std::int64_t channels : {16, 24, 7}) {
    for (const std::int64_t size : {1, 6}) {
      for (const std::int64_t rows : {1, 3}) {
        const Subgraph graph = graph_of({{"x", {channels, size, size}}}, make(channels), outputs);
        EXPECT_EQ(runtime::fuse(graph).ops.size(), ops);
        EXPECT_TRUE(backends_agree(graph, rows, 3 * sum_tolerance(channels * 9)))
            << channels << " channels, size " << size << ", " << rows << " rows";
      }
    }
  }
}

TEST(Fusion, convolution_norm_and_relu_become_one_op) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("c", "x", c), norm("n", "c"), relu("r", "n")};
      },
      {"r"}, 1);
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("c", "x", c), norm("n", "c"), node(Op::kRelu6, "r", {"n"})};
      },
      {"r"}, 1);
}

TEST(Fusion, a_residual_that_dies_is_accumulated_into) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("p", "x", c), conv("c", "p", c),  norm("n", "c"), conv("d", "n", c),
                norm("m", "d"),    add("s", "m", "p"), relu("r", "s"), conv("last", "r", c)};
      },
      {"last"}, 4);
}

TEST(Fusion, a_residual_that_is_read_again_survives) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("p", "x", c), conv("c", "p", c), norm("n", "c"),     add("s", "p", "n"),
                relu("r", "s"),    conv("d", "r", c), add("t", "d", "p"), add("u", "t", "r")};
      },
      {"u"}, 4);
}

TEST(Fusion, a_residual_that_is_the_input_itself_or_the_convolutions_source) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("c", "x", c, 1), add("s", "c", "x"), relu("r", "s"),
                conv("d", "r", c, 1), add("t", "r", "d"), conv("e", "t", c)};
      },
      {"e"}, 3);
}

TEST(Fusion, both_operands_of_the_sum_are_convolutions) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("a", "x", c), norm("an", "a"),      conv("b", "x", c, 1),
                norm("bn", "b"),   add("s", "an", "bn"), relu("r", "s")};
      },
      {"r"}, 2);
}

TEST(Fusion, a_value_that_is_an_output_and_read_again) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("c", "x", c), norm("n", "c"), relu("r", "n"), conv("d", "r", c), add("s", "d", "r"), relu("t", "s")};
      },
      {"n", "r", "t"}, 3);
}

TEST(Fusion, a_residual_that_is_also_an_output_keeps_its_value) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("p", "x", c), conv("c", "p", c), add("s", "c", "p"), relu("r", "s")};
      },
      {"p", "r"}, 2);
}

TEST(Fusion, a_value_added_to_itself) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("c", "x", c), add("s", "c", "c"), relu("r", "s"), add("t", "r", "r")};
      },
      {"t"}, 3);
}

TEST(Fusion, pairwise_ops_take_a_sum_and_an_activation) {
  expect_agreement(
      [](std::int64_t c) -> std::vector<Node> {
        return {conv("a", "x", c), conv("b", "x", c), node(Op::kMul, "m", {"a", "b"}), add("s", "a", "m"), relu("r", "s")};
      },
      {"r"}, 3);
}

TEST(Fusion, norm_alone_takes_a_residual_and_an_activation) {
  expect_agreement(
      [](std::int64_t) -> std::vector<Node> {
        return {relu("q", "x"), norm("n", "q"), add("s", "n", "x"), relu("r", "s")};
      },
      {"r"}, 2);
}

TEST(Fusion, linear_and_norm_become_one_op) {
  Attrs a;
  a.channels = 20;
  for (const bool bias : {false, true}) {
    a.bias = bias;
    const Subgraph graph =
        graph_of({{"x", {33}}}, {node(Op::kLinear, "fc", {"x"}, a), norm("n", "fc"), relu("r", "n")}, {"r"});
    EXPECT_EQ(runtime::fuse(graph).ops.size(), 1U);
    EXPECT_TRUE(backends_agree(graph, 3, 2 * sum_tolerance(33)));
  }
}

TEST(Fusion, dropout_disappears_even_as_an_output) {
  const Subgraph graph = graph_of(
      {{"x", {4, 3, 3}}}, {node(Op::kDropout, "d", {"x"}), relu("r", "d"), node(Op::kDropout, "e", {"r"})}, {"d", "e", "r"});
  const FusedGraph fused = runtime::fuse(graph);
  EXPECT_EQ(fused.ops.size(), 1U);
  EXPECT_EQ(fused.outputs, (std::vector<std::string>{"x", "r", "r"}));
  EXPECT_TRUE(backends_agree(graph, 2, 0));
}

TEST(Fusion, keeps_a_node_apart_whose_value_is_needed_elsewhere) {
  const Subgraph graph = graph_of({{"x", {4, 3, 3}}}, {conv("c", "x", 4), norm("n", "c"), relu("r", "c")}, {"n", "r"});
  EXPECT_EQ(runtime::fuse(graph).ops.size(), 3U);
  EXPECT_TRUE(backends_agree(graph, 2, sum_tolerance(36)));
}

TEST(Fusion, an_input_that_is_an_output_is_copied) {
  const Subgraph graph = graph_of({{"x", {4, 3, 3}}}, {relu("r", "x")}, {"x", "r"});
  EXPECT_TRUE(backends_agree(graph, 2, 0));
  EXPECT_TRUE(backends_agree(graph_of({{"x", {5}}}, {}, {"x"}), 2, 0));
}

// A bottleneck with a projection, as in ResNet-50, then one without.
TEST(Fusion, a_small_residual_network_is_one_op_for_each_convolution) {
  std::vector<Node> nodes = {conv("c0", "x", 16, 3), norm("n0", "c0"), relu("r0", "n0")};
  const auto block = [&](const std::string& name, const std::string& x, bool project) {
    nodes.insert(nodes.end(),
                 {conv(name + "c1", x, 8, 1), norm(name + "n1", name + "c1"), relu(name + "r1", name + "n1"),
                  conv(name + "c2", name + "r1", 8), norm(name + "n2", name + "c2"), relu(name + "r2", name + "n2"),
                  conv(name + "c3", name + "r2", 32, 1), norm(name + "n3", name + "c3")});
    std::string shortcut = x;
    if (project) {
      nodes.insert(nodes.end(), {conv(name + "d", x, 32, 1), norm(name + "dn", name + "d")});
      shortcut = name + "dn";
    }
    nodes.insert(nodes.end(), {add(name + "s", name + "n3", shortcut), relu(name + "out", name + "s")});
  };
  block("a", "r0", true);
  block("b", "aout", false);
  const Subgraph graph = graph_of({{"x", {3, 17, 15}}}, nodes, {"bout"});
  const FusedGraph fused = runtime::fuse(graph);
  EXPECT_EQ(fused.ops.size(), 8U);
  EXPECT_EQ(fused.ops[4].residual, "an3");
  EXPECT_EQ(fused.ops[4].activation, Activation::kRelu);
  EXPECT_EQ(fused.ops[7].residual, "aout");
  EXPECT_TRUE(backends_agree(graph, 3, 20 * sum_tolerance(72)));
}

TEST(Fusion, a_small_inverted_residual_network_is_one_op_for_each_convolution) {
  Node depthwise = conv("c2", "r1", 48);
  depthwise.attrs.groups = 48;
  const Subgraph graph =
      graph_of({{"x", {12, 14, 14}}},
               {conv("c1", "x", 48, 1), norm("n1", "c1"), node(Op::kRelu6, "r1", {"n1"}), depthwise, norm("n2", "c2"),
                node(Op::kRelu6, "r2", {"n2"}), conv("c3", "r2", 12, 1), norm("n3", "c3"), add("s", "x", "n3"),
                conv("c4", "s", 24, 1), node(Op::kRelu6, "r4", {"c4"}), node(Op::kGlobalAvgPool, "p", {"r4"})},
               {"p"});
  EXPECT_EQ(runtime::fuse(graph).ops.size(), 5U);
  EXPECT_TRUE(backends_agree(graph, 3, 20 * sum_tolerance(48)));
}

}  // namespace
}  // namespace actio::testing

#include <gtest/gtest.h>

#include "core/error.h"
#include "fixture.h"
#include "runtime/plan.h"

namespace actio::testing {
namespace {

using net::Attrs;
using net::Op;
using runtime::Subgraph;

std::string describe(const Attrs& a, const Shape& in, std::int64_t rows) {
  return fmt::format(
      "in {} rows {} channels {} kernel {}x{} stride {}x{} dilation {}x{} padding {},{},{},{} groups {} bias {} "
      "count_padding {} ceil_mode {}",
      shape_text(in), rows, a.channels, a.kernel[0], a.kernel[1], a.stride[0], a.stride[1], a.dilation[0], a.dilation[1],
      a.padding.top, a.padding.bottom, a.padding.left, a.padding.right, a.groups, a.bias, a.count_padding, a.ceil_mode);
}

template <typename T>
T pick(Rng& rng, std::initializer_list<T> choices) {
  return *(choices.begin() + rng.below(static_cast<std::int64_t>(choices.size())));
}

// Whether a window fits into the padded input.
bool fits(const Attrs& a, const Shape& in) {
  return (a.kernel[0] - 1) * a.dilation[0] < in[1] + a.padding.top + a.padding.bottom &&
         (a.kernel[1] - 1) * a.dilation[1] < in[2] + a.padding.left + a.padding.right;
}

Attrs random_window(Rng& rng) {
  Attrs a;
  a.kernel = {pick<std::int64_t>(rng, {1, 2, 3, 5}), pick<std::int64_t>(rng, {1, 2, 3, 7})};
  if (rng.chance(0.4)) a.kernel = pick<std::array<std::int64_t, 2>>(rng, {{1, 1}, {3, 3}});
  a.stride = {pick<std::int64_t>(rng, {1, 1, 2, 3}), pick<std::int64_t>(rng, {1, 1, 2})};
  if (rng.chance(0.25)) a.dilation = {pick<std::int64_t>(rng, {1, 2}), pick<std::int64_t>(rng, {1, 2, 3})};
  a.padding = {rng.below(a.kernel[0]), rng.below(a.kernel[0]), rng.below(a.kernel[1]), rng.below(a.kernel[1])};
  return a;
}

Shape random_plane(Rng& rng) {
  return {0, pick<std::int64_t>(rng, {1, 2, 5, 7, 14, 17}), pick<std::int64_t>(rng, {1, 3, 7, 9, 14})};
}

TEST(Convolution, agrees_with_the_reference_on_a_grid_of_options) {
  Rng rng(11);
  int cases = 0;
  while (cases < 250) {
    Attrs a = random_window(rng);
    Shape in = random_plane(rng);
    in[0] = pick<std::int64_t>(rng, {1, 3, 5, 10, 16, 24, 32, 48});
    a.channels = pick<std::int64_t>(rng, {1, 7, 16, 20, 32, 48});
    if (rng.chance(0.3))
      a.channels = a.groups = in[0];
    else if (in[0] % 4 == 0 && a.channels % 4 == 0 && rng.chance(0.4))
      a.groups = pick<std::int64_t>(rng, {2, 4});
    a.bias = rng.chance(0.5);
    if (!fits(a, in)) continue;
    const std::int64_t rows = pick<std::int64_t>(rng, {1, 3, 7});
    const std::int64_t terms = in[0] / a.groups * a.kernel[0] * a.kernel[1];
    const Subgraph graph = graph_of({{"x", in}}, {node(Op::kConv2d, "conv", {"x"}, a)}, {"conv"});
    EXPECT_TRUE(backends_agree(graph, rows, sum_tolerance(terms), rng.next())) << describe(a, in, rows);
    ++cases;
  }
}

TEST(Convolution, depthwise_with_a_channel_multiplier) {
  Attrs a;
  a.channels = 48;
  a.groups = 24;
  a.kernel = {3, 3};
  a.padding = net::same_padding(1);
  const Subgraph graph = graph_of({{"x", {24, 9, 9}}}, {node(Op::kConv2d, "conv", {"x"}, a)}, {"conv"});
  EXPECT_TRUE(backends_agree(graph, 3, sum_tolerance(9)));
}

TEST(Convolution, padding_larger_than_the_input) {
  Attrs a;
  a.channels = 8;
  a.kernel = {3, 3};
  a.padding = {4, 1, 0, 5};
  const Subgraph graph = graph_of({{"x", {3, 2, 2}}}, {node(Op::kConv2d, "conv", {"x"}, a)}, {"conv"});
  EXPECT_TRUE(backends_agree(graph, 2, sum_tolerance(27)));
}

TEST(Convolution1d, agrees_with_the_reference_on_a_grid_of_options) {
  Rng rng(12);
  for (int i = 0; i < 80; ++i) {
    Attrs a;
    const std::int64_t kernel = pick<std::int64_t>(rng, {1, 2, 3, 4, 5});
    a.kernel = {pick<std::int64_t>(rng, {1, 3}), kernel};  // the first entry is not read
    a.stride = {2, pick<std::int64_t>(rng, {1, 1, 2})};
    a.padding = {1, 1, (kernel - 1) / 2, kernel - 1 - (kernel - 1) / 2};
    if (rng.chance(0.2)) a.padding.left += 2;
    a.channels = pick<std::int64_t>(rng, {4, 16, 18});
    a.bias = rng.chance(0.5);
    const Shape in = {pick<std::int64_t>(rng, {4, 16, 40, 64}), pick<std::int64_t>(rng, {1, 3, 5, 7, 9})};
    if (a.channels % 2 == 0 && rng.chance(0.3)) a.groups = 2;
    const std::int64_t rows = pick<std::int64_t>(rng, {1, 3, 7});
    const Subgraph graph = graph_of({{"x", in}}, {node(Op::kConv1d, "conv", {"x"}, a)}, {"conv"});
    EXPECT_TRUE(backends_agree(graph, rows, sum_tolerance(in[0] * kernel), rng.next())) << describe(a, in, rows);
  }
}

TEST(Pooling, agrees_with_the_reference_on_a_grid_of_options) {
  Rng rng(13);
  int cases = 0;
  while (cases < 250) {
    Attrs a = random_window(rng);
    a.count_padding = rng.chance(0.5);
    a.ceil_mode = rng.chance(0.4);
    const Op op = rng.chance(0.5) ? Op::kMaxPool2d : Op::kAvgPool2d;
    Shape in = random_plane(rng);
    in[0] = pick<std::int64_t>(rng, {1, 3, 16, 24, 33});
    // A dilated window may miss the input altogether where the padding is wide; its maximum is not defined.
    if (op == Op::kMaxPool2d && (a.dilation[0] > 1 || a.dilation[1] > 1)) a.padding = {};
    if (!fits(a, in)) continue;
    const std::int64_t rows = pick<std::int64_t>(rng, {1, 3, 7});
    const Subgraph graph = graph_of({{"x", in}}, {node(op, "pool", {"x"}, a)}, {"pool"});
    EXPECT_TRUE(backends_agree(graph, rows, sum_tolerance(35), rng.next()))
        << net::op_name(op) << " " << describe(a, in, rows);
    ++cases;
  }
}

TEST(Pooling, of_a_blocked_value_that_a_convolution_wrote) {
  for (const std::int64_t channels : {16, 24, 7}) {
    for (const Op op : {Op::kMaxPool2d, Op::kAvgPool2d}) {
      for (const bool ceil_mode : {false, true}) {
        Attrs conv;
        conv.channels = channels;
        Attrs pool;
        pool.kernel = {3, 3};
        pool.stride = {2, 2};
        pool.padding = net::same_padding(1);
        pool.ceil_mode = ceil_mode;
        const Subgraph graph = graph_of(
            {{"x", {16, 12, 13}}}, {node(Op::kConv2d, "conv", {"x"}, conv), node(op, "pool", {"conv"}, pool)}, {"pool"});
        EXPECT_TRUE(backends_agree(graph, 3, sum_tolerance(32))) << channels << " " << net::op_name(op) << " " << ceil_mode;
      }
    }
  }
}

TEST(Means, agree_with_the_reference) {
  for (const Shape& in : std::vector<Shape>{{5, 1, 1}, {16, 7, 7}, {24, 9, 5}, {33, 13, 1}, {2048, 7, 7}}) {
    EXPECT_TRUE(backends_agree(graph_of({{"x", in}}, {node(Op::kGlobalAvgPool, "y", {"x"})}, {"y"}), 3, sum_tolerance(49)))
        << shape_text(in);
  }
  for (const Shape& in : std::vector<Shape>{{5, 1}, {16, 7}, {24, 9}, {64, 3}}) {
    EXPECT_TRUE(backends_agree(graph_of({{"x", in}}, {node(Op::kTimeMean, "y", {"x"})}, {"y"}), 3, sum_tolerance(9)))
        << shape_text(in);
  }
}

TEST(TimeTuples, agree_with_the_reference_after_a_convolution_in_a_blocked_layout) {
  for (const std::int64_t channels : {3, 16, 24}) {
    Attrs conv;
    conv.channels = channels;
    conv.kernel = {1, 1};
    Attrs tuples;
    tuples.kernel = {1, 3};
    tuples.indices = {0, 1, 2, 0, 2, 4, 4, 4, 1};
    const Subgraph graph = graph_of({{"x", {8, 5}}},
                                    {node(Op::kConv1d, "conv", {"x"}, conv), node(Op::kTimeTuples, "y", {"conv"}, tuples),
                                     node(Op::kRelu, "z", {"y"})},
                                    {"y", "z"});
    EXPECT_TRUE(backends_agree(graph, 3, sum_tolerance(8))) << channels;
  }
}

TEST(Linear, agrees_with_the_reference) {
  for (const std::int64_t in : {1, 7, 16, 300, 2048}) {
    for (const std::int64_t out : {1, 5, 16, 101}) {
      for (const std::int64_t rows : {1, 3, 7}) {
        for (const bool bias : {false, true}) {
          Attrs a;
          a.channels = out;
          a.bias = bias;
          const Subgraph graph = graph_of({{"x", {in}}}, {node(Op::kLinear, "fc", {"x"}, a)}, {"fc"});
          EXPECT_TRUE(backends_agree(graph, rows, sum_tolerance(in), 1, 1)) << describe(a, {in}, rows);
        }
      }
    }
  }
}

// Plain values, and blocked ones with full and with partly filled blocks.
std::vector<net::Node> blocked_pair(std::int64_t channels) {
  Attrs a;
  a.channels = channels;
  return {node(Op::kConv2d, "p", {"x"}, a), node(Op::kConv2d, "q", {"x"}, a)};
}

TEST(Elementwise, agrees_with_the_reference_on_plain_and_blocked_values) {
  for (const Op op : {Op::kAdd, Op::kSub, Op::kMul, Op::kMax}) {
    for (const std::int64_t channels : {3, 16, 24}) {
      for (const std::int64_t rows : {1, 3, 7}) {
        const Shape row = {channels, 5, 7};
        const Subgraph plain = graph_of({{"a", row}, {"b", row}}, {node(op, "y", {"a", "b"})}, {"y"});
        EXPECT_TRUE(backends_agree(plain, rows, sum_tolerance(1))) << net::op_name(op) << " " << channels << " " << rows;

        std::vector<net::Node> nodes = blocked_pair(channels);
        nodes.push_back(node(op, "y", {"p", "q"}));
        nodes.push_back(node(op, "z", {"b", "y"}));
        nodes.push_back(node(op, "w", {"z", "z"}));
        const Subgraph blocked = graph_of({{"x", {16, 5, 7}}, {"b", row}}, nodes, {"y", "w"});
        EXPECT_TRUE(backends_agree(blocked, rows, sum_tolerance(32))) << net::op_name(op) << " " << channels << " " << rows;
      }
    }
  }
}

TEST(Elementwise, of_vectors_sequences_and_higher_ranks) {
  for (const Shape& row : std::vector<Shape>{{1}, {17}, {4, 5}, {2, 3, 4, 5}}) {
    const Subgraph graph = graph_of(
        {{"a", row}, {"b", row}},
        {node(Op::kSub, "y", {"a", "b"}), node(Op::kRelu, "z", {"y"}), node(Op::kFlatten, "f", {"z"})}, {"y", "z", "f"});
    EXPECT_TRUE(backends_agree(graph, 3, sum_tolerance(1))) << shape_text(row);
  }
}

TEST(Activation, of_an_input_that_others_read_too) {
  for (const Op op : {Op::kRelu, Op::kRelu6}) {
    for (const std::int64_t channels : {3, 16, 20}) {
      const Subgraph graph =
          graph_of({{"x", {channels, 3, 5}}}, {node(op, "y", {"x"}), node(Op::kAdd, "z", {"x", "y"}), node(op, "w", {"z"})},
                   {"z", "w"});
      EXPECT_TRUE(backends_agree(graph, 3, sum_tolerance(1))) << net::op_name(op) << " " << channels;
    }
  }
}

TEST(BatchNorm, without_a_convolution_before_it) {
  for (const Shape& row : std::vector<Shape>{{7}, {32}, {16, 9}, {3, 5, 5}, {16, 4, 4}, {24, 3, 7}}) {
    for (const std::int64_t rows : {1, 3}) {
      const Subgraph graph =
          graph_of({{"x", row}}, {node(Op::kBatchNorm, "bn", {"x"}), node(Op::kRelu, "y", {"bn"})}, {"y"});
      EXPECT_TRUE(backends_agree(graph, rows, sum_tolerance(2))) << shape_text(row);
    }
  }
}

TEST(BatchNorm, of_a_blocked_value_with_partly_filled_blocks) {
  for (const std::int64_t channels : {3, 16, 24}) {
    std::vector<net::Node> nodes = blocked_pair(channels);
    nodes.push_back(node(Op::kAdd, "sum", {"p", "q"}));
    nodes.push_back(node(Op::kBatchNorm, "bn", {"sum"}));
    Attrs a;
    a.channels = 8;
    nodes.push_back(node(Op::kConv2d, "last", {"bn"}, a));  // reads the padding of the blocks
    EXPECT_TRUE(backends_agree(graph_of({{"x", {16, 5, 7}}}, nodes, {"bn", "last"}), 2, sum_tolerance(64))) << channels;
  }
}

TEST(Concat, of_plain_and_blocked_values) {
  for (const auto& [first, second] : {std::pair{16, 32}, std::pair{3, 5}, std::pair{24, 16}, std::pair{8, 8}}) {
    for (const std::int64_t rows : {1, 3, 7}) {
      Attrs p, q;
      p.channels = first;
      q.channels = second;
      const Subgraph graph = graph_of({{"x", {16, 5, 7}}, {"b", {4, 5, 7}}},
                                      {node(Op::kConv2d, "p", {"x"}, p), node(Op::kConv2d, "q", {"x"}, q),
                                       node(Op::kConcat, "pq", {"p", "q"}), node(Op::kConcat, "y", {"b", "pq", "b"})},
                                      {"pq", "y"});
      EXPECT_TRUE(backends_agree(graph, rows, sum_tolerance(32))) << first << " " << second << " " << rows;
    }
  }
  const Subgraph vectors = graph_of({{"a", {3}}, {"b", {5}}}, {node(Op::kConcat, "y", {"a", "b", "a"})}, {"y"});
  EXPECT_TRUE(backends_agree(vectors, 3, 0));
}

TEST(WeightedSum, of_one_two_and_three_values) {
  for (std::size_t count = 1; count <= 3; ++count) {
    Attrs a;
    a.weights.assign(count, 1.0);
    const std::vector<std::string> all = {"p", "b", "q"};
    std::vector<net::Node> nodes = blocked_pair(24);
    nodes.push_back(node(Op::kWeightedSum, "y", {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)}, a));
    EXPECT_TRUE(backends_agree(graph_of({{"x", {16, 5, 7}}, {"b", {24, 5, 7}}}, nodes, {"y"}), 3, sum_tolerance(32)))
        << count;
  }
}

TEST(Softmax, agrees_with_the_reference) {
  for (const std::int64_t classes : {1, 2, 17, 101}) {
    const Subgraph graph = graph_of({{"x", {classes}}}, {node(Op::kSoftmax, "y", {"x"})}, {"y"});
    EXPECT_TRUE(backends_agree(graph, 7, sum_tolerance(classes))) << classes;
  }
}

TEST(Flatten, of_a_blocked_value_keeps_the_order_of_rows_and_channels) {
  std::vector<net::Node> nodes = blocked_pair(24);
  nodes.push_back(node(Op::kFlatten, "y", {"p"}));
  Attrs a;
  a.channels = 5;
  nodes.push_back(node(Op::kLinear, "z", {"y"}, a));
  EXPECT_TRUE(backends_agree(graph_of({{"x", {16, 3, 5}}}, nodes, {"y", "z"}), 3, sum_tolerance(360)));
}

}  // namespace
}  // namespace actio::testing

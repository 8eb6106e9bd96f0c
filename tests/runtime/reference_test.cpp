// The reference backend against results worked out by hand: it is the arbiter for every other backend.
#include <gtest/gtest.h>

#include <cmath>

#include "fixture.h"
#include "support/compare.h"

namespace actio::testing {
namespace {

using net::Attrs;
using net::Op;

Tensor tensor(const Shape& shape, const std::vector<float>& values) { return Tensor::of(shape, values); }

// One node that reads "x" (and "z", where it is given); shapes with the rows in front.
Tensor evaluate(Op op, const Attrs& attrs, const TensorMap& inputs, const TensorMap& weights = {}) {
  std::vector<runtime::Port> ports;
  std::vector<std::string> names;
  for (const auto& [name, value] : inputs) {
    ports.push_back({name, Shape(value.shape().begin() + 1, value.shape().end())});
    names.push_back(name);
  }
  const auto graph = graph_of(ports, {node(op, "y", names, attrs)}, {"y"});
  return run_graph(*make_backend("reference"), graph, weights, inputs, inputs.begin()->second.dim(0)).at("y");
}

TEST(Reference, convolution_correlates_and_pads_each_side_by_its_own_amount) {
  Attrs a;
  a.channels = 1;
  a.kernel = {2, 2};
  a.padding = {1, 0, 0, 1};  // a row of zeros above, a column of zeros on the right
  a.bias = true;
  const Tensor y = evaluate(Op::kConv2d, a, {{"x", tensor({1, 1, 2, 2}, {1, 2, 3, 4})}},
                            {{"y.weight", tensor({1, 1, 2, 2}, {1, 10, 100, 1000})}, {"y.bias", tensor({1}, {0.5})}});
  EXPECT_TRUE(close(y, tensor({1, 1, 2, 2}, {2100.5, 200.5, 4321.5, 402.5}), 0));
}

TEST(Reference, convolution_with_stride_and_dilation) {
  Attrs a;
  a.channels = 1;
  a.kernel = {1, 2};
  a.stride = {2, 2};
  a.dilation = {1, 2};
  const Tensor y =
      evaluate(Op::kConv2d, a, {{"x", tensor({1, 1, 3, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})}},
               {{"y.weight", tensor({1, 1, 1, 2}, {1, 100})}});
  EXPECT_TRUE(close(y, tensor({1, 1, 2, 2}, {301, 503, 1311, 1513}), 0));
}

TEST(Reference, convolution_sums_input_channels_and_separates_groups) {
  const Tensor x = tensor({1, 4, 1, 1}, {1, 2, 3, 4});
  Attrs a;
  a.channels = 2;
  EXPECT_TRUE(
      close(evaluate(Op::kConv2d, a, {{"x", x}}, {{"y.weight", tensor({2, 4, 1, 1}, {1, 10, 100, 1000, 1, 1, 1, 1})}}),
            tensor({1, 2, 1, 1}, {4321, 10}), 0));
  a.groups = 2;
  EXPECT_TRUE(close(evaluate(Op::kConv2d, a, {{"x", x}}, {{"y.weight", tensor({2, 2, 1, 1}, {1, 10, 100, 1000})}}),
                    tensor({1, 2, 1, 1}, {21, 4300}), 0));
  a.groups = a.channels = 4;
  EXPECT_TRUE(close(evaluate(Op::kConv2d, a, {{"x", x}}, {{"y.weight", tensor({4, 1, 1, 1}, {1, 10, 100, 1000})}}),
                    tensor({1, 4, 1, 1}, {1, 20, 300, 4000}), 0));
}

TEST(Reference, convolution_keeps_rows_apart) {
  Attrs a;
  a.channels = 1;
  const Tensor y =
      evaluate(Op::kConv2d, a, {{"x", tensor({2, 2, 1, 1}, {1, 2, 3, 4})}}, {{"y.weight", tensor({1, 2, 1, 1}, {1, 10})}});
  EXPECT_TRUE(close(y, tensor({2, 1, 1, 1}, {21, 43}), 0));
}

TEST(Reference, convolution_over_time_with_an_even_kernel_pads_less_on_the_left) {
  Attrs a;
  a.channels = 1;
  a.kernel = {1, 4};
  a.padding.left = 1;
  a.padding.right = 2;
  const Tensor y =
      evaluate(Op::kConv1d, a, {{"x", tensor({1, 1, 3}, {1, 2, 3})}}, {{"y.weight", tensor({1, 1, 4}, {1, 10, 100, 1000})}});
  EXPECT_TRUE(close(y, tensor({1, 1, 3}, {3210, 321, 32}), 0));
}

TEST(Reference, linear_multiplies_by_the_matrix_and_adds_the_bias) {
  Attrs a;
  a.channels = 2;
  a.bias = true;
  const Tensor y = evaluate(Op::kLinear, a, {{"x", tensor({2, 3}, {1, 2, 3, 4, 5, 6})}},
                            {{"y.weight", tensor({2, 3}, {1, 10, 100, 0, 0, 2})}, {"y.bias", tensor({2}, {0.5, -1})}});
  EXPECT_TRUE(close(y, tensor({2, 2}, {321.5, 5, 654.5, 11}), 0));
}

TEST(Reference, max_pool_ignores_the_padding_even_where_all_values_are_negative) {
  Attrs a;
  a.kernel = {3, 3};
  a.stride = {2, 2};
  a.padding = net::same_padding(1);
  const Tensor y = evaluate(Op::kMaxPool2d, a, {{"x", tensor({1, 1, 3, 3}, {-9, -8, -7, -6, -5, -4, -3, -2, -1})}});
  EXPECT_TRUE(close(y, tensor({1, 1, 2, 2}, {-5, -4, -2, -1}), 0));
}

TEST(Reference, average_pool_counts_padding_only_where_asked) {
  Attrs a;
  a.kernel = {2, 2};
  a.stride = {2, 2};
  a.padding = {1, 0, 1, 0};
  const TensorMap x = {{"x", tensor({1, 1, 3, 3}, {4, 8, 12, 16, 20, 24, 28, 32, 36})}};
  EXPECT_TRUE(close(evaluate(Op::kAvgPool2d, a, x), tensor({1, 1, 2, 2}, {1, 5, 11, 28}), 0));
  a.count_padding = false;
  EXPECT_TRUE(close(evaluate(Op::kAvgPool2d, a, x), tensor({1, 1, 2, 2}, {4, 10, 22, 28}), 0));
}

TEST(Reference, average_pool_never_counts_what_only_ceil_mode_reaches) {
  Attrs a;
  a.kernel = {1, 2};
  a.stride = {1, 2};
  a.ceil_mode = true;
  const TensorMap x = {{"x", tensor({1, 1, 1, 3}, {1, 3, 8})}};
  EXPECT_TRUE(close(evaluate(Op::kAvgPool2d, a, x), tensor({1, 1, 1, 2}, {2, 8}), 0));
  a.padding.right = 1;
  EXPECT_TRUE(close(evaluate(Op::kAvgPool2d, a, x), tensor({1, 1, 1, 2}, {2, 4}), 0));
}

TEST(Reference, means_over_space_and_time) {
  EXPECT_TRUE(
      close(evaluate(Op::kGlobalAvgPool, {}, {{"x", tensor({1, 2, 1, 2}, {1, 3, 10, 20})}}), tensor({1, 2}, {2, 15}), 0));
  EXPECT_TRUE(close(evaluate(Op::kTimeMean, {}, {{"x", tensor({2, 1, 3}, {1, 2, 6, 0, 0, 3})}}), tensor({2, 1}, {3, 1}), 0));
}

TEST(Reference, tuples_of_columns_lie_one_beside_the_other_each_column_whole) {
  Attrs a;
  a.kernel = {1, 2};
  a.indices = {0, 1, 2, 0, 1, 1};
  // Columns (1, 10), (2, 20), (3, 30); the tuples 01, 20 and 11.
  EXPECT_TRUE(close(evaluate(Op::kTimeTuples, a, {{"x", tensor({1, 2, 3}, {1, 2, 3, 10, 20, 30})}}),
                    tensor({1, 4, 3}, {1, 3, 2, 10, 30, 20, 2, 1, 2, 20, 10, 20}), 0));
}

TEST(Reference, batch_norm_uses_the_running_statistics) {
  Attrs a;
  a.epsilon = 1;
  const TensorMap weights = {{"y.weight", tensor({2}, {2, 1})},
                             {"y.bias", tensor({2}, {10, 0})},
                             {"y.running_mean", tensor({2}, {1, 0})},
                             {"y.running_var", tensor({2}, {3, 0})}};
  const Tensor y = evaluate(Op::kBatchNorm, a, {{"x", tensor({1, 2, 1, 2}, {1, 5, -3, 3})}}, weights);
  EXPECT_TRUE(close(y, tensor({1, 2, 1, 2}, {10, 14, -3, 3}), 1e-7));
}

TEST(Reference, rectifiers_and_pairwise_ops) {
  const Tensor x = tensor({1, 4}, {-1, 2, 6, 7}), z = tensor({1, 4}, {3, 0, 5, -8});
  EXPECT_TRUE(close(evaluate(Op::kRelu, {}, {{"x", x}}), tensor({1, 4}, {0, 2, 6, 7}), 0));
  EXPECT_TRUE(close(evaluate(Op::kRelu6, {}, {{"x", x}}), tensor({1, 4}, {0, 2, 6, 6}), 0));
  EXPECT_TRUE(close(evaluate(Op::kAdd, {}, {{"x", x}, {"z", z}}), tensor({1, 4}, {2, 2, 11, -1}), 0));
  EXPECT_TRUE(close(evaluate(Op::kSub, {}, {{"x", x}, {"z", z}}), tensor({1, 4}, {-4, 2, 1, 15}), 0));
  EXPECT_TRUE(close(evaluate(Op::kMul, {}, {{"x", x}, {"z", z}}), tensor({1, 4}, {-3, 0, 30, -56}), 0));
  EXPECT_TRUE(close(evaluate(Op::kMax, {}, {{"x", x}, {"z", z}}), tensor({1, 4}, {3, 2, 6, 7}), 0));
}

TEST(Reference, weighted_sum_takes_its_scalars_from_the_weights) {
  Attrs a;
  a.weights = {1, 1};  // what training starts from, not what it ended with
  const Tensor y = evaluate(Op::kWeightedSum, a, {{"x", tensor({1, 2}, {1, 2})}, {"z", tensor({1, 2}, {10, 20})}},
                            {{"y.weight", tensor({2}, {2, -0.5})}});
  EXPECT_TRUE(close(y, tensor({1, 2}, {-3, -6}), 0));
}

TEST(Reference, concat_joins_the_channels_of_every_row) {
  const Tensor y = evaluate(Op::kConcat, {},
                            {{"x", tensor({2, 1, 2}, {1, 2, 3, 4})}, {"z", tensor({2, 2, 2}, {5, 6, 7, 8, 9, 10, 11, 12})}});
  EXPECT_TRUE(close(y, tensor({2, 3, 2}, {1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}), 0));
}

TEST(Reference, softmax_of_large_scores_is_finite) {
  const float e = std::exp(1.0F);
  const Tensor y = evaluate(Op::kSoftmax, {}, {{"x", tensor({2, 2}, {1000, 1001, 0, -2000})}});
  EXPECT_TRUE(close(y, tensor({2, 2}, {1 / (1 + e), e / (1 + e), 1, 0}), 1e-7));
}

TEST(Reference, flatten_keeps_the_order) {
  const Tensor x = tensor({2, 2, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_TRUE(close(evaluate(Op::kFlatten, {}, {{"x", x}}), x.reshaped({2, 4}), 0));
}

}  // namespace
}  // namespace actio::testing

// Every op against hand-made numbers or naive loops, through the public forward().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "net/infer.h"
#include "nets.h"
#include "support/compare.h"
#include "torch/forward.h"

namespace actio::torch_train {
namespace {

using net::Node;
using net::Op;
using testing::close;
using testing::random_inputs;
using testing::random_weights;
using testing::single_op_net;

Node node(Op op) { return {"op", op, {}, {}}; }

Tensor run(const net::NetSpec& spec, const TensorMap& inputs, const TensorMap& weights = {}) {
  return forward(spec, weights, inputs, {"op"}).at("op");
}

// Applies an op to one or two inputs of [rows, ...].
Tensor apply(Node op, const std::vector<Tensor>& xs, std::int64_t segments = 1, const TensorMap& weights = {}) {
  const Shape row(xs[0].shape().begin() + 1, xs[0].shape().end());
  TensorMap inputs;
  for (std::size_t i = 0; i < xs.size(); ++i) inputs[fmt::format("x{}", i)] = xs[i];
  return run(single_op_net(std::move(op), row, xs.size(), segments), inputs, weights);
}

float at4(const Tensor& t, std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
  return t.data<float>()[((n * t.dim(1) + c) * t.dim(2) + y) * t.dim(3) + x];
}

bool inside(const Tensor& t, std::int64_t y, std::int64_t x) { return y >= 0 && x >= 0 && y < t.dim(2) && x < t.dim(3); }

Tensor naive_conv2d(const net::Attrs& a, const Tensor& x, const Tensor& w, const Tensor* bias, const Shape& out_row) {
  Tensor out({x.dim(0), out_row[0], out_row[1], out_row[2]});
  const std::int64_t per_group_in = x.dim(1) / a.groups, per_group_out = a.channels / a.groups;
  float* p = out.data<float>();
  for (std::int64_t n = 0; n < out.dim(0); ++n)
    for (std::int64_t o = 0; o < out.dim(1); ++o)
      for (std::int64_t y = 0; y < out.dim(2); ++y)
        for (std::int64_t z = 0; z < out.dim(3); ++z) {
          double sum = bias != nullptr ? bias->data<float>()[o] : 0;
          for (std::int64_t c = 0; c < per_group_in; ++c)
            for (std::int64_t i = 0; i < a.kernel[0]; ++i)
              for (std::int64_t j = 0; j < a.kernel[1]; ++j) {
                const std::int64_t yy = y * a.stride[0] - a.padding.top + i * a.dilation[0];
                const std::int64_t zz = z * a.stride[1] - a.padding.left + j * a.dilation[1];
                if (inside(x, yy, zz)) sum += at4(x, n, o / per_group_out * per_group_in + c, yy, zz) * at4(w, o, c, i, j);
              }
          *p++ = static_cast<float>(sum);
        }
  return out;
}

Tensor naive_pool(const net::Attrs& a, const Tensor& x, const Shape& out_row, bool maximum) {
  Tensor out({x.dim(0), out_row[0], out_row[1], out_row[2]});
  float* p = out.data<float>();
  for (std::int64_t n = 0; n < out.dim(0); ++n)
    for (std::int64_t c = 0; c < out.dim(1); ++c)
      for (std::int64_t y = 0; y < out.dim(2); ++y)
        for (std::int64_t z = 0; z < out.dim(3); ++z) {
          double best = -std::numeric_limits<double>::infinity(), sum = 0, count = 0;
          for (std::int64_t i = 0; i < a.kernel[0]; ++i)
            for (std::int64_t j = 0; j < a.kernel[1]; ++j) {
              const std::int64_t yy = y * a.stride[0] - a.padding.top + i * a.dilation[0];
              const std::int64_t zz = z * a.stride[1] - a.padding.left + j * a.dilation[1];
              const bool in = inside(x, yy, zz);
              // A padded element counts; what a last window in ceil mode has beyond the padding does not.
              if (in || (a.count_padding && yy < x.dim(2) + a.padding.bottom && zz < x.dim(3) + a.padding.right)) ++count;
              if (!in) continue;
              sum += at4(x, n, c, yy, zz);
              best = std::max(best, static_cast<double>(at4(x, n, c, yy, zz)));
            }
          *p++ = static_cast<float>(maximum ? best : sum / count);
        }
  return out;
}

struct ConvCase {
  std::int64_t in, out, groups;
  std::array<std::int64_t, 2> kernel, stride, dilation;
  net::Padding padding;
  bool bias;
};

TEST(Ops, conv2d_equals_naive_loops_for_any_window_and_padding) {
  const ConvCase cases[] = {
      {3, 5, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, true},    {3, 4, 1, {7, 5}, {2, 3}, {1, 1}, {3, 3, 2, 2}, false},
      {4, 6, 2, {3, 1}, {1, 2}, {2, 1}, {0, 2, 1, 0}, true},    {6, 6, 6, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, false},
      {6, 6, 6, {3, 3}, {2, 2}, {1, 1}, {0, 1, 0, 1}, true},    {8, 8, 8, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}, false},
      {5, 10, 5, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, true},   {19, 19, 19, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false},
      {40, 40, 40, {3, 3}, {1, 2}, {1, 1}, {2, 0, 1, 3}, true}, {4, 4, 4, {3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}, false},
      {3, 8, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, false},   {6, 8, 1, {1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}, true},
      {6, 4, 2, {1, 1}, {1, 3}, {1, 1}, {0, 0, 0, 0}, true},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const ConvCase& c = cases[i];
    SCOPED_TRACE(i);
    Node op = node(Op::kConv2d);
    op.attrs.channels = c.out;
    op.attrs.kernel = c.kernel;
    op.attrs.stride = c.stride;
    op.attrs.dilation = c.dilation;
    op.attrs.padding = c.padding;
    op.attrs.groups = c.groups;
    op.attrs.bias = c.bias;
    const net::NetSpec spec = single_op_net(op, {c.in, 9, 11});
    const TensorMap weights = random_weights(spec, i), inputs = random_inputs(spec, 2, i);
    const Tensor expected = naive_conv2d(op.attrs, inputs.at("x0"), weights.at("op.weight"),
                                         c.bias ? &weights.at("op.bias") : nullptr, net::infer(spec).at("op").shape);
    EXPECT_TRUE(close(run(spec, inputs, weights), expected, 1e-5));
  }
}

TEST(Ops, conv1d_pads_each_end_as_told) {
  Node op = node(Op::kConv1d);
  op.attrs.channels = 1;
  op.attrs.kernel = {1, 4};
  op.attrs.padding = {0, 0, 1, 2};
  op.attrs.bias = true;
  const Tensor x = Tensor::of({1, 1, 3}, std::vector<float>{1, 2, 3});
  const TensorMap weights = {{"op.weight", Tensor::of({1, 1, 4}, std::vector<float>{1000, 100, 10, 1})},
                             {"op.bias", Tensor::of({1}, std::vector<float>{0.5F})}};
  EXPECT_TRUE(close(apply(op, {x}, 1, weights), Tensor::of({1, 1, 3}, std::vector<float>{123.5F, 1230.5F, 2300.5F}), 1e-6));
}

TEST(Ops, pools_equal_naive_loops_for_any_window_padding_and_rounding) {
  struct PoolCase {
    std::array<std::int64_t, 2> kernel, stride;
    net::Padding padding;
    bool count_padding, ceil_mode;
  };
  const PoolCase cases[] = {
      {{3, 3}, {2, 2}, {1, 1, 1, 1}, true, false}, {{3, 3}, {2, 2}, {1, 1, 1, 1}, false, true},
      {{2, 2}, {2, 2}, {0, 0, 0, 0}, true, true},  {{3, 2}, {2, 3}, {0, 1, 0, 1}, true, false},
      {{3, 3}, {2, 2}, {0, 1, 0, 1}, false, true}, {{3, 3}, {2, 2}, {2, 2, 2, 2}, true, true},
      {{3, 3}, {3, 3}, {2, 0, 0, 2}, true, true},  {{5, 4}, {4, 3}, {2, 1, 3, 0}, false, true},
  };
  for (const Op kind : {Op::kMaxPool2d, Op::kAvgPool2d}) {
    for (std::size_t i = 0; i < std::size(cases); ++i) {
      SCOPED_TRACE(fmt::format("{} case {}", net::op_name(kind), i));
      Node op = node(kind);
      op.attrs.kernel = cases[i].kernel;
      op.attrs.stride = cases[i].stride;
      op.attrs.padding = cases[i].padding;
      op.attrs.count_padding = cases[i].count_padding;
      op.attrs.ceil_mode = cases[i].ceil_mode;
      const net::NetSpec spec = single_op_net(op, {3, 10, 8});
      const TensorMap inputs = random_inputs(spec, 2, i);
      const Tensor expected = naive_pool(op.attrs, inputs.at("x0"), net::infer(spec).at("op").shape, kind == Op::kMaxPool2d);
      EXPECT_TRUE(close(run(spec, inputs), expected, 1e-5));
    }
  }
}

TEST(Ops, elementwise_ops_give_hand_computed_numbers) {
  const Tensor a = Tensor::of({1, 4}, std::vector<float>{-2, 0.5F, 3, 8});
  const Tensor b = Tensor::of({1, 4}, std::vector<float>{1, 4, -3, 0});
  const auto expect = [](const Tensor& actual, std::vector<float> values) {
    EXPECT_TRUE(close(actual, Tensor::of({1, 4}, values), 1e-6));
  };
  expect(apply(node(Op::kRelu), {a}), {0, 0.5F, 3, 8});
  expect(apply(node(Op::kRelu6), {a}), {0, 0.5F, 3, 6});
  expect(apply(node(Op::kAdd), {a, b}), {-1, 4.5F, 0, 8});
  expect(apply(node(Op::kSub), {a, b}), {-3, -3.5F, 6, 8});
  expect(apply(node(Op::kMul), {a, b}), {-2, 2, -9, 0});
  expect(apply(node(Op::kMax), {a, b}), {1, 4, 3, 8});
  expect(apply(node(Op::kDropout), {a}), {-2, 0.5F, 3, 8});
  const double sum = std::exp(-10.0) + std::exp(-7.5) + std::exp(-5.0) + 1;
  expect(apply(node(Op::kSoftmax), {a}),
         {static_cast<float>(std::exp(-10.0) / sum), static_cast<float>(std::exp(-7.5) / sum),
          static_cast<float>(std::exp(-5.0) / sum), static_cast<float>(1 / sum)});
  Node weighted = node(Op::kWeightedSum);
  weighted.attrs.weights = {1, 1};
  expect(apply(weighted, {a, b}, 1, {{"op.weight", Tensor::of({2}, std::vector<float>{2, -1})}}), {-5, -3, 9, 16});
}

TEST(Ops, shape_ops_keep_the_order_of_channels_rows_and_columns) {
  std::vector<float> ramp(12);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i);
  const Tensor x = Tensor::of({1, 3, 2, 2}, ramp);
  EXPECT_TRUE(close(apply(node(Op::kFlatten), {x}), Tensor::of({1, 12}, ramp), 0));
  EXPECT_TRUE(close(apply(node(Op::kGlobalAvgPool), {x}), Tensor::of({1, 3}, std::vector<float>{1.5F, 5.5F, 9.5F}), 1e-6));
  EXPECT_TRUE(close(apply(node(Op::kTimeMean), {Tensor::of({1, 3, 4}, ramp)}),
                    Tensor::of({1, 3}, std::vector<float>{1.5F, 5.5F, 9.5F}), 1e-6));
  Node tuples = node(Op::kTimeTuples);
  tuples.attrs.kernel = {1, 2};
  tuples.attrs.indices = {0, 1, 2, 0, 1, 1};
  EXPECT_TRUE(close(apply(tuples, {Tensor::of({1, 2, 3}, std::vector<float>{1, 2, 3, 10, 20, 30})}),
                    Tensor::of({1, 4, 3}, std::vector<float>{1, 3, 2, 10, 30, 20, 2, 1, 2, 20, 10, 20}), 0));
  std::vector<float> twice = ramp;
  twice.insert(twice.end(), ramp.begin(), ramp.end());
  EXPECT_TRUE(close(apply(node(Op::kConcat), {x, x}), Tensor::of({1, 6, 2, 2}, twice), 0));
}

TEST(Ops, batch_norm_uses_the_running_statistics) {
  Node op = node(Op::kBatchNorm);
  op.attrs.epsilon = 0.75;
  const TensorMap weights = {{"op.weight", Tensor::of({2}, std::vector<float>{2, 3})},
                             {"op.bias", Tensor::of({2}, std::vector<float>{1, -1})},
                             {"op.running_mean", Tensor::of({2}, std::vector<float>{4, 5})},
                             {"op.running_var", Tensor::of({2}, std::vector<float>{0.25F, 3.25F})}};
  const Tensor x = Tensor::of({1, 2, 1, 2}, std::vector<float>{4, 6, 5, 1});
  EXPECT_TRUE(close(apply(op, {x}, 1, weights), Tensor::of({1, 2, 1, 2}, std::vector<float>{1, 5, -1, -7}), 1e-6));
}

TEST(Ops, linear_multiplies_rows_by_the_transposed_weight) {
  Node op = node(Op::kLinear);
  op.attrs.channels = 2;
  op.attrs.bias = true;
  const TensorMap weights = {{"op.weight", Tensor::of({2, 3}, std::vector<float>{1, 10, 100, -1, 0, 1})},
                             {"op.bias", Tensor::of({2}, std::vector<float>{0.5F, 0})}};
  const Tensor x = Tensor::of({1, 3}, std::vector<float>{1, 2, 3});
  EXPECT_TRUE(close(apply(op, {x}, 1, weights), Tensor::of({1, 2}, std::vector<float>{321.5F, 2}), 1e-6));
}

TEST(Ops, segment_ops_read_the_segment_index_fastest) {
  // Two clips of three snippets of two channels.
  const Tensor x = Tensor::of({6, 2}, std::vector<float>{1, 2, 4, 8, 16, 32, 100, 200, 300, 500, 900, 1000});
  EXPECT_TRUE(close(apply(node(Op::kSegmentDiff), {x}, 3),
                    Tensor::of({4, 2}, std::vector<float>{3, 6, 12, 24, 200, 300, 600, 500}), 0));
  EXPECT_TRUE(close(apply(node(Op::kSegmentMean), {x}, 3),
                    Tensor::of({2, 2}, std::vector<float>{7, 14, 1300 / 3.0F, 1700 / 3.0F}), 1e-6));
  EXPECT_TRUE(close(apply(node(Op::kSegmentStack), {x}, 3),
                    Tensor::of({2, 2, 3}, std::vector<float>{1, 4, 16, 2, 8, 32, 100, 300, 900, 200, 500, 1000}), 0));
}

TEST(Ops, segment_ops_work_on_images_and_on_pairs) {
  const net::NetSpec spec = single_op_net(node(Op::kSegmentDiff), {2, 3, 2}, 1, 3);
  const TensorMap inputs = random_inputs(spec, 2, 3);
  const TensorMap values = forward(spec, {}, inputs, {"op", "mean"});
  const float* x = inputs.at("x0").data<float>();
  Tensor difference({4, 2, 3, 2}), mean({2, 12});
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t i = 0; i < 12; ++i) {
      for (std::int64_t k = 0; k < 2; ++k) {
        difference.data<float>()[(n * 2 + k) * 12 + i] = x[(n * 3 + k + 1) * 12 + i] - x[(n * 3 + k) * 12 + i];
      }
      mean.data<float>()[n * 12 + i] = (x[(n * 3 + 2) * 12 + i] - x[n * 3 * 12 + i]) / 2;
    }
  EXPECT_TRUE(close(values.at("op"), difference, 1e-6));
  EXPECT_TRUE(close(values.at("mean"), mean, 1e-6));
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Forward, names_the_tensor_and_both_values_when_weights_or_inputs_do_not_fit) {
  const net::NetSpec spec = testing::inverted_residual_net();
  const TensorMap weights = random_weights(spec, 1), inputs = random_inputs(spec, 1, 1);
  const auto run_with = [&](const TensorMap& w, const TensorMap& x) {
    return message_of([&] { forward(spec, w, x, {"output"}); });
  };
  TensorMap wrong = weights;
  wrong["rgb.c0.weight"] = Tensor({8, 4, 3, 3});
  EXPECT_EQ(run_with(wrong, inputs), "rgb.c0.weight: expected shape [8, 3, 3, 3], got [8, 4, 3, 3]");
  wrong.erase("rgb.c0.weight");
  EXPECT_EQ(run_with(wrong, inputs), "rgb.c0.weight: the weights have no such tensor");
  wrong["rgb.c0.weight"] = Tensor({8, 3, 3, 3}, DType::kF16);
  EXPECT_EQ(run_with(wrong, inputs), "rgb.c0.weight: expected f32, got f16");
  EXPECT_EQ(run_with(weights, {}), "rgb: the batch has no such input");
  EXPECT_EQ(run_with(weights, {{"rgb", Tensor({3, 3, 16, 15})}}),
            "rgb: expected rows of shape [3, 16, 14], got a batch of shape [3, 3, 16, 15]");
  EXPECT_EQ(run_with(weights, {{"rgb", Tensor({4, 3, 16, 14})}}), "rgb: expected a multiple of 3 rows, got 4");
  EXPECT_EQ(run_with(weights, {{"rgb", Tensor({0, 3, 16, 14})}}), "rgb: expected a multiple of 3 rows, got 0");
  EXPECT_THAT(message_of([&] { forward(spec, weights, inputs, {"outputs"}); }), ::testing::HasSubstr("'output'"));
}

TEST(Forward, leaves_the_weights_and_inputs_unchanged) {
  const net::NetSpec spec = testing::residual_net();
  const TensorMap weights = random_weights(spec, 1), inputs = random_inputs(spec, 2, 1);
  const Tensor running = weights.at("rgb.conv1_bn.running_mean").clone(), rgb = inputs.at("rgb").clone();
  forward(spec, weights, inputs, {"output"});
  loss_gradients(spec, weights, inputs, {0, 1});
  EXPECT_TRUE(close(weights.at("rgb.conv1_bn.running_mean"), running, 0));
  EXPECT_TRUE(close(inputs.at("rgb"), rgb, 0));
}

}  // namespace
}  // namespace actio::torch_train

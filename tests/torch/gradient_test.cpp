// Gradients against finite differences in double precision, and what training mode does to batch norms and dropout.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "nets.h"
#include "support/compare.h"
#include "torch/graph/convert.h"
#include "torch/forward.h"
#include "torch/graph/graph.h"
#include "torch/trainer/losses.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train {
namespace {

using testing::close;
using testing::NamedNet;
using testing::random_inputs;
using testing::random_weights;

constexpr std::int64_t kClips = 3;

std::vector<std::int64_t> some_labels() { return {1, 4, 0}; }

double loss_of(Graph& graph, const TensorMap& inputs) {
  const Graph::Values values = graph.run(inputs, loss_nodes(graph.spec()), {.training = true});
  return total_loss(graph.spec(), values, check_labels(graph.spec(), values, some_labels(), {})).item<double>();
}

TEST(Gradients, agree_with_finite_differences_in_every_parameter_of_every_small_net) {
  for (const NamedNet& net : testing::small_nets()) {
    SCOPED_TRACE(net.name);
    const TensorMap inputs = random_inputs(net.spec, kClips, 7);
    Graph graph(net.spec, random_weights(net.spec, 5), {.dtype = at::kDouble});
    const Graph::Values values = graph.run(inputs, loss_nodes(net.spec), {.training = true, .gradients = true});
    total_loss(net.spec, values, check_labels(net.spec, values, some_labels(), {})).backward();
    Rng rng(11);
    for (Parameter& parameter : graph.parameters()) {
      if (!parameter.info.trainable) continue;
      SCOPED_TRACE(parameter.info.name);
      ASSERT_TRUE(parameter.tensor.grad().defined());
      const at::Tensor gradient = parameter.tensor.grad().contiguous().flatten();
      const at::Tensor saved = parameter.tensor.detach().clone();
      for (int trial = 0; trial < 3; ++trial) {
        const std::int64_t place = rng.below(gradient.numel());
        constexpr double kStep = 1e-6;
        const auto moved = [&](double by) {
          at::Tensor change = at::zeros(parameter.info.shape, saved.options()).contiguous();
          change.view(-1)[place] = by;
          parameter.tensor.detach().copy_(saved + change);
          return loss_of(graph, inputs);
        };
        const double expected = (moved(kStep) - moved(-kStep)) / (2 * kStep);
        EXPECT_NEAR(gradient[place].item<double>(), expected, 1e-5 * std::max(1.0, std::fabs(expected)))
            << "element " << place;
      }
      parameter.tensor.detach().copy_(saved);
    }
  }
}

TEST(Gradients, in_f32_equal_those_in_double_precision) {
  for (const NamedNet& net : testing::small_nets()) {
    SCOPED_TRACE(net.name);
    const TensorMap inputs = random_inputs(net.spec, kClips, 7), weights = random_weights(net.spec, 5);
    Graph graph(net.spec, weights, {.dtype = at::kDouble});
    const Graph::Values values = graph.run(inputs, loss_nodes(net.spec), {.training = true, .gradients = true});
    total_loss(net.spec, values, check_labels(net.spec, values, some_labels(), {})).backward();
    const Gradients actual = loss_gradients(net.spec, weights, inputs, some_labels());
    for (const Parameter& parameter : graph.parameters()) {
      if (!parameter.info.trainable) continue;
      SCOPED_TRACE(parameter.info.name);
      const at::Tensor expected = parameter.tensor.grad();
      const at::Tensor difference =
          at::from_blob(const_cast<float*>(actual.gradients.at(parameter.info.name).data<float>()), parameter.info.shape)
              .to(at::kDouble) -
          expected;
      // A bias in front of a batch norm has no effect, so that its gradient is rounding noise: hence the constant.
      EXPECT_LE(difference.abs().max().item<double>(), 1e-4 * expected.abs().max().item<double>() + 1e-6);
    }
  }
}

TEST(Gradients, are_finite_and_not_zero_for_every_trainable_parameter) {
  for (const NamedNet& net : testing::small_nets()) {
    const Gradients result =
        loss_gradients(net.spec, random_weights(net.spec, 1), random_inputs(net.spec, kClips, 2), some_labels());
    EXPECT_TRUE(std::isfinite(result.loss));
    std::size_t trainable = 0;
    for (const net::ParamInfo& info : net::parameters(net.spec)) {
      if (!info.trainable) continue;
      ++trainable;
      double largest = 0;
      for (const float value : result.gradients.at(info.name).values<float>()) {
        ASSERT_TRUE(std::isfinite(value)) << info.name;
        largest = std::max(largest, std::fabs(static_cast<double>(value)));
      }
      EXPECT_GT(largest, 0) << net.name << " " << info.name;
    }
    EXPECT_EQ(result.gradients.size(), trainable);
  }
}

TEST(Gradients, in_bf16_point_the_same_way_as_in_f32) {
  for (const NamedNet& net : testing::small_nets()) {
    SCOPED_TRACE(net.name);
    const TensorMap inputs = random_inputs(net.spec, kClips, 7), weights = random_weights(net.spec, 5);
    const auto gradients = [&](bool bf16) {
      Graph graph(net.spec, weights, {.bf16 = bf16});
      const Graph::Values values = graph.run(inputs, loss_nodes(net.spec), {.training = true, .gradients = true});
      total_loss(net.spec, values, check_labels(net.spec, values, some_labels(), {})).backward();
      std::vector<at::Tensor> all;
      for (const Parameter& parameter : graph.parameters()) {
        if (parameter.info.trainable) all.push_back(parameter.tensor.grad().to(at::kDouble).flatten());
      }
      return at::cat(all);
    };
    const at::Tensor full = gradients(false), half = gradients(true);
    EXPECT_GT((full.dot(half) / (full.norm() * half.norm())).item<double>(), 0.98);
    EXPECT_NEAR((half.norm() / full.norm()).item<double>(), 1, 0.1);
  }
}

TEST(BatchNorm, in_training_normalises_by_the_batch_and_moves_the_running_statistics) {
  net::Node op{"op", net::Op::kBatchNorm, {}, {}};
  op.attrs.momentum = 0.25;
  op.attrs.epsilon = 0;
  const net::NetSpec spec = testing::single_op_net(op, {1, 1, 2});
  TensorMap weights = {{"op.weight", Tensor::of({1}, std::vector<float>{2})},
                       {"op.bias", Tensor::of({1}, std::vector<float>{1})},
                       {"op.running_mean", Tensor::of({1}, std::vector<float>{8})},
                       {"op.running_var", Tensor::of({1}, std::vector<float>{4})}};
  Graph graph(spec, weights);
  // Mean 2, variance 5 over the batch and 20/3 unbiased.
  const TensorMap inputs = {{"x0", Tensor::of({2, 1, 1, 2}, std::vector<float>{-1, 1, 3, 5})}};
  const Tensor out = from_torch(graph.run(inputs, {"op"}, {.training = true}).at("op"));
  const float s = 2 / std::sqrt(5.0F);
  EXPECT_TRUE(close(out, Tensor::of({2, 1, 1, 2}, std::vector<float>{1 - 3 * s, 1 - s, 1 + s, 1 + 3 * s}), 1e-5));
  graph.store(weights);
  EXPECT_TRUE(close(weights.at("op.running_mean"), Tensor::of({1}, std::vector<float>{6.5F}), 1e-6));
  EXPECT_TRUE(close(weights.at("op.running_var"), Tensor::of({1}, std::vector<float>{3 + 5.0F / 3}), 1e-6));
}

TEST(BatchNorm, refuses_to_train_on_one_value_per_channel) {
  const net::NetSpec spec = testing::single_op_net({"op", net::Op::kBatchNorm, {}, {}}, {4});
  try {
    loss_gradients(spec, random_weights(spec, 1), random_inputs(spec, 1, 1), {0});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "op: batch_norm needs at least 2 values per channel to train, got 1; use a larger batch");
  }
}

TEST(Dropout, zeroes_its_share_keeps_the_mean_and_repeats_with_its_seed) {
  net::Node op{"op", net::Op::kDropout, {}, {}};
  op.attrs.probability = 0.8;
  const net::NetSpec spec = testing::single_op_net(op, {20000});
  Graph graph(spec, {});
  Tensor ones({1, 20000});
  for (float& value : ones.values<float>()) value = 1;
  const auto run = [&](std::uint64_t seed) {
    at::Generator generator = make_generator(at::kCPU, seed);
    return graph.run({{"x0", ones}}, {"op"}, {.training = true, .dropout = &generator}).at("op");
  };
  const at::Tensor first = run(1);
  EXPECT_NEAR(first.eq(0).to(at::kDouble).mean().item<double>(), 0.8, 0.01);
  EXPECT_NEAR(first.mean().item<double>(), 1, 0.05);
  EXPECT_TRUE(at::equal(first, run(1)));
  EXPECT_FALSE(at::equal(first, run(2)));
}

}  // namespace
}  // namespace actio::torch_train

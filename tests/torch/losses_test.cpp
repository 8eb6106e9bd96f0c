// The objective on scores made by hand.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "nets.h"
#include "torch/trainer/losses.h"

namespace actio::torch_train {
namespace {

// Two streams of logits over two classes, their probabilities averaged: STFN's two heads.
net::NetSpec two_heads(bool trainable) {
  net::NetSpec spec;
  spec.name = "two_heads";
  for (const char* stream : {"a", "m"}) {
    const std::string name = stream;
    spec.nodes.push_back({name, net::Op::kInput, {}, {}});
    spec.nodes.back().attrs.shape = {2};
    spec.nodes.push_back({name + ".clip", net::Op::kSegmentMean, {name}, {}});
    spec.nodes.push_back({name + ".probabilities", net::Op::kSoftmax, {name + ".clip"}, {}});
  }
  spec.nodes.push_back({"output", net::Op::kWeightedSum, {"a.probabilities", "m.probabilities"}, {}});
  spec.nodes.back().attrs.weights = {0.25, 0.75};
  spec.nodes.back().attrs.trainable = trainable;
  spec.heads = {{"stfn", "output", net::HeadLoss::kNll}};
  spec.scores = spec.output = "output";
  return spec;
}

Graph::Values values_of(const at::Tensor& a, const at::Tensor& m) {
  return {{"a.clip", a}, {"m.clip", m}, {"output", 0.25 * at::softmax(a, 1) + 0.75 * at::softmax(m, 1)}};
}

at::Tensor logits(double first, double second) {
  return at::tensor({first, second}, at::kFloat).reshape({1, 2}).requires_grad_(true);
}

TEST(Losses, of_a_mixture_are_the_negative_logarithm_of_its_probability) {
  const at::Tensor labels = at::tensor({1}, at::kLong);
  const auto loss = [&](const net::NetSpec& spec) {
    return total_loss(spec, values_of(logits(0.3, -0.9), logits(-1.2, 0.4)), labels).item<double>();
  };
  const double a = std::exp(-0.9) / (std::exp(0.3) + std::exp(-0.9)), m = std::exp(0.4) / (std::exp(-1.2) + std::exp(0.4));
  EXPECT_NEAR(loss(two_heads(false)), -std::log(0.25 * a + 0.75 * m), 1e-6);
  EXPECT_NEAR(loss(two_heads(true)), -std::log(0.25 * a + 0.75 * m), 1e-6);
}

TEST(Losses, of_a_mixture_pull_even_a_clip_that_both_heads_place_far_off) {
  const at::Tensor a = logits(90, 0), m = logits(100, 0);
  const at::Tensor loss = total_loss(two_heads(false), values_of(a, m), at::tensor({1}, at::kLong));
  EXPECT_NEAR(loss.item<double>(), 90 - std::log(0.25), 1e-3);
  loss.backward();
  EXPECT_NEAR(a.grad()[0][0].item<double>(), 1, 1e-3);  // of the head that is nearer to the truth
  EXPECT_NEAR(a.grad()[0][1].item<double>(), -1, 1e-3);
}

}  // namespace
}  // namespace actio::torch_train

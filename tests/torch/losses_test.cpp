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

// Of one head, softmax(0.6, -1.4) at temperature 2 is softmax(0.3, -0.7).
TEST(Losses, with_a_teacher_are_those_of_the_label_and_of_the_teachers_answers_each_by_its_share) {
  net::NetSpec spec = two_heads(false);
  spec.heads = {{"a", "a.clip", net::HeadLoss::kCrossEntropy}};
  const at::Tensor labels = at::tensor({1}, at::kLong), teacher = at::tensor({0.9, 0.1}, at::kFloat).reshape({1, 2});
  LossOptions options;
  options.teacher_weight = 0.3;
  options.teacher_temperature = 2;
  const at::Tensor a = logits(0.6, -1.4);
  const at::Tensor loss = total_loss(spec, values_of(a, logits(0, 0)), labels, options, teacher);
  const double p = 1 / (1 + std::exp(-2.0)), cool = 1 / (1 + std::exp(-1.0));
  const double divergence = 0.9 * std::log(0.9 / cool) + 0.1 * std::log(0.1 / (1 - cool));
  EXPECT_NEAR(loss.item<double>(), 0.7 * -std::log(1 - p) + 0.3 * 4 * divergence, 1e-5);
  loss.backward();
  EXPECT_NEAR(a.grad()[0][0].item<double>(), 0.7 * p + 0.3 * 2 * (cool - 0.9), 1e-5);
}

TEST(Losses, of_a_mixture_follow_a_teacher_too) {
  const at::Tensor labels = at::tensor({1}, at::kLong), teacher = at::tensor({0.75, 0.25}, at::kFloat).reshape({1, 2});
  LossOptions options;
  options.teacher_weight = 1;
  const double even = std::log(3.0);  // both heads give 0.75
  EXPECT_NEAR(total_loss(two_heads(false), values_of(logits(even, 0), logits(even, 0)), labels, options, teacher).item<double>(), 0, 1e-6);
  EXPECT_GT(total_loss(two_heads(false), values_of(logits(even, 0), logits(0, even)), labels, options, teacher).item<double>(), 0.01);
}

}  // namespace
}  // namespace actio::torch_train

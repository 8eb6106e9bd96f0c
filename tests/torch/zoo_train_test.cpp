// Every network of the zoo learns: three steps on a tiny batch lower its loss, and a gradient reaches every parameter.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "net/initialise.h"
#include "support/zoo_variants.h"
#include "torch/graph/graph.h"
#include "torch/trainer/losses.h"
#include "torch/trainer/optimizer.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {
namespace {

using testing::ZooVariant;
using testing::ZooVariants;

constexpr std::int64_t kTinyBatch = 4;

double loss_and_gradients(Graph& graph, const TensorMap& inputs) {
  const Graph::Values values = graph.run(inputs, loss_nodes(graph.spec()), {.training = true, .gradients = true});
  const at::Tensor loss = total_loss(graph.spec(), values, check_labels(graph.spec(), values, {0, 1, 2, 3}, {}));
  loss.backward();
  return loss.item<double>();
}

void expect_gradients(Graph& graph) {
  for (const Parameter& parameter : graph.parameters()) {
    if (!parameter.info.trainable) continue;
    const at::Tensor& gradient = parameter.tensor.grad();
    ASSERT_TRUE(gradient.defined()) << parameter.info.name;
    EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << parameter.info.name;
    EXPECT_GT(gradient.norm().item<double>(), 0) << parameter.info.name;
  }
}

void expect_learning(const ZooVariant& variant) {
  SCOPED_TRACE(variant.name);
  const net::NetSpec spec = variant.spec();
  TensorMap weights;
  net::initialise(spec, nullptr, 1, weights);
  Graph graph(spec, weights);
  const TensorMap inputs = testing::random_clips(spec, kTinyBatch);
  TrainOptions options;
  options.learning_rate = 0.004;
  options.momentum = 0;
  options.weight_decay = 0;
  options.clip_gradient = 1;
  Optimizer optimizer(graph.parameters(), options);
  double first = 0;
  for (int step = 0; step < 3; ++step) {
    const double loss = loss_and_gradients(graph, inputs);
    if (step == 0) {
      first = loss;
      expect_gradients(graph);
    }
    optimizer.step(1, optimizer.gradient_norm());
  }
  const double last = loss_and_gradients(graph, inputs);
  EXPECT_TRUE(std::isfinite(last));
  EXPECT_LT(last, first);
}

class ZooTraining : public ::testing::TestWithParam<const char*> {};

// By network, so that one slow test does not hold up the others.
TEST_P(ZooTraining, lowers_the_loss_and_reaches_every_parameter_in_every_variant) {
  int count = 0;
  for (const ZooVariant& variant : ZooVariants::all()) {
    if (name_of(variant.options.network) != GetParam()) continue;
    expect_learning(variant);
    ++count;
  }
  EXPECT_GT(count, 0);
}

INSTANTIATE_TEST_SUITE_P(Networks, ZooTraining, ::testing::Values("two_stream", "tsn", "trn", "st_fusion", "stfn", "if_ttn"),
                         [](const auto& param) { return std::string(param.param); });

// A TTN's batch norms see differences of fused features, and STFN's blocks sequences: neither has seen them in any first weights.
TEST(ZooTrainingOf, partial_bn_leaves_one_batch_norm_of_each_stream_free_and_all_of_other_parts) {
  for (const ZooVariant& variant : ZooVariants::all()) {
    SCOPED_TRACE(variant.name);
    const net::NetSpec spec = variant.spec();
    TensorMap weights;
    net::initialise(spec, nullptr, 1, weights);
    Graph graph(spec, weights);
    graph.freeze_batch_norms();
    std::map<std::string, int> free, held;
    for (const Parameter& parameter : graph.parameters()) {
      if (parameter.info.role != net::ParamRole::kScale) continue;
      const std::string part = parameter.info.node.substr(0, parameter.info.node.find('.'));
      ++(parameter.tensor.requires_grad() ? free : held)[part];
    }
    for (const auto& [part, count] : free) {
      const bool stream = spec.has_input(part);
      EXPECT_EQ(stream ? count : 1, 1) << part;
      EXPECT_TRUE(stream || held[part] == 0) << part;
    }
    for (const auto& [part, count] : held) EXPECT_TRUE(count == 0 || spec.has_input(part)) << part;
    EXPECT_GT(held.size(), 0U);
  }
}

TEST(ZooTrainingOf, an_auxiliary_head_reaches_its_classifier) {
  ZooVariant variant = ZooVariants::plain("tsn");
  variant.options.backbone = net::BackboneKind::kInceptionV3;
  variant.options.aux_head = true;
  variant.options.segments = 1;
  variant.options.streams = "rgb";
  variant.preprocess.input_size = 299;
  expect_learning(variant);
}

}  // namespace
}  // namespace actio::torch_train

#include "net/head_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "net/initialise.h"
#include "net/zoo.h"

namespace actio::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

NetSpec network(NetworkKind kind, const std::string& streams = "both") {
  NetworkOptions options;
  options.network = kind;
  options.backbone = BackboneKind::kResnet18;
  options.width = 0.125;
  options.classes = 3;
  options.segments = 2;
  options.streams = streams;
  return build_network(options, Preprocess{.input_size = 32, .motion = Motion::kVectors});
}

std::vector<std::string> names(const NetSpec& spec) {
  std::vector<std::string> names;
  for (const Head& head : fused_heads(spec)) names.push_back(head.name);
  return names;
}

TEST(HeadWeights, are_those_of_networks_that_add_up_logits) {
  EXPECT_THAT(names(network(NetworkKind::kIfTtn)), ElementsAre("rgb", "motion", "ttn"));
  EXPECT_THAT(names(network(NetworkKind::kTsn, "rgb,flow,mv")), ElementsAre("rgb", "flow", "mv"));
  EXPECT_THAT(names(network(NetworkKind::kStFusion)), ElementsAre("rgb", "motion"));
  EXPECT_THAT(names(network(NetworkKind::kTsn, "rgb")), IsEmpty()) << "one head has nothing to be weighed against";
  EXPECT_THAT(names(network(NetworkKind::kTwoStream)), IsEmpty()) << "probabilities are averaged";
  EXPECT_THAT(names(network(NetworkKind::kStfn)), IsEmpty());
}

TEST(HeadWeights, are_in_the_definition_and_in_the_weights) {
  NetSpec spec = network(NetworkKind::kIfTtn);
  TensorMap weights;
  initialise(spec, nullptr, 1, weights);
  set_head_weights(spec, weights, {0.25, 2, 0});
  EXPECT_THAT(spec.node(spec.scores).attrs.weights, ElementsAre(0.25, 2, 0));
  EXPECT_THAT(weights.at("scores.weight").values<float>(), ElementsAre(0.25F, 2.0F, 0.0F));
  EXPECT_NO_THROW(check_weights(spec, weights));
  EXPECT_THROW(set_head_weights(spec, weights, {1}), Error);
}

}  // namespace
}  // namespace actio::net

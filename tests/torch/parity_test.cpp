// The same network and weights through LibTorch and through the runtime's reference backend.
#include <gtest/gtest.h>

#include <set>

#include "core/rng.h"
#include "net/infer.h"
#include "net/zoo.h"
#include "nets.h"
#include "runtime/compile.h"
#include "support/compare.h"
#include "torch/forward.h"

namespace actio::torch_train {
namespace {

using testing::range_error;

void expect_parity(const net::NetSpec& spec, std::int64_t clips, double allowed) {
  const TensorMap weights = testing::random_weights(spec, 3), inputs = testing::random_inputs(spec, clips, 4);
  const auto classifier = runtime::compile(spec, weights, {.backend = "reference", .threads = 1});
  const TensorMap expected = classifier->run(inputs);
  std::vector<std::string> nodes;
  for (const auto& [name, value] : expected) nodes.push_back(name);
  EXPECT_TRUE(expected.contains(spec.output));
  const TensorMap actual = forward(spec, weights, inputs, nodes);
  for (const auto& [name, value] : expected)
    EXPECT_LT(range_error(actual.at(name), value), allowed) << spec.name << " " << name;
}

TEST(Parity, small_nets_give_the_same_scores_as_the_reference) {
  for (const testing::NamedNet& net : testing::small_nets()) {
    for (const std::int64_t clips : {1, 3}) expect_parity(net.spec, clips, 1e-4);
  }
}

TEST(Parity, every_network_of_the_zoo_gives_the_same_scores_as_the_reference) {
  for (const std::string& network : net::network_names()) {
    for (const std::string backbone : {"resnet18", "mobilenet_v2"}) {
      SCOPED_TRACE(network + " on " + backbone);
      Preprocess preprocess;
      preprocess.input_size = 32;
      preprocess.motion = Motion::kVectors;
      preprocess.motion_length = 2;
      net::NetworkOptions options;
      options.network = value_named<net::NetworkKind>("network", network);
      options.backbone = value_named<net::BackboneKind>("backbone", backbone);
      options.width = 0.25;
      options.segments = 3;
      options.classes = 7;
      options.padding = backbone == "resnet18" ? net::PaddingKind::kTorch : net::PaddingKind::kSame;
      expect_parity(net::build_network(options, preprocess), 2, 1e-4);
    }
  }
}

}  // namespace
}  // namespace actio::torch_train

#include "net/initialise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "net/infer.h"
#include "net/weights.h"
#include "weights_fixture.h"
#include "support/shared_data.h"

namespace actio::net {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

double deviation(const Tensor& tensor) {
  double sum = 0;
  for (const float value : tensor.values<float>()) sum += static_cast<double>(value) * value;
  return std::sqrt(sum / static_cast<double>(tensor.numel()));
}

Attrs& attrs_of(NetSpec& spec, const std::string& name) {
  for (Node& node : spec.nodes) {
    if (node.name == name) return node.attrs;
  }
  throw std::out_of_range(name);
}

// torchvision's names: without the prefix of the network.
TensorMap published_weights(std::int64_t classes) {
  return {{"conv1.weight", counting({4, 3, 3, 3}, 1)},
          {"bn1.weight", counting({4}, 2)},
          {"bn1.bias", counting({4}, 3)},
          {"bn1.running_mean", counting({4}, 4)},
          {"bn1.running_var", counting({4}, 5)},
          {"fc.weight", counting({classes, 4}, 6)},
          {"fc.bias", counting({classes}, 7)},
          {"bn1.num_batches_tracked", Tensor({}, DType::kI64)}};
}

TEST(Initialise, fills_every_parameter_with_the_right_shape) {
  TensorMap weights = {{"left over", Tensor({1})}};
  const InitReport report = initialise(small_spec(), nullptr, 1, weights);
  EXPECT_NO_THROW(check_weights(small_spec(), weights));
  EXPECT_EQ(report.fresh.size(), parameters(small_spec()).size());
  EXPECT_THAT(report.loaded, IsEmpty());
  EXPECT_THAT(report.unused, IsEmpty());
}

TEST(Initialise, draws_fresh_values_as_documented) {
  NetSpec spec = small_spec();
  attrs_of(spec, "rgb.conv1").channels = 256;
  attrs_of(spec, "rgb.conv1").bias = true;
  attrs_of(spec, "rgb.fc").channels = 100;
  TensorMap weights;
  initialise(spec, nullptr, 1, weights);
  const Tensor& conv = weights.at("rgb.conv1.weight");
  EXPECT_NEAR(deviation(conv), std::sqrt(2.0 / (256 * 9)), 0.03 * std::sqrt(2.0 / (256 * 9)));
  const auto values = conv.values<float>();
  EXPECT_NEAR(std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(conv.numel()), 0, 0.001);
  EXPECT_NEAR(deviation(weights.at("rgb.fc.weight")), 0.01, 0.0003);
  EXPECT_EQ(floats(weights.at("rgb.conv1.bias")), std::vector<float>(256, 0));
  EXPECT_EQ(floats(weights.at("rgb.fc.bias")), std::vector<float>(100, 0));
  EXPECT_EQ(floats(weights.at("rgb.bn1.weight")), std::vector<float>(256, 1));
  EXPECT_EQ(floats(weights.at("rgb.bn1.bias")), std::vector<float>(256, 0));
  EXPECT_EQ(floats(weights.at("rgb.bn1.running_mean")), std::vector<float>(256, 0));
  EXPECT_EQ(floats(weights.at("rgb.bn1.running_var")), std::vector<float>(256, 1));
  EXPECT_EQ(floats(weights.at("fusion.weight")), (std::vector<float>{0.25, 0.75}));
}

TEST(Initialise, depends_on_the_seed_and_the_name_alone) {
  TensorMap first, second, other_seed, other_network;
  initialise(small_spec(3, 2), nullptr, 1, first);
  initialise(small_spec(3, 2), nullptr, 1, second);
  initialise(small_spec(3, 2), nullptr, 2, other_seed);
  initialise(small_spec(3, 50), nullptr, 1, other_network);
  EXPECT_TRUE(same(first.at("rgb.fc.weight"), second.at("rgb.fc.weight")));
  EXPECT_FALSE(same(first.at("rgb.fc.weight"), other_seed.at("rgb.fc.weight")));
  EXPECT_TRUE(same(first.at("rgb.conv1.weight"), other_network.at("rgb.conv1.weight")));
  TensorMap renamed;
  initialise(small_spec(3, 2, "motion"), nullptr, 1, renamed);
  EXPECT_FALSE(same(first.at("rgb.conv1.weight"), renamed.at("motion.conv1.weight")));
}

TEST(Initialise, takes_published_weights_by_name_without_the_prefix) {
  const TensorMap source = published_weights(2);
  TensorMap weights;
  const InitReport report = initialise(small_spec(), &source, 1, weights);
  EXPECT_THAT(report.fresh, ElementsAre("fusion.weight"));
  EXPECT_THAT(report.unused, IsEmpty());
  EXPECT_EQ(report.loaded.size(), 7U);
  for (const char* name : {"conv1.weight", "bn1.running_var", "fc.weight", "fc.bias"}) {
    EXPECT_TRUE(same(weights.at(std::string("rgb.") + name), source.at(name))) << name;
  }
}

TEST(Initialise, keeps_the_weights_of_a_late_fusion_whatever_the_source_holds) {
  NetSpec spec = small_spec();
  for (Node& node : spec.nodes) node.attrs.trainable = node.op != Op::kWeightedSum;
  for (const Shape& shape : {Shape{2}, Shape{3}}) {
    TensorMap source = published_weights(2);
    source["fusion.weight"] = counting(shape, 7);
    TensorMap weights;
    const InitReport report = initialise(spec, &source, 1, weights);
    EXPECT_EQ(floats(weights.at("fusion.weight")), (std::vector<float>{0.25, 0.75}));
    EXPECT_THAT(report.fresh, ElementsAre("fusion.weight"));
  }
}

TEST(Initialise, prefers_the_full_name_and_lists_what_no_parameter_took) {
  TensorMap source = published_weights(2);
  source["rgb.bn1.bias"] = counting({4}, 100);
  source["layer9.weight"] = counting({1});
  TensorMap weights;
  const InitReport report = initialise(small_spec(), &source, 1, weights);
  EXPECT_EQ(floats(weights.at("rgb.bn1.bias")), (std::vector<float>{100, 101, 102, 103}));
  EXPECT_THAT(report.unused, UnorderedElementsAre("bn1.bias", "layer9.weight"));
}

TEST(Initialise, copies_so_that_source_and_network_share_nothing) {
  const TensorMap source = published_weights(2);
  TensorMap weights;
  initialise(small_spec(), &source, 1, weights);
  weights.at("rgb.bn1.bias").values<float>()[0] = -9;
  EXPECT_EQ(source.at("bn1.bias").values<float>()[0], 3);
}

TEST(Initialise, starts_a_motion_network_from_the_mean_over_the_colour_channels) {
  const TensorMap source = published_weights(2);
  TensorMap weights;
  const InitReport report = initialise(small_spec(10, 2, "motion"), &source, 1, weights);
  EXPECT_THAT(report.loaded, Contains("motion.conv1.weight"));
  const Tensor& conv = weights.at("motion.conv1.weight");
  ASSERT_EQ(conv.shape(), (Shape{4, 10, 3, 3}));
  const float* from = source.at("conv1.weight").data<float>();
  for (std::int64_t output = 0; output < 4; ++output) {
    for (std::int64_t i = 0; i < 9; ++i) {
      const float mean = (from[output * 27 + i] + from[output * 27 + 9 + i] + from[output * 27 + 18 + i]) / 3;
      for (std::int64_t channel = 0; channel < 10; ++channel) {
        EXPECT_FLOAT_EQ(conv.values<float>()[static_cast<std::size_t>((output * 10 + channel) * 9 + i)], mean);
      }
    }
  }
}

TEST(Initialise, makes_a_classifier_for_other_classes_fresh_as_a_whole) {
  TensorMap source = published_weights(1000);
  TensorMap weights;
  InitReport report = initialise(small_spec(), &source, 1, weights);
  EXPECT_THAT(report.fresh, UnorderedElementsAre("fusion.weight", "rgb.fc.weight", "rgb.fc.bias"));
  EXPECT_THAT(report.unused, UnorderedElementsAre("fc.weight", "fc.bias"));
  source = published_weights(2);
  source["fc.weight"] = counting({2, 8});
  report = initialise(small_spec(), &source, 1, weights);
  EXPECT_THAT(report.fresh, Contains("rgb.fc.bias"));
  EXPECT_EQ(floats(weights.at("rgb.fc.bias")), (std::vector<float>{0, 0}));
}

TEST(Initialise, rejects_any_other_shape_naming_both) {
  const auto refusal = [](const std::string& name, Shape shape, std::int64_t channels = 3) {
    TensorMap source = published_weights(2);
    source[name] = Tensor(std::move(shape));
    TensorMap weights = {{"kept", Tensor({1})}};
    const std::string message = message_of([&] { initialise(small_spec(channels), &source, 1, weights); });
    EXPECT_TRUE(weights.contains("kept"));
    return message;
  };
  EXPECT_THAT(refusal("bn1.bias", {5}),
              AllOf(HasSubstr("rgb.bn1.bias: expected shape [4]"), HasSubstr("'bn1.bias' has [5]")));
  EXPECT_THAT(refusal("conv1.weight", {4, 3, 5, 5}), HasSubstr("rgb.conv1.weight: expected shape [4, 3, 3, 3]"));
  EXPECT_THAT(refusal("conv1.weight", {4, 3, 5, 5}, 10), HasSubstr("expected shape [4, 10, 3, 3]"));
  EXPECT_THAT(refusal("conv1.weight", {4, 20, 3, 3}, 10), HasSubstr("'conv1.weight' has [4, 20, 3, 3]"));
  EXPECT_THAT(refusal("rgb.conv1.weight", {}), HasSubstr("'rgb.conv1.weight' has []"));
}

TEST(Initialise, rejects_values_that_are_not_finite_f32) {
  TensorMap source = published_weights(2);
  source.at("bn1.running_var").values<float>()[2] = NAN;
  TensorMap weights;
  EXPECT_THAT(message_of([&] { initialise(small_spec(), &source, 1, weights); }),
              HasSubstr("tensor 'bn1.running_var': element 2 is nan"));
  source = published_weights(2);
  source["bn1.bias"] = Tensor({4}, DType::kF16);
  EXPECT_THAT(message_of([&] { initialise(small_spec(), &source, 1, weights); }), HasSubstr("holds f16, f32 was expected"));
}

TEST(LoadStrict, takes_exactly_the_parameters_or_names_the_first_difference) {
  TensorMap good, weights;
  initialise(small_spec(), nullptr, 1, good);
  load_strict(small_spec(), good, weights);
  EXPECT_EQ(weights.size(), good.size());
  TensorMap bad = good;
  bad.erase("rgb.bn1.bias");
  EXPECT_THAT(message_of([&] { load_strict(small_spec(), bad, weights); }),
              HasSubstr("tensor 'rgb.bn1.bias' is missing, expected shape [4]"));
  bad["rgb.bn1.bias"] = Tensor();
  EXPECT_THAT(message_of([&] { load_strict(small_spec(), bad, weights); }),
              HasSubstr("expected shape [4], got an empty tensor"));
  bad["rgb.bn1.bias"] = Tensor({4, 1});
  EXPECT_THAT(message_of([&] { load_strict(small_spec(), bad, weights); }), HasSubstr("expected shape [4], got [4, 1]"));
  bad = good;
  bad["extra"] = Tensor();
  EXPECT_THAT(message_of([&] { load_strict(small_spec(), bad, weights); }), HasSubstr("tensor 'extra' of shape []"));
  EXPECT_EQ(weights.size(), good.size());
}

TEST(Initialise, fills_the_first_layers_from_the_published_mobilenet) {
  const std::string path = actio::testing::shared_file("weights/mobilenet_v2_imagenet.safetensors");
  ACTIO_NEEDS_SHARED(path);
  const TensorMap source = read_weights(path);
  NetSpec spec = small_spec(10, 2, "motion");
  spec.nodes[1].name = "motion.features.0.0";
  spec.nodes[2].name = "motion.features.0.1";
  spec.nodes[2].inputs = {"motion.features.0.0"};
  spec.nodes[3].inputs = {"motion.features.0.1"};
  spec.nodes[1].attrs.channels = 32;
  TensorMap weights;
  const InitReport report = initialise(spec, &source, 1, weights);
  EXPECT_EQ(report.loaded.size(), 5U);
  EXPECT_EQ(weights.at("motion.features.0.0.weight").shape(), (Shape{32, 10, 3, 3}));
  EXPECT_EQ(report.unused.size(), source.size() - 5);
}

}  // namespace
}  // namespace actio::net

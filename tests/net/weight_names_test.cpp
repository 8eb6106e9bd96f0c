// Published weights under the names of their authors' wrappers.
#include "net/weight_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "net/infer.h"
#include "net/initialise.h"
#include "net/weights.h"
#include "support/temp_dir.h"
#include "torch_fixture.h"
#include "weights_fixture.h"

namespace actio::net {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

NetworkOptions tiny(const std::string& network = "tsn") {
  NetworkOptions options;
  options.network = value_named<NetworkKind>("network", network);
  options.streams = network == "tsn" ? "rgb" : "both";
  options.backbone = BackboneKind::kResnet18;
  options.width = 0.125;
  options.classes = 5;
  return options;
}

NetSpec spec_of(const NetworkOptions& options) {
  Preprocess preprocess;
  preprocess.input_size = 32;
  preprocess.motion = Motion::kVectors;
  return build_network(options, preprocess);
}

// As torchvision names them, each with a value of its own.
TensorMap image_weights(std::uint64_t seed = 7) {
  TensorMap weights, named;
  initialise(spec_of(tiny()), nullptr, seed, weights);
  for (auto& [name, tensor] : weights) named.emplace(name.substr(4), std::move(tensor));
  return named;
}

TensorMap below(const std::string& prefix, const TensorMap& weights) {
  TensorMap named;
  for (const auto& [name, tensor] : weights) named.emplace(prefix + name, tensor);
  return named;
}

void rename(TensorMap& weights, const std::string& from, const std::string& to) {
  for (const char* part : {".weight", ".bias"}) {
    auto node = weights.extract(from + part);
    node.key() = to + part;
    weights.insert(std::move(node));
  }
}

NamedWeights fit(TensorMap source, const NetworkOptions& options = tiny()) {
  const NetSpec spec = spec_of(options);
  return fit_names(std::move(source), options, &spec, "w.pth");
}

std::vector<std::string> names_of(const TensorMap& weights) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights) names.push_back(name);
  return names;
}

TEST(WeightNames, lose_what_wrappers_put_before_them_which_is_said) {
  const TensorMap weights = image_weights();
  for (const std::string prefix : {"module.", "module.base_model.", "base_model.", "backbone.", "model.", "encoder.",
                                   "net.1.body.", "model_state.module."}) {
    const NamedWeights named = fit(below(prefix, weights));
    EXPECT_EQ(names_of(named.tensors), names_of(weights)) << prefix;
    EXPECT_TRUE(same(named.tensors.at("conv1.weight"), weights.at("conv1.weight"))) << prefix;
    EXPECT_THAT(named.notes, ElementsAre("names without '" + prefix + "'"));
    EXPECT_EQ(named.remark, " (names without '" + prefix + "')");
  }
  const NamedWeights plain = fit(weights);
  EXPECT_EQ(names_of(plain.tensors), names_of(weights));
  EXPECT_THAT(plain.notes, IsEmpty());
  EXPECT_EQ(plain.remark, "");
}

TEST(WeightNames, of_a_whole_network_keep_the_names_of_its_streams) {
  TensorMap whole;
  initialise(spec_of(tiny("if_ttn")), nullptr, 3, whole);
  const NamedWeights named = fit(below("module.", whole), tiny("if_ttn"));
  EXPECT_EQ(names_of(named.tensors), names_of(whole));
  EXPECT_THAT(named.notes, ElementsAre("names without 'module.'"));
  // A stream for a network that has no classifier of a stream.
  const NamedWeights stream = fit(below("rgb.", image_weights()), tiny("stfn"));
  EXPECT_EQ(names_of(stream.tensors), names_of(below("rgb.", image_weights())));
  EXPECT_THAT(stream.notes, IsEmpty());
}

TEST(WeightNames, of_a_classifier_beside_the_backbone_become_the_backbones) {
  for (const char* classifier : {"module.new_fc", "cls_head.fc_cls", "module.base_model.new_fc", "fc_action"}) {
    TensorMap weights = below("module.base_model.", image_weights());
    rename(weights, "module.base_model.fc", classifier);
    const NamedWeights named = fit(std::move(weights));
    EXPECT_EQ(names_of(named.tensors), names_of(image_weights())) << classifier;
    ASSERT_EQ(named.notes.size(), 2U);
    EXPECT_THAT(named.notes[1], AllOf(HasSubstr("is the classifier 'fc'")));
  }
  // Of two, none is taken.
  TensorMap two = below("backbone.", image_weights());
  rename(two, "backbone.fc", "head_b");
  two["head_a.weight"] = two.at("head_b.weight");
  const NamedWeights named = fit(std::move(two));
  EXPECT_FALSE(named.tensors.contains("fc.weight"));
  EXPECT_THAT(named.remark, HasSubstr("'head_a' and 'head_b' could both be its classifier"));
  // Beside one that has the name, none is looked for.
  TensorMap both = image_weights();
  both["head.weight"] = both.at("fc.weight");
  EXPECT_TRUE(fit(both).tensors.contains("head.weight"));
}

TEST(WeightNames, that_fit_below_two_prefixes_are_an_error_that_names_both) {
  TensorMap twice = below("state_dict.", image_weights());
  twice.merge(below("ema.module.", image_weights(8)));
  EXPECT_THAT(message_of([&] { fit(twice); }),
              AllOf(HasSubstr("w.pth: has weights of resnet18 below 'ema.module.' and below 'state_dict.'"),
                    HasSubstr("actio import --prefix")));
  // One within the other.
  TensorMap nested = below("model.", image_weights());
  nested.merge(below("model.teacher.", image_weights(8)));
  EXPECT_THAT(message_of([&] { fit(nested); }), AllOf(HasSubstr("'model.'"), HasSubstr("'model.teacher.'")));
  // The one that is asked for.
  const NamedWeights chosen = fit(weights_below(twice, "ema.", "w.pth"));
  EXPECT_TRUE(same(chosen.tensors.at("conv1.weight"), image_weights(8).at("conv1.weight")));
  EXPECT_THAT(chosen.notes, ElementsAre("names without 'module.'"));
  EXPECT_THAT(message_of([&] { weights_below(twice, "teacher.", "w.pth"); }, ErrorCode::kUsage),
              HasSubstr("no tensor's name begins with 'teacher.'; names begin with 'ema.', 'state_dict.'"));
  TensorMap clash = below("model.", image_weights());
  clash["fc.bias"] = Tensor({5});
  EXPECT_THAT(message_of([&] { fit(clash); }), HasSubstr("two tensors would be named 'fc.bias' without 'model.'"));
}

TEST(WeightNames, that_belong_to_another_backbone_stay_and_their_prefix_is_named) {
  NetworkOptions other = tiny();
  other.backbone = BackboneKind::kMobilenetV2;
  const TensorMap weights = below("module.base_model.", image_weights());
  const NamedWeights named = fit(weights, other);
  EXPECT_EQ(names_of(named.tensors), names_of(weights));
  EXPECT_THAT(named.notes, IsEmpty());
  EXPECT_EQ(named.remark, " (all names begin with 'module.base_model.')");
  for (TensorMap odd :
       {TensorMap{}, TensorMap{{"", Tensor({1})}}, TensorMap{{".", Tensor({1})}, {"..conv1.weight", Tensor({1})}}}) {
    EXPECT_EQ(fit(odd).tensors.size(), odd.size());
  }
}

TEST(WeightNames, of_a_checkpoint_in_a_dict_of_a_dict_are_found_without_python) {
  using namespace torch_fixture;
  const testing::TempDir dir;
  std::vector<std::string> entries;
  std::vector<ZipFile> storages;
  for (const auto& [name, value] : image_weights()) {
    FakeTensor fake{.key = std::to_string(storages.size()), .count = value.numel(), .sizes = value.shape()};
    std::int64_t stride = value.numel();
    for (const std::int64_t size : value.shape()) fake.strides.push_back(stride /= size);
    entries.insert(entries.end(), {text("module.base_model." + name), tensor(fake)});
    storages.push_back({fake.key, std::string(reinterpret_cast<const char*>(value.raw()), value.bytes())});
  }
  const std::string file = dir / "w.pth";
  write_plain(
      file,
      checkpoint(dict({text("epoch"), integer(3), text("model_state"), dict(entries), text("optimizer_state"), dict({})}),
                 storages));
  const NamedWeights named = fit(read_weights(file));
  EXPECT_EQ(names_of(named.tensors), names_of(image_weights()));
  EXPECT_TRUE(same(named.tensors.at("layer4.1.conv2.weight"), image_weights().at("layer4.1.conv2.weight")));
  EXPECT_THAT(named.notes, ElementsAre("names without 'module.base_model.'"));
}

}  // namespace
}  // namespace actio::net

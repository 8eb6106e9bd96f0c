// Networks of one's own over the installed interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <actio/network.h>
#include <actio/recognizer.h>

#include <functional>

#include "support/temp_dir.h"

namespace actio {
namespace {

using testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kFailed, "no error");
}

// Two inputs, pairs of snippets, and a head on the clip.
Network small_network() {
  NetworkBuilder b("mine", 3, {.size = 32, .short_side = 36});
  std::vector<Value> features;
  for (const InputSpec& input : {InputSpec::of("rgb", InputKind::kFrame, 32), InputSpec::of("fast", InputKind::kVectors, 16, 2)}) {
    const Value x = b.relu(input.name + ".relu", b.batch_norm(input.name + ".bn", b.conv2d(input.name + ".conv", b.input(input), {.channels = 4, .kernel = 3, .stride = 2, .padding = 1})));
    b.stage(input.name + ".stem", x);
    features.push_back(b.apply("global_avg_pool", input.name + ".pool", {x}));
  }
  const Value change = b.apply("segment_diff", "change", {b.apply("concat", "both", features)});
  const Value scores = b.linear("classifier", b.apply("segment_mean", "mean", {change}), 2);
  b.head("clip", scores);
  return b.finish(scores, b.apply("softmax", "probabilities", {scores}));
}

TensorMap grey(const Model& model) {
  TensorMap inputs;
  for (const InputSpec& input : model.inputs().list) {
    Shape shape = input.row();
    shape.insert(shape.begin(), model.segments());
    Tensor tensor(shape);
    for (std::size_t i = 0; float& value : tensor.values<float>()) value = static_cast<float>(i++ % 11) / 5 - 1;
    inputs[input.name] = tensor;
  }
  return inputs;
}

TEST(OwnNetwork, becomes_a_model_that_is_written_read_and_run) {
  const TempDir dir;
  const Model made = Model::make(small_network(), {"up", "down"});
  EXPECT_EQ(made.network(), "mine");
  EXPECT_THAT(made.inputs().names(), ElementsAre("rgb", "fast"));
  EXPECT_EQ(made.inputs().find("fast")->row(), (Shape{4, 16, 16}));
  EXPECT_THAT(made.heads(), ElementsAre("clip"));
  EXPECT_THAT(made.describe(), HasSubstr("rgb.stem"));
  const Model written = made.save(dir / "mine.actio");
  const Model read = Model::open(dir / "mine.actio");
  EXPECT_EQ(read.hash(), written.hash());
  EXPECT_EQ(read.inputs(), made.inputs());
  const auto probabilities = [](const Model& model) {
    const Tensor answer = Recognizer(model, {.run = {.threads = 1}, .keep = {"change"}}).recognize(grey(model)).probabilities;
    return std::vector<float>(answer.values<float>().begin(), answer.values<float>().end());
  };
  EXPECT_EQ(probabilities(read), probabilities(made));
  EXPECT_NE(probabilities(Model::make(small_network(), {"up", "down"}, {}, 2)), probabilities(made)) << "another seed";
}

TEST(OwnNetwork, takes_the_weights_that_it_is_given) {
  TensorMap weights;
  weights["classifier.weight"] = Tensor({2, 8});
  weights["classifier.bias"] = Tensor::of({2}, std::vector<float>{1, 3});
  const Model model = Model::make(small_network(), {"up", "down"}, weights);
  const Recognition answer = Recognizer(model).recognize(grey(model));
  EXPECT_EQ(answer.scores.values<float>()[0], 1);
  EXPECT_EQ(answer.scores.values<float>()[1], 3);
  weights["classifer.bias"] = Tensor({2});
  EXPECT_THAT(error_of([&] { Model::make(small_network(), {"up", "down"}, weights); }).what(), HasSubstr("mine: has no weights 'classifer.bias'"));
  weights.erase("classifer.bias");
  weights["classifier.bias"] = Tensor({3});
  EXPECT_THAT(error_of([&] { Model::make(small_network(), {"up", "down"}, weights); }).what(), HasSubstr("mine: the weights 'classifier.bias' have shape [3], [2] was expected"));
}

TEST(OwnNetwork, is_the_same_network_after_it_was_text) {
  const Network network = small_network(), again = Network::from_json(network.to_json());
  EXPECT_EQ(again.to_json(), network.to_json());
  EXPECT_EQ(again.inputs(), network.inputs());
  for (const char* text : {"", "{}", "[]", R"({"network": 3, "inputs": 4})"}) {
    EXPECT_EQ(error_of([&] { Network::from_json(text); }).code(), ErrorCode::kBadData) << text;
  }
}

TEST(OwnNetwork, can_be_made_of_published_networks) {
  NetworkBuilder b("backbones", 2, {.size = 64, .short_side = 72});
  const auto stages = b.backbone("rgb.", b.input(InputSpec::of("rgb", InputKind::kFrame, 64)), "resnet18");
  EXPECT_EQ(b.shape_of(stages[0]), (Shape{64, 16, 16}));
  EXPECT_EQ(b.shape_of(stages[4]), (Shape{512, 2, 2}));
  EXPECT_THAT(error_of([&] { b.backbone("x.", stages[0], "resnet19"); }).what(), HasSubstr("the nearest is 'resnet18'"));
}

TEST(OwnNetwork, says_what_does_not_fit_and_both_values) {
  NetworkBuilder b("wrong", 2);
  const Value x = b.input(InputSpec::of("rgb", InputKind::kFrame, 32));
  EXPECT_THAT(error_of([&] { b.input(InputSpec::of("rgb", InputKind::kFrame, 32)); }).what(), HasSubstr("two inputs are named 'rgb'"));
  EXPECT_THAT(error_of([&] { b.apply("segment_dif", "d", {x}); }).what(), HasSubstr("the nearest is 'segment_diff'"));
  EXPECT_THAT(error_of([&] { b.relu("r", "nothing"); }).what(), HasSubstr("nothing"));
  const Value small = b.max_pool2d("pool", x, 2, 2);
  const Error shapes = error_of([&] { b.apply("add", "sum", {x, small}); });
  EXPECT_THAT(shapes.what(), ::testing::AllOf(HasSubstr("[3, 32, 32]"), HasSubstr("[3, 16, 16]")));
  const Value scores = b.linear("fc", b.apply("global_avg_pool", "gap", {x}), 2);
  EXPECT_THAT(error_of([&] { b.finish(scores, scores); }).what(), HasSubstr("clip")) << "scores of each snippet";
  EXPECT_EQ(error_of([] { NetworkBuilder("none", 0); }).code(), ErrorCode::kUsage);
  EXPECT_THAT(error_of([] { Model::make(small_network(), {"one"}); }).what(), HasSubstr("1 class names for an output of shape [2]"));
}

}  // namespace
}  // namespace actio

// Weights from files: what does not fit is named, and what --partial takes is printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "cli/program.h"
#include "core/error.h"
#include "net/initialise.h"
#include "net/model_file.h"
#include "net/weights.h"
#include "net/zoo.h"

namespace actio::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;
using testing::run_program;
using testing::TempDir;

constexpr const char* kTiny = " --backbone resnet18 --width 0.125 --input-size 32";

// What torchvision would call the weights of a tiny ResNet-18 with five classes.
TensorMap image_weights() {
  net::NetworkOptions options;
  options.network = net::NetworkKind::kTsn;
  options.streams = "rgb";
  options.backbone = net::BackboneKind::kResnet18;
  options.width = 0.125;
  options.classes = 5;
  Preprocess preprocess;
  preprocess.input_size = 32;
  TensorMap weights, named;
  net::initialise(net::build_network(options, preprocess), nullptr, 7, weights);
  for (const auto& [name, tensor] : weights) named[name.substr(4)] = tensor;
  return named;
}

class FirstWeights : public ::testing::Test {
 protected:
  ProgramResult import(const TensorMap& weights, const std::string& options) {
    net::write_safetensors(dir_ / "image.safetensors", weights);
    return run_program("import " + (dir_ / "image.safetensors") + " -o " + model() + kTiny + options);
  }
  std::string model() const { return dir_ / "model.actio"; }
  TempDir dir_;
};

TEST_F(FirstWeights, name_the_tensor_and_both_shapes_of_what_is_missing_extra_misshapen_or_not_a_number) {
  const auto changed = [&](auto change) {
    TensorMap weights = image_weights();
    change(weights);
    const ProgramResult result = import(weights, "");
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_FALSE(std::filesystem::exists(model()));
    return result.err;
  };
  EXPECT_THAT(changed([](TensorMap& w) { w.erase("layer2.0.conv1.weight"); }),
              AllOf(HasSubstr("'rgb.layer2.0.conv1.weight' is missing"), HasSubstr("[16, 8, 3, 3]")));
  EXPECT_THAT(changed([](TensorMap& w) { w["layer9.weight"] = Tensor({2, 3}); }),
              AllOf(HasSubstr("'rgb.layer9.weight' of shape [2, 3]"), HasSubstr("no parameter")));
  EXPECT_THAT(changed([](TensorMap& w) { w["bn1.bias"] = Tensor({9}); }),
              AllOf(HasSubstr("'rgb.bn1.bias'"), HasSubstr("expected shape [8], got [9]")));
  EXPECT_THAT(changed([](TensorMap& w) { w["bn1.bias"].values<float>()[3] = std::numeric_limits<float>::quiet_NaN(); }),
              AllOf(HasSubstr("'rgb.bn1.bias'"), HasSubstr("element 3 is nan")));
}

TEST_F(FirstWeights, of_a_backbone_load_into_a_bigger_network_with_partial_which_prints_what_was_loaded_and_what_was_not) {
  TensorMap weights = image_weights();
  weights["layer9.weight"] = Tensor({2, 3});
  const ProgramResult result = import(weights, " --partial --network stfn --classes 4 --motion-length 3 --motion mv");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("loaded 200: rgb.conv1 (1)"), HasSubstr("motion.layer4"), HasSubstr("stfn.fa ("),
                                HasSubstr("not used 3: fc.bias, fc.weight, layer9.weight")));
  const net::Model made = net::read_model(model());
  EXPECT_EQ(made.spec.name, "stfn_a(resnet18)");
  const auto original = weights.at("layer1.0.conv1.weight").values<float>();
  for (const char* stream : {"rgb", "motion"}) {
    const auto loaded = made.weights.at(std::string(stream) + ".layer1.0.conv1.weight").values<float>();
    EXPECT_TRUE(std::ranges::equal(loaded, original)) << stream;
  }
  EXPECT_EQ(made.weights.at("motion.conv1.weight").shape(), (Shape{8, 6, 7, 7})) << "cross-modality, over 2 x 3 channels";
}

TEST_F(FirstWeights, below_names_of_wrappers_are_taken_as_if_they_had_their_own_which_is_said) {
  ASSERT_EQ(import(image_weights(), "").exit_code, 0);
  const net::Model plain = net::read_model(model());
  for (const char* prefix : {"module.", "module.base_model.", "backbone.", "model_state.encoder."}) {
    TensorMap weights;
    for (const auto& [name, tensor] : image_weights())
      weights[(name.starts_with("fc.") ? "module.new_" : prefix) + name] = tensor;
    const ProgramResult result = import(weights, "");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, AllOf(HasSubstr(fmt::format("names without '{}'\n", prefix)),
                                  HasSubstr("new_fc' is the classifier 'fc'\n")));
    EXPECT_EQ(net::read_model(model()).hash, plain.hash) << prefix;
    const ProgramResult partial = import(weights, " --partial --network tsn --streams both --motion mv --classes 5");
    EXPECT_THAT(partial.out, AllOf(HasSubstr(fmt::format("\n  names without '{}'\n", prefix)), HasSubstr("not used 0")))
        << partial.err;
  }
}

TEST_F(FirstWeights, of_another_backbone_or_of_two_networks_are_refused_by_what_their_names_begin_with) {
  TensorMap wrapped, twice;
  for (const auto& [name, tensor] : image_weights()) {
    wrapped["module.base_model." + name] = tensor;
    twice["student." + name] = tensor;
    twice["teacher." + name] = tensor.clone();
  }
  twice.at("teacher.conv1.weight").values<float>()[0] = 42;
  net::write_safetensors(dir_ / "w.safetensors", wrapped);
  const ProgramResult other =
      run_program("import " + (dir_ / "w.safetensors") + " -o " + model() + " --backbone mobilenet_v2");
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_THAT(other.err, AllOf(HasSubstr("has no tensor 'classifier.1.weight' (all names begin with 'module.base_model.')"),
                               HasSubstr("is it a mobilenet_v2? choose with --backbone")));
  TensorMap incomplete = wrapped;
  incomplete.erase("module.base_model.bn1.bias");
  EXPECT_THAT(import(incomplete, "").err,
              HasSubstr("'rgb.bn1.bias' is missing, expected shape [8] (names without 'module.base_model.')"));

  const ProgramResult either = import(twice, "");
  EXPECT_EQ(either.exit_code, 3);
  EXPECT_THAT(either.err, AllOf(HasSubstr("has weights of resnet18 below 'student.' and below 'teacher.'"),
                                HasSubstr("--prefix student.")));
  EXPECT_FALSE(std::filesystem::exists(model()));
  ASSERT_EQ(import(twice, " --prefix teacher.").exit_code, 0);
  EXPECT_EQ(net::read_model(model()).weights.at("rgb.conv1.weight").values<float>()[0], 42);
  EXPECT_THAT(import(twice, " --prefix ema.").err, HasSubstr("names begin with 'student.', 'teacher.'"));
}

TEST_F(FirstWeights, of_thousands_of_strange_tensors_are_told_in_short_lines_without_control_characters) {
  TensorMap weights = image_weights();
  for (int i = 0; i < 30'000; ++i) weights[fmt::format("strange{}.w", i)] = Tensor({1});
  weights["evil\x1b[31m\nname.w"] = Tensor({1});
  const ProgramResult result = import(weights, " --partial --network tsn --streams rgb --classes 4");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("not used 30003: "), HasSubstr("more parts"), Not(HasSubstr("\x1b"))));
  EXPECT_LT(result.out.size(), 3000U);
}

TEST_F(FirstWeights, that_only_partly_fit_are_refused_without_partial) {
  const ProgramResult result = import(image_weights(), " --network stfn");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--partial loads weights into any network"));
}

TEST_F(FirstWeights, for_training_have_to_be_whole_unless_partial_is_given) {
  if (!ACTIO_HAS_TORCH) GTEST_SKIP() << "this build has no actio-train";
  const std::string data = dir_ / "data";
  ASSERT_EQ(run_program("data synth -o " + data + " --classes push,pull --clips-per-class 2 --min-frames 12 --max-frames 12 "
                        "--max-width 160 --max-height 120 --test-share 0").exit_code, 0);
  net::write_safetensors(dir_ / "image.safetensors", image_weights());
  const std::string train = "train " + data + "/labels.csv -o " + model() + kTiny + " --short-side 36 --segments 2 --epochs 1 --batch-size 2";
  const std::string init = " --init " + (dir_ / "image.safetensors");

  const ProgramResult strict = run_program(train + " --network trn --streams rgb" + init);
  EXPECT_EQ(strict.exit_code, 3);
  EXPECT_THAT(strict.err, AllOf(HasSubstr("has no tensor 'rgb.trn.project.weight' of shape [256, 64]"), HasSubstr("--partial")));
  EXPECT_FALSE(std::filesystem::exists(model()));

  const ProgramResult partial = run_program(train + " --network trn --streams rgb --partial" + init);
  EXPECT_EQ(partial.exit_code, 0) << partial.err;
  EXPECT_THAT(partial.out, HasSubstr("new 7: rgb.trn.project.weight, rgb.trn.project.bias"));

  // A classifier for other classes starts anew without a word from the user.
  const ProgramResult tsn = run_program(train + " --network tsn --streams both" + init);
  EXPECT_EQ(tsn.exit_code, 0) << tsn.err;
  EXPECT_THAT(tsn.out, HasSubstr("new 5: rgb.fc.weight, rgb.fc.bias, motion.fc.weight, motion.fc.bias, scores.weight"));

  // So are the names of a wrapper, which are no part of the weights.
  TensorMap wrapped;
  for (const auto& [name, tensor] : image_weights())
    wrapped[(name.starts_with("fc.") ? "module.new_" : "module.base_model.") + name] = tensor;
  net::write_safetensors(dir_ / "wrapped.safetensors", wrapped);
  const ProgramResult named =
      run_program(train + " --network tsn --streams both --restart --init " + (dir_ / "wrapped.safetensors"));
  EXPECT_EQ(named.exit_code, 0) << named.err;
  EXPECT_THAT(named.out,
              AllOf(HasSubstr("\n  names without 'module.base_model.'\n  'module.new_fc' is the classifier 'fc'\n"),
                    HasSubstr("new 5: rgb.fc.weight, rgb.fc.bias, motion.fc.weight, motion.fc.bias, scores.weight")));

  const ProgramResult without = run_program(train + " --partial");
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_THAT(without.err, HasSubstr("--partial needs --init"));
}

TEST(NetworkOptions, of_other_networks_are_refused_by_name) {
  const ProgramResult result = run_program("describe stfn --ifm adaptive");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--ifm belongs to if_ttn; the network is stfn"));
  EXPECT_EQ(run_program("describe if_ttn --ifm adaptive").exit_code, 0);
  EXPECT_EQ(run_program("describe tsn --stfn-blocks 2").exit_code, 2);
}

TEST(Describe, draws_for_graphviz_and_not_two_things_at_once) {
  const ProgramResult result = run_program("describe stfn --backbone resnet18 --dot");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("digraph \"stfn_a(resnet18)\" {"), HasSubstr("segment_stack")));
  EXPECT_EQ(run_program("describe stfn --dot --json").exit_code, 2);
}

}  // namespace
}  // namespace actio::cli

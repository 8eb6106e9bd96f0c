#include "net/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "net/initialise.h"
#include "net/safetensors.h"
#include "support/inputs.h"
#include "support/temp_dir.h"
#include "weights_fixture.h"

namespace actio::net {
namespace {

using actio::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

Model small_model() {
  Model model;
  model.spec = small_spec();
  model.inputs = actio::testing::inputs_for(Preprocess{.input_size = 16, .rgb_mean = {1.5, 2, 0.1}});
  model.classes = {"hand \"shake\"", "größe\n"};
  model.training = Json::parse(R"({"epochs": 3, "lr": 0.1, "note": "\"actio.hash\":\"00000000000000000000000000000000\""})");
  model.parent_hash = "0123";
  initialise(model.spec, nullptr, 5, model.weights);
  return model;
}

class ModelFile : public ::testing::Test {
 protected:
  // Writes what write_model would refuse, with a hash that is right.
  void write_raw(Metadata metadata, const TensorMap& tensors) {
    const std::string key = "\"actio.hash\":\"";
    metadata["actio.hash"] = std::string(32, '0');
    std::string content = safetensors_content(tensors, metadata, path_);
    content.replace(content.find(key) + key.size(), 32, content_hash(std::as_bytes(std::span(content))));
    write_plain(path_, content);
  }

  // Writes a small model and gives its parts to be changed.
  Metadata parts(TensorMap& tensors) {
    Model model = small_model();
    write_model(path_, model);
    Metadata metadata;
    tensors = read_safetensors(path_, &metadata);
    return metadata;
  }

  std::string refusal(ErrorCode code = ErrorCode::kBadData) {
    return message_of([&] { read_model(path_); }, code);
  }

  TempDir dir_;
  std::string path_ = dir_ / "m.actio";
};

TEST_F(ModelFile, returns_everything_as_written) {
  Model model = small_model();
  write_model(path_, model);
  const Model read = read_model(path_);
  EXPECT_EQ(read.spec, model.spec);
  EXPECT_EQ(read.inputs, model.inputs);
  EXPECT_EQ(read.classes, model.classes);
  EXPECT_EQ(read.training, model.training);
  EXPECT_EQ(read.parent_hash, "0123");
  EXPECT_EQ(read.hash.size(), 32U);
  EXPECT_EQ(read.hash, model.hash);
  ASSERT_EQ(read.weights.size(), model.weights.size());
  for (const auto& [name, tensor] : model.weights) EXPECT_TRUE(same(read.weights.at(name), tensor)) << name;
}

TEST_F(ModelFile, keeps_the_ranges_of_values_and_refuses_those_that_are_none) {
  Model model = small_model();
  const std::string node = model.spec.nodes.front().name;
  model.quantization = {{{node, {-1, 2, {0.5F, -0.25F}}}}, {"int8"}, {{"measured_on", 3}}};
  write_model(path_, model);
  EXPECT_EQ(read_model(path_).quantization, model.quantization);
  TensorMap tensors;
  Metadata metadata;
  tensors = read_safetensors(path_, &metadata);
  const auto refused = [&](const std::string& json) {
    metadata["actio.quantization"] = json;
    write_raw(metadata, tensors);
    return refusal();
  };
  EXPECT_THAT(refused(R"({"ranges": {")" + node + R"(": [2, -1, []]}, "borne": []})"), HasSubstr("is 2 to -1"));
  EXPECT_THAT(refused(R"({"ranges": {")" + node + R"(": [0, 1]}, "borne": []})"), HasSubstr("two numbers and a list of means"));
  EXPECT_THAT(refused(R"({"ranges": {")" + node + R"(": [0, 1e99, []]}, "borne": []})"), HasSubstr("is 0 to inf"));
  EXPECT_THAT(refused(R"({"ranges": {")" + node + R"(": [0, 1, [1e99]]}, "borne": []})"), HasSubstr("a list of means"));
  EXPECT_THAT(refused(R"({"ranges": {"nowhere": [0, 1, []]}, "borne": []})"), HasSubstr("has no node 'nowhere'"));
  EXPECT_THAT(refused(R"({"ranges": {}, "borne": [1]})"), HasSubstr("must have 'ranges' and 'borne'"));
}

TEST_F(ModelFile, has_equal_bytes_for_equal_models_and_another_hash_for_another_weight) {
  Model model = small_model();
  write_model(path_, model);
  Model again = read_model(path_);
  write_model(dir_ / "again", again);
  EXPECT_EQ(read_text_file(path_), read_text_file(dir_ / "again"));
  again.weights.at("rgb.fc.bias").values<float>()[0] += 1;
  write_model(dir_ / "again", again);
  EXPECT_NE(again.hash, model.hash);
}

TEST_F(ModelFile, is_a_weights_file_too_and_may_have_no_training_configuration) {
  Model model = small_model();
  model.training = nullptr;
  model.parent_hash = "";
  write_model(path_, model);
  EXPECT_TRUE(read_model(path_).training.is_null());
  EXPECT_EQ(read_weights(path_).size(), model.weights.size());
}

TEST_F(ModelFile, finds_each_single_damaged_byte) {
  Model model = small_model();
  write_model(path_, model);
  const std::string good = read_text_file(path_);
  const std::string damaged_path = dir_ / "damaged.actio";
  for (const int flip : {0x01, 0x20, 0x80, 0xff}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string damaged = good;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      write_plain(damaged_path, damaged);
      EXPECT_THROW(read_model(damaged_path), Error) << "byte " << i << " flipped by " << flip;
    }
  }
}

TEST_F(ModelFile, finds_each_truncation_and_a_byte_too_many) {
  Model model = small_model();
  write_model(path_, model);
  const std::string good = read_text_file(path_);
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_plain(path_, good.substr(0, size));
    EXPECT_THROW(read_model(path_), Error) << size;
  }
  write_plain(path_, good + '\0');
  EXPECT_THROW(read_model(path_), Error);
}

TEST_F(ModelFile, names_both_hashes_of_a_damaged_file) {
  Model model = small_model();
  write_model(path_, model);
  std::string damaged = read_text_file(path_);
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  write_plain(path_, damaged);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("m.actio: is damaged: content hash "), HasSubstr(", recorded " + model.hash)));
}

TEST_F(ModelFile, tells_a_weights_file_and_a_newer_format_from_damage) {
  TensorMap tensors;
  Metadata metadata = parts(tensors);
  write_safetensors(path_, tensors);
  EXPECT_THAT(refusal(), HasSubstr("m.actio: is not an actio model (a weights file? see 'actio import')"));
  metadata["actio.format"] = "3";
  write_raw(metadata, tensors);
  EXPECT_THAT(refusal(ErrorCode::kFailed), HasSubstr("model format 3, this program reads up to 2"));
  for (const char* version : {"0", "-1", "1.0", "", "one"}) {
    metadata["actio.format"] = version;
    write_raw(metadata, tensors);
    EXPECT_THAT(refusal(), HasSubstr(fmt::format("model format '{}'", version)));
  }
}

TEST_F(ModelFile, names_the_tensor_and_both_shapes_of_wrong_weights) {
  TensorMap good;
  const Metadata metadata = parts(good);
  const auto refusal_with = [&](const auto& change) {
    TensorMap tensors = good;
    change(tensors);
    write_raw(metadata, tensors);
    return refusal();
  };
  EXPECT_THAT(refusal_with([](TensorMap& t) { t.erase("rgb.fc.bias"); }),
              HasSubstr("m.actio: tensor 'rgb.fc.bias' is missing, expected shape [2]"));
  EXPECT_THAT(refusal_with([](TensorMap& t) { t["more"] = Tensor({7}); }),
              HasSubstr("tensor 'more' of shape [7] is no parameter of small"));
  EXPECT_THAT(refusal_with([](TensorMap& t) {
                t["rgb.fc.weight"] = Tensor({4, 2});
              }),
              HasSubstr("tensor 'rgb.fc.weight': expected shape [2, 4], got [4, 2]"));
  EXPECT_THAT(refusal_with([](TensorMap& t) { t["rgb.fc.bias"] = Tensor({2}, DType::kF16); }),
              HasSubstr("holds f16, f32 was expected"));
  for (const float bad : {NAN, HUGE_VALF, -HUGE_VALF}) {
    EXPECT_THAT(refusal_with([&](TensorMap& t) {
                  t["rgb.fc.bias"] = Tensor::of({2}, std::vector<float>{0, bad});
                }),
                HasSubstr(fmt::format("tensor 'rgb.fc.bias': element 1 is {}", bad)));
  }
}

TEST_F(ModelFile, rejects_each_wrong_part_with_the_file_and_the_part) {
  TensorMap tensors;
  const Metadata good = parts(tensors);
  const auto refusal_with = [&](const std::string& key, const std::string& value) {
    Metadata metadata = good;
    metadata[key] = value;
    write_raw(metadata, tensors);
    return refusal();
  };
  EXPECT_THAT(refusal_with("actio.classes", R"(["a"])"), HasSubstr("m.actio: 1 class names for an output of shape [2]"));
  EXPECT_THAT(refusal_with("actio.classes", R"(["a", 3])"), HasSubstr("'actio.classes' must be a list of names"));
  EXPECT_THAT(refusal_with("actio.classes", "{}"), HasSubstr("'actio.classes' must be a list of names"));
  EXPECT_THAT(refusal_with("actio.spec", "{"), HasSubstr("m.actio: 'actio.spec' is not JSON: error at byte 2"));
  EXPECT_THAT(refusal_with("actio.training", "[1e999]"), HasSubstr("m.actio: 'actio.training' holds a number that is too large"));
  EXPECT_THAT(refusal_with("actio.training", std::string(200'000, '[') + std::string(200'000, ']')),
              HasSubstr("m.actio: 'actio.training' is nested deeper than 100"));
  EXPECT_THAT(refusal_with("actio.spec", "[]"), HasSubstr("m.actio: "));
  EXPECT_THAT(refusal_with("actio.spec", R"({"name":3})"), HasSubstr("m.actio: "));
  EXPECT_THAT(refusal_with("actio.inputs", R"({"size": 3, "inputs": []})"), AllOf(HasSubstr("m.actio: inputs: "), HasSubstr("size")));
  EXPECT_THAT(refusal_with("actio.inputs", R"({"colour": 3, "inputs": []})"), AllOf(HasSubstr("m.actio: inputs: "), HasSubstr("colour")));
  EXPECT_THAT(refusal_with("actio.inputs", R"({"inputs": [{"kind": "sound"}]})"),
              HasSubstr("m.actio: unknown kind of input 'sound'; known: frame, rgbdiff, flow, mv"));
  EXPECT_THAT(refusal_with("actio.inputs", R"({"inputs": [{"kind": "frame", "bound": 3}]})"), HasSubstr("bound"));
  for (const char* wrong : {"7", "{}", "[]", R"({"inputs": 3})", R"({"inputs": [3]})", R"({"inputs": [{"kind": 3}]})", R"({"inputs": [{}]})"})
    EXPECT_THAT(refusal_with("actio.inputs", wrong), HasSubstr("m.actio: inputs: "));
  for (const char* key : {"actio.spec", "actio.inputs", "actio.classes", "actio.training", "actio.parent"}) {
    Metadata metadata = good;
    metadata.erase(key);
    write_raw(metadata, tensors);
    EXPECT_THAT(refusal(), HasSubstr(fmt::format("m.actio: has no '{}'", key)));
  }
}

TEST_F(ModelFile, refuses_to_write_an_inconsistent_model_and_keeps_the_old_file) {
  Model model = small_model();
  write_model(path_, model);
  const std::string before = read_text_file(path_);
  Model bad = read_model(path_);
  bad.classes.push_back("third");
  EXPECT_THAT(message_of([&] { write_model(path_, bad); }), HasSubstr("m.actio: 3 class names for an output of shape [2]"));
  bad = read_model(path_);
  bad.weights.erase("fusion.weight");
  EXPECT_THAT(message_of([&] { write_model(path_, bad); }), HasSubstr("tensor 'fusion.weight' is missing"));
  bad = read_model(path_);
  bad.classes[0] = "\xff";
  EXPECT_THAT(message_of([&] { write_model(path_, bad); }, ErrorCode::kFailed),
              HasSubstr("'actio.classes' holds text that is not UTF-8"));
  bad = read_model(path_);
  bad.spec.output = "nothing";
  EXPECT_THAT(message_of([&] { write_model(path_, bad); }), HasSubstr("m.actio: "));
  EXPECT_EQ(read_text_file(path_), before);
}

TEST_F(ModelFile, refuses_a_missing_file_and_a_folder) {
  EXPECT_THAT(refusal(ErrorCode::kFailed), HasSubstr("m.actio: no such file"));
  EXPECT_THAT(message_of([&] { read_model(dir_.path()); }, ErrorCode::kFailed), HasSubstr("is not a regular file"));
}

TEST_F(ModelFile, gives_an_error_for_random_damage_and_never_crashes) {
  Model model = small_model();
  write_model(path_, model);
  const std::string content = read_text_file(path_);
  // A mutation that writes the bytes that were there is the only one that may pass.
  EXPECT_GE(refused_mutations(content, path_, 3000, [&] { read_model(path_); }), 2980);
}

TEST_F(ModelFile, refuses_a_preprocessing_that_makes_other_inputs_than_the_network_takes) {
  const std::string before[] = {"\"length\":1,\"size\":16", "\"mean\":[1.5,2.0,0.1]", "\"std\":["};
  const std::string after[] = {"\"length\":1,\"size\":64", "\"mean\":[1]", "\"std\":[2.5,"};
  const std::string message[] = {"the input 'rgb' has shape [3, 16, 16], the preprocessing makes [3, 64, 64] of kind 'frame'",
                                 "the input 'rgb' of kind frame has 1 values of its mean, 3 were expected",
                                 "the input 'rgb' of kind frame has 4 values of its deviation, 3 were expected"};
  for (std::size_t i = 0; i < std::size(before); ++i) {
    TensorMap tensors;
    Metadata metadata = parts(tensors);
    std::string& text = metadata.at("actio.inputs");
    ASSERT_NE(text.find(before[i]), std::string::npos) << text;
    text.replace(text.find(before[i]), before[i].size(), after[i]);
    write_raw(metadata, tensors);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr(message[i])));
  }
}

TEST_F(ModelFile, refuses_an_input_that_no_preprocessing_makes) {
  for (const auto& [motion, channels] : {std::pair<Motion, std::int64_t>{Motion::kVectors, 6}, {Motion::kRgbDifference, 10}}) {
    Model model = small_model();
    model.spec = small_spec(channels, 2, "motion");
    model.inputs = inputs_of({"motion"}, {.input_size = 16, .motion = motion, .motion_length = 5});
    initialise(model.spec, nullptr, 1, model.weights);
    EXPECT_THAT(message_of([&] { write_model(path_, model); }), HasSubstr("the input 'motion' has shape"));
  }
  Model model = small_model();
  model.spec = small_spec(3, 2, "sound");
  initialise(model.spec, nullptr, 1, model.weights);
  EXPECT_THAT(message_of([&] { write_model(path_, model); }), HasSubstr("nothing says how a video becomes the network's input 'sound'"));
  model = small_model();
  model.inputs.list.push_back(actio::testing::motion_input(16));
  EXPECT_THAT(message_of([&] { write_model(path_, model); }), HasSubstr("the network has no input 'motion'"));
}

TEST_F(ModelFile, refuses_fixed_scalars_that_differ_from_the_networks) {
  Model model = small_model();
  for (Node& node : model.spec.nodes) {
    if (node.name == "fusion") node.attrs.trainable = false;
  }
  model.weights.at("fusion.weight").values<float>()[0] = 0.5F;
  EXPECT_THAT(message_of([&] { write_model(path_, model); }),
              HasSubstr("tensor 'fusion.weight': element 0 is 0.5, the network says 0.25"));
}

}  // namespace
}  // namespace actio::net

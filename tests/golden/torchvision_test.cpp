// Parity with torchvision's own networks: python3-torch makes weights and logits, actio loads and runs them.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "net/initialise.h"
#include "net/weights.h"
#include "net/zoo.h"
#include "python.h"
#include "runtime/compile.h"
#include "support/needs.h"
#include "support/compare.h"
#include "support/temp_dir.h"
#include "torch/forward.h"

namespace actio {
namespace {

constexpr double kAllowed = 1e-4;  // of the range of the logits

Tensor read_raw(const std::string& path, const Shape& shape) {
  const std::string bytes = read_text_file(path);
  Tensor tensor(shape);
  if (bytes.size() != tensor.bytes()) fail("{}: {} bytes, expected {}", path, bytes.size(), tensor.bytes());
  std::memcpy(tensor.raw(), bytes.data(), bytes.size());
  return tensor;
}

struct ImageNetwork {
  const char* name;
  std::int64_t size;  // of the input
};

class Torchvision : public ::testing::TestWithParam<ImageNetwork> {
 protected:
  void SetUp() override {
    ACTIO_NEEDS_PACKAGE(testing::python_has_torchvision(), "python3-torchvision");
    load({});
  }

  void load(const std::vector<std::string>& more_arguments) {
    const auto [name, size] = GetParam();
    name_ = name;
    std::vector<std::string> arguments = {dir_.path().string(), name_, std::to_string(size)};
    arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
    testing::run_golden_script("torchvision_logits.py", arguments);
    net::NetworkOptions options;
    options.network = net::NetworkKind::kTsn;
    options.streams = "rgb";
    options.backbone = value_named<net::BackboneKind>("backbone", name_);
    options.segments = 1;
    options.classes = 1000;
    Preprocess preprocess;
    preprocess.input_size = size;
    spec_ = net::build_network(options, preprocess);
    TensorMap named;
    for (const auto& [key, tensor] : net::read_weights(dir_ / (name_ + ".pth"))) {
      if (!key.starts_with("AuxLogits.")) named["rgb." + key] = tensor;  // Inception's, for training only
    }
    net::load_strict(spec_, named, weights_);
    inputs_["rgb"] = read_raw(dir_ / (name_ + ".input.f32"), {2, 3, size, size});
    expected_ = read_raw(dir_ / (name_ + ".logits.f32"), {2, 1000});
  }

  void expect_parity(const Tensor& logits, const char* engine) {
    const double error = testing::range_error(logits, expected_);
    EXPECT_LE(error, kAllowed) << engine;
    std::printf("%-13s %-10s max |difference| / range of logits: %.2e\n", name_.c_str(), engine, error);
  }

  testing::TempDir dir_;
  std::string name_;
  net::NetSpec spec_;
  TensorMap weights_, inputs_;
  Tensor expected_;
};

TEST_P(Torchvision, logits_agree_in_onednn) {
  expect_parity(runtime::compile(spec_, weights_, {"onednn", 0})->run(inputs_).at(spec_.scores), "oneDNN");
}

TEST_P(Torchvision, logits_agree_in_the_torch_reader) {
  expect_parity(torch_train::forward(spec_, weights_, inputs_, {spec_.scores}).at(spec_.scores), "Torch");
}

TEST_P(Torchvision, logits_agree_in_the_naive_reference) {
  expect_parity(runtime::compile(spec_, weights_, {"reference", 0})->run(inputs_).at(spec_.scores), "reference");
}

INSTANTIATE_TEST_SUITE_P(Networks, Torchvision,
                         ::testing::Values(ImageNetwork{"resnet18", 224}, ImageNetwork{"resnet34", 224},
                                           ImageNetwork{"resnet50", 224}, ImageNetwork{"resnet101", 224},
                                           ImageNetwork{"mobilenet_v2", 224}, ImageNetwork{"inception_v3", 299}),
                         [](const auto& param) { return std::string(param.param.name); });

using TorchvisionInception = Torchvision;

// Published weights expect pixels from -1 to 1: torchvision makes them of ImageNet's normalisation inside of the network.
TEST_P(TorchvisionInception, logits_agree_where_the_input_is_transformed) {
  load({"transform_input"});
  for (float& pixel : inputs_["rgb"].values<float>()) pixel = (pixel - 127.5F) / 127.5F;
  expect_parity(runtime::compile(spec_, weights_, {"onednn", 0})->run(inputs_).at(spec_.scores), "oneDNN");
}

INSTANTIATE_TEST_SUITE_P(Networks, TorchvisionInception, ::testing::Values(ImageNetwork{"inception_v3", 299}),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace actio

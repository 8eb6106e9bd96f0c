// Parity with torchvision's own networks: python3-torch makes weights and logits, actio loads and runs them.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "net/initialise.h"
#include "net/weights.h"
#include "net/zoo.h"
#include "runtime/compile.h"
#include "support/compare.h"
#include "support/temp_dir.h"
#include "torch/evaluate.h"

namespace actio {
namespace {

constexpr double kAllowed = 1e-4;  // of the range of the logits

bool python_has_torchvision() {
  static const bool has = std::system("/usr/bin/python3 -c 'import torch, torchvision' 2>/dev/null") == 0;
  return has;
}

Tensor read_raw(const std::string& path, const Shape& shape) {
  const std::string bytes = read_text_file(path);
  Tensor tensor(shape);
  if (bytes.size() != tensor.bytes()) fail("{}: {} bytes, expected {}", path, bytes.size(), tensor.bytes());
  std::memcpy(tensor.raw(), bytes.data(), bytes.size());
  return tensor;
}

class Torchvision : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!python_has_torchvision()) GTEST_SKIP() << "needs the Debian packages python3-torch and python3-torchvision";
    name_ = GetParam();
    const std::string command = std::string("/usr/bin/python3 ") + ACTIO_SOURCE_DIR + "/tools/golden/torchvision_logits.py " +
                                dir_.path().string() + " " + name_ + " 224 >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    net::NetworkOptions options;
    options.network = "tsn";
    options.streams = "rgb";
    options.backbone = name_;
    options.segments = 1;
    options.classes = 1000;
    spec_ = net::build_network(options, {});
    TensorMap named;
    for (const auto& [key, tensor] : net::read_weights(dir_ / (name_ + ".pth"))) named["rgb." + key] = tensor;
    net::load_strict(spec_, named, weights_);
    inputs_["rgb"] = read_raw(dir_ / (name_ + ".input.f32"), {2, 3, 224, 224});
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

INSTANTIATE_TEST_SUITE_P(Networks, Torchvision, ::testing::Values("resnet18", "resnet34", "resnet50", "mobilenet_v2"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace actio

// Every network of the zoo as an ONNX file in OpenCV, against the reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <exception>

#include "core/error.h"
#include "exporter/onnx_export.h"
#include "models.h"
#include "op_models.h"
#include "opencv.h"
#include "support/temp_dir.h"

namespace actio::testing {
namespace {

// [clips*K, ...] -> [clips, K, ...]
TensorMap by_clip(const TensorMap& inputs, std::int64_t clips) {
  TensorMap whole;
  for (const auto& [name, tensor] : inputs) {
    Shape shape = tensor.shape();
    shape[0] /= clips;
    shape.insert(shape.begin(), clips);
    whole[name] = tensor.reshaped(shape);
  }
  return whole;
}

void expect_parity(const net::Model& model, std::int64_t clips) {
  const TempDir dir;
  const std::string path = dir / "net.onnx";
  const exporter::OnnxFile file = exporter::export_onnx(model, path, {.clips = clips});
  const TensorMap all = random_clips(model.spec, clips, 3);
  TensorMap inputs = by_clip(all, clips);
  std::erase_if(inputs, [&](const auto& input) {
    return std::ranges::none_of(file.inputs, [&](const exporter::OnnxPort& port) { return port.name == input.first; });
  });
  try {
    EXPECT_TRUE(outputs_agree(run_opencv(path, inputs), reference_outputs(model, all)));
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

struct ZooCase {
  std::string network, backbone;
  friend void PrintTo(const ZooCase& c, std::ostream* out) { *out << c.network << " on " << c.backbone; }
};

std::vector<ZooCase> zoo_cases() {
  std::vector<ZooCase> cases;
  for (const std::string& network : net::network_names()) {
    for (const char* backbone : {"resnet18", "mobilenet_v2", "inception_v3"}) {
      if (!variants(network, backbone).empty()) cases.push_back({network, backbone});
    }
  }
  return cases;
}

class OpenCv : public ::testing::TestWithParam<ZooCase> {};

TEST_P(OpenCv, computes_the_scores_of_the_reference_from_the_file) {
  for (const Variant& variant : variants(GetParam().network, GetParam().backbone)) {
    SCOPED_TRACE(variant.name);
    expect_parity(random_model(variant.options), 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, OpenCv, ::testing::ValuesIn(zoo_cases()),
                         [](const auto& param) { return param.param.network + "_" + param.param.backbone; });

TEST(Parity, is_not_reached_by_another_model_or_other_clips) {
  const net::NetworkOptions options = variants("if_ttn", "resnet18").front().options;
  const net::Model model = random_model(options);
  const TensorMap inputs = random_clips(model.spec, 2, 3);
  const TensorMap expected = reference_outputs(model, inputs);
  EXPECT_TRUE(outputs_agree(expected, expected));
  EXPECT_FALSE(outputs_agree(reference_outputs(model, random_clips(model.spec, 2, 4)), expected));
  net::Model other = model;
  Tensor kernel = model.weights.at("ttn.layer2.0.conv1.weight").clone();
  for (float& x : kernel.values<float>()) x *= 1.02F;
  other.weights["ttn.layer2.0.conv1.weight"] = kernel;
  EXPECT_FALSE(outputs_agree(reference_outputs(other, inputs), expected));
}

TEST(OpenCvOps, compute_what_the_reference_does_with_every_option) {
  for (const OpModel& each : op_models()) {
    SCOPED_TRACE(each.name);
    if (each.in_opencv) expect_parity(each.model, 2);
  }
}

}  // namespace
}  // namespace actio::testing

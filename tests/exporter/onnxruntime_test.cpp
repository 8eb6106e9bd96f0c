// The files in ONNX Runtime, where python3 has it, against the reference.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "exporter/onnx_export.h"
#include "models.h"
#include "op_models.h"
#include "support/temp_dir.h"

namespace actio::testing {
namespace {

bool has_onnxruntime() { return std::system("python3 -c 'import numpy, onnxruntime' >/dev/null 2>&1") == 0; }

void write_raw(const std::string& path, const Tensor& tensor) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(tensor.raw()), static_cast<std::streamsize>(tensor.bytes()));
}

Tensor read_raw(const std::string& path, const Shape& shape) {
  Tensor tensor(shape);
  std::ifstream stream(path, std::ios::binary);
  stream.read(reinterpret_cast<char*>(tensor.raw()), static_cast<std::streamsize>(tensor.bytes()));
  if (!stream || stream.peek() != std::ifstream::traits_type::eof()) fail("{}: is not {}", path, shape_text(shape));
  return tensor;
}

// Models in a folder, run at once.
class Batch {
 public:
  void add(const std::string& name, const net::Model& model, std::int64_t clips, std::int64_t exported_clips) {
    const std::string base = dir_ / std::to_string(cases_.size());
    exporter::export_onnx(model, base + ".onnx", {.clips = exported_clips});
    const TensorMap inputs = random_clips(model.spec, clips, 4);
    for (const auto& [input, tensor] : inputs) write_raw(base + "." + input + ".f32", tensor);
    cases_.push_back({name, base, reference_outputs(model, inputs)});
  }

  void expect_parity() const {
    const std::string script = std::string(ACTIO_SOURCE_DIR) + "/tests/exporter/run_onnx.py";
    ASSERT_EQ(std::system(("python3 " + script + " " + (dir_ / "") + " > " + (dir_ / "log") + " 2>&1").c_str()), 0)
        << std::ifstream(dir_ / "log").rdbuf();
    double worst = 0;
    for (const Case& each : cases_) {
      TensorMap actual;
      for (const auto& [output, expected] : each.expected) {
        actual[output] = read_raw(each.base + "." + output + ".f32", expected.shape());
        worst = std::max(worst, relative_error(actual[output], expected));
      }
      EXPECT_TRUE(outputs_agree(actual, each.expected)) << each.name;
    }
    std::cout << cases_.size() << " models, largest difference " << worst << " of the range; ONNX Runtime "
              << std::ifstream(dir_ / "log").rdbuf();
  }

 private:
  struct Case {
    std::string name, base;
    TensorMap expected;
  };
  TempDir dir_;
  std::vector<Case> cases_;
};

class OnnxRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_onnxruntime()) GTEST_SKIP() << "python3 has no onnxruntime";
  }
};

TEST_F(OnnxRuntime, computes_the_scores_of_every_network_for_any_number_of_clips) {
  Batch batch;
  for (const std::string& network : net::network_names()) {
    for (const char* backbone : {"resnet18", "mobilenet_v2", "inception_v3"}) {
      const std::vector<Variant> all = variants(network, backbone);
      for (std::size_t i = 0; i < all.size(); i += 7) {
        const net::Model model = random_model(all[i].options);
        batch.add(fmt::format("{} on {}, N open", all[i].name, backbone), model, 2, 0);
        if (i == 0) batch.add(fmt::format("{} on {}, N = 2", all[i].name, backbone), model, 2, 2);
      }
    }
  }
  batch.expect_parity();
}

TEST_F(OnnxRuntime, computes_what_the_reference_does_with_every_option) {
  Batch batch;
  for (const OpModel& each : op_models()) batch.add(each.name, each.model, 3, 0);
  batch.expect_parity();
}

}  // namespace
}  // namespace actio::testing

// Every network against its definition in Python (tools/golden/networks.py): outputs in evaluation mode of the reference, of
// oneDNN and of the Torch reader; the loss and every gradient in training mode; parameters and multiply-adds.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "net/describe.h"
#include "net/initialise.h"
#include "net/weights.h"
#include "network_cases.h"
#include "python.h"
#include "runtime/compile.h"
#include "support/needs.h"
#include "support/compare.h"
#include "support/temp_dir.h"
#include "torch/forward.h"
#include "torch/graph/graph.h"
#include "torch/trainer/losses.h"
#include "torch/graph/torch_compat.h"

namespace actio {
namespace {

using testing::NetworkCase;
using testing::range_error;

// Python measures what float32 alone costs it. Another order of sums, folded batch norms and other kernels round as well,
// but differently: they may cost 16 times as much, and a few units in the last place of what is compared.
constexpr double kShareOfRounding = 16;
constexpr double kUlps = 4 * 0x1p-23;
constexpr double kMostAllowed = 1e-4;       // of the range of an output, whatever Python measured
constexpr double kExactGradient = 1e-9;     // double precision against double precision
constexpr double kLeastEffect = 1e-6;       // of the whole gradient, on that of a parameter
constexpr double kSmallestGradient = 1e-5;  // of the whole gradient: smaller ones are compared as if they had this size
constexpr double kMostMoved = 0.05;         // of the whole gradient, where f32 may put units on the other side of a kink

bool is_fixed(const net::ParamInfo& info) { return info.role == net::ParamRole::kScalars && !info.trainable; }

// In training, a batch norm takes out what the shift of an earlier one adds everywhere, as after the projections of
// MobileNetV2, where only 1x1 convolutions lie between the two.
bool has_effect(const net::NetSpec& spec, const net::ParamInfo& info) {
  if (info.role != net::ParamRole::kShift || spec.name.find("mobilenet_v2") == std::string::npos) return true;
  return std::ranges::any_of(spec.nodes, [&](const net::Node& node) {
    return node.op == net::Op::kRelu6 && node.inputs.at(0) == info.node;
  });
}

double length(const at::Tensor& tensor) { return tensor.norm().item<double>(); }

// What Python wrote about one network.
class Golden {
 public:
  explicit Golden(const std::string& path) : tensors_(net::read_torch_checkpoint(path)) {}

  // Those below "PREFIX.".
  TensorMap group(const std::string& prefix) const {
    TensorMap found;
    for (const auto& [name, tensor] : tensors_) {
      if (name.starts_with(prefix + ".")) found[name.substr(prefix.size() + 1)] = tensor;
    }
    return found;
  }
  const Tensor& tensor(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail("{}: Python wrote no such tensor", name);
    return found->second;
  }
  double number(const std::string& name) const { return tensor(name).data<double>()[0]; }
  std::int64_t whole(const std::string& name) const { return tensor(name).data<std::int64_t>()[0]; }

 private:
  TensorMap tensors_;
};

class Comparison {
 public:
  Comparison(NetworkCase c, const std::string& path) : case_(std::move(c)), spec_(case_.spec()), golden_(path) {
    TensorMap fresh;
    net::initialise(spec_, nullptr, 1, fresh);
    TensorMap named = golden_.group("weights");
    // The weights of a late fusion and of an average are options in Python.
    for (const net::ParamInfo& info : net::parameters(spec_)) {
      if (!is_fixed(info)) continue;
      named[info.name] = fresh.at(info.name);
      fixed_ += shape_numel(info.shape);
    }
    net::load_strict(spec_, named, weights_);  // refuses a parameter that either side lacks
    inputs_ = golden_.group("inputs");
    const auto labels = golden_.tensor("labels").values<std::int64_t>();
    labels_.assign(labels.begin(), labels.end());
    expected_[spec_.scores] = net::to_f32(golden_.tensor("eval.scores"));
    expected_[spec_.output] = net::to_f32(golden_.tensor("eval.probabilities"));
    for (const net::Head& head : spec_.heads) expected_[head.node] = net::to_f32(golden_.tensor("eval.heads." + head.name));
    allowed_ = std::min(kMostAllowed, kShareOfRounding * golden_.number("eval.rounding") + kUlps);
  }

  void run() {
    expect_meaningful_outputs();
    const double reference = worst(runtime::compile(spec_, weights_, {"reference", 1})->run(inputs_), "reference");
    const double onednn = worst(runtime::compile(spec_, weights_, {"onednn", 1})->run(inputs_), "oneDNN");
    std::vector<std::string> nodes;
    for (const auto& [node, tensor] : expected_) nodes.push_back(node);
    const double torch = worst(torch_train::forward(spec_, weights_, inputs_, nodes), "Torch");
    expect_counts();
    const double exact = expect_exact_gradients();
    const double rounded = expect_rounded_gradients();
    std::printf("%-34s allowed %.1e: reference %.1e, oneDNN %.1e, Torch %.1e; gradients f64 %.1e, f32 %.1e\n",
                case_.name.c_str(), allowed_, reference, onednn, torch, exact, rounded);
  }

 private:
  // Equal scores for all clips, or the same for all classes, would compare well with almost anything.
  void expect_meaningful_outputs() const {
    EXPECT_EQ(golden_.group("eval.heads").size(), spec_.heads.size());
    for (const auto& [node, tensor] : expected_) {
      const auto values = tensor.values<float>();
      const auto [low, high] = std::ranges::minmax(values);
      double difference = 0;
      for (std::size_t i = 0; i < values.size() / 2; ++i) {
        difference = std::max(difference, std::fabs(static_cast<double>(values[i]) - values[i + values.size() / 2]));
      }
      EXPECT_EQ(tensor.dim(0), 2) << node;
      EXPECT_GT(difference, 0.04 * (high - low)) << node << ": the clips are alike";
      EXPECT_GT(high - low, 0.25 / static_cast<double>(tensor.dim(1))) << node << ": the classes are alike";
    }
    for (const float probability : expected_.at(spec_.output).values<float>()) EXPECT_LT(probability, 0.999);
  }

  // Of the range, over scores, probabilities and the heads that the engine gives.
  double worst(const TensorMap& actual, const char* engine) const {
    double largest = 0;
    for (const auto& [node, tensor] : expected_) {
      const bool training_only = std::ranges::any_of(
          spec_.heads, [&](const net::Head& head) { return head.training_only && head.node == node; });
      if (training_only && !actual.contains(node)) continue;
      const double error = range_error(actual.at(node), tensor);
      EXPECT_LE(error, allowed_) << engine << " " << node;
      largest = std::max(largest, error);
    }
    return largest;
  }

  // Parameters: what training may change. Multiply-adds: products of convolutions and linear layers in a whole clip of K
  // snippets, K-1 pairs and the part that exists once; no batch norms, activations, pools, sums or products of features.
  void expect_counts() const {
    const net::Description description = net::describe(spec_);
    EXPECT_EQ(description.parameters - fixed_, golden_.whole("counts.parameters"));
    EXPECT_EQ(description.clip_multiply_adds, golden_.whole("counts.multiply_adds"));
  }

  // The norm of the difference over the norm of what is expected, see kSmallestGradient.
  double gradient_error(const at::Tensor& actual, const Tensor& expected) const {
    const at::Tensor wanted = as_torch(expected);
    if (actual.sizes() != wanted.sizes()) return HUGE_VAL;
    const double scale = std::max(length(wanted), kSmallestGradient * whole_gradient());
    const double error = length(actual.to(at::kDouble) - wanted) / scale;
    return std::isfinite(error) ? error : HUGE_VAL;
  }
  static at::Tensor as_torch(const Tensor& tensor) {
    return at::from_blob(const_cast<double*>(tensor.data<double>()), tensor.shape(), at::kDouble);
  }
  double whole_gradient() const {
    double squares = 0;
    for (const auto& [name, tensor] : golden_.group("train.gradients")) squares += std::pow(length(as_torch(tensor)), 2);
    return std::sqrt(squares);
  }

  double expect_exact_gradients() {
    const TensorMap expected = golden_.group("train.gradients");
    torch_train::Graph graph(spec_, weights_, {.dtype = at::kDouble});
    const auto values = graph.run(inputs_, torch_train::loss_nodes(spec_), {.training = true, .gradients = true});
    const at::Tensor loss =
        torch_train::total_loss(spec_, values, torch_train::check_labels(spec_, values, labels_, {}));
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), golden_.number("train.loss"), kExactGradient);
    const double whole = whole_gradient();
    double largest = 0;
    std::size_t count = 0;
    for (const torch_train::Parameter& parameter : graph.parameters()) {
      const std::string& name = parameter.info.name;
      if (!parameter.info.trainable) continue;
      ++count;
      if (!expected.contains(name) || !parameter.tensor.grad().defined()) {
        ADD_FAILURE() << name << " has no gradient";
        continue;
      }
      if (has_effect(spec_, parameter.info)) {
        EXPECT_GT(length(as_torch(expected.at(name))), kLeastEffect * whole) << name;
      }
      const double error = gradient_error(parameter.tensor.grad(), expected.at(name));
      EXPECT_LE(error, kExactGradient) << name;
      largest = std::max(largest, error);
    }
    EXPECT_EQ(count, expected.size());
    return largest;
  }

  double expect_rounded_gradients() {
    const torch_train::Gradients actual = torch_train::loss_gradients(spec_, weights_, inputs_, labels_);
    const TensorMap expected = golden_.group("train.gradients");
    const double whole = whole_gradient();
    double largest = 0, squares = 0;
    for (const auto& [name, tensor] : expected) {
      const Tensor& gradient = actual.gradients.at(name);
      const at::Tensor mine = at::from_blob(const_cast<float*>(gradient.data<float>()), gradient.shape(), at::kFloat);
      const double error = gradient_error(mine, tensor);
      squares += std::pow(length(mine.to(at::kDouble) - as_torch(tensor)) / whole, 2);
      largest = std::max(largest, error);
      if (!case_.exact_kinks) continue;
      EXPECT_LE(error, kShareOfRounding * golden_.number("train.rounding." + name) + kUlps) << name;
    }
    EXPECT_EQ(golden_.whole("train.smooth"), case_.exact_kinks ? 1 : 0) << "Python found no inputs far from kinks";
    // Rounding may have moved the input of some ReLU across 0, which changes the gradient by that unit's share.
    EXPECT_LE(std::sqrt(squares), kMostMoved);
    return case_.exact_kinks ? largest : std::sqrt(squares);
  }

  NetworkCase case_;
  net::NetSpec spec_;
  Golden golden_;
  TensorMap weights_, inputs_, expected_;
  std::vector<std::int64_t> labels_;
  std::int64_t fixed_ = 0;
  double allowed_ = 0;
};

void expect_parity(const std::vector<NetworkCase>& cases) {
  ACTIO_NEEDS_PACKAGE(testing::python_has_torchvision(), "python3-torchvision");
  const testing::TempDir dir;
  Json list = Json::array();
  for (NetworkCase c : cases) list.push_back(c.json());
  torch_train::set_thread_count(1);  // as all here: on values this small, more wait for each other, long on a busy machine
  write_file_atomically(dir / "cases.json", list.dump());
  testing::run_golden_script("networks.py", {dir.path().string(), dir / "cases.json"});
  std::set<std::string> names;
  for (const NetworkCase& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_TRUE(names.insert(c.name).second) << "two cases of one name";
    Comparison(c, dir / (c.name + ".pth")).run();
    std::filesystem::remove(dir / (c.name + ".pth"));
  }
}

TEST(NetworksAsInPython, a_single_residual_inception_block) { expect_parity(testing::res_inc_cases()); }
TEST(NetworksAsInPython, stfn_in_every_fusion_and_direction) { expect_parity(testing::stfn_fusion_cases()); }
TEST(NetworksAsInPython, stfn_in_every_design_and_depth) { expect_parity(testing::stfn_design_cases()); }
TEST(NetworksAsInPython, if_ttn_with_every_fusion_module) { expect_parity(testing::ifm_cases()); }
TEST(NetworksAsInPython, if_ttn_from_every_stage) { expect_parity(testing::ttn_cases()); }
TEST(NetworksAsInPython, tsn_in_every_modality) { expect_parity(testing::tsn_cases()); }
TEST(NetworksAsInPython, the_other_baselines) { expect_parity(testing::baseline_cases()); }
TEST(NetworksAsInPython, on_deeper_resnets) { expect_parity(testing::resnet_cases()); }
TEST(NetworksAsInPython, on_mobilenet_v2) { expect_parity(testing::mobilenet_cases()); }
TEST(NetworksAsInPython, on_inception_v3) { expect_parity(testing::inception_cases()); }

}  // namespace
}  // namespace actio

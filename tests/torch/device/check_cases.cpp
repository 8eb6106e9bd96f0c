#include "check_cases.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <limits>

#include "../nets.h"
#include "net/initialise.h"
#include "net/zoo.h"
#include "torch/graph/graph.h"
#include "torch/graph/torch_compat.h"
#include "torch/trainer/losses.h"

namespace actio::testing {
namespace {

constexpr std::int64_t kClasses = 5;  // of PatternSource
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kScale = 1024;  // of the loss in half precision, whose smallest numbers are large

// std::max leaves out what is not a number.
double larger(double a, double b) { return std::isnan(a) || std::isnan(b) ? kNan : std::max(a, b); }

TensorMap first_weights(const net::NetSpec& spec, std::uint64_t moved) {
  TensorMap weights;
  net::initialise(spec, nullptr, 7, weights);
  if (moved == 0) return weights;
  Rng rng(moved);
  for (const auto& [name, tensor] : weights) {
    Tensor copy(tensor.shape());
    std::ranges::transform(tensor.values<float>(), copy.values<float>().begin(), [&](float value) {
      return std::nextafter(value,
                            rng.below(2) == 0 ? -std::numeric_limits<float>::max() : std::numeric_limits<float>::max());
    });
    weights[name] = copy;
  }
  return weights;
}

}  // namespace

net::NetSpec check_network(const std::string& name, const std::string& backbone) {
  net::NetworkOptions options;
  options.network = value_named<net::NetworkKind>("network", name);
  options.backbone = value_named<net::BackboneKind>("backbone", backbone);
  options.width = 0.25;
  options.classes = kClasses;
  options.segments = 3;
  options.dropout_rgb = options.dropout_motion = options.dropout_ttn = options.stfn_dropout = 0;
  Preprocess preprocess;
  preprocess.input_size = 64;
  preprocess.motion = Motion::kVectors;
  preprocess.motion_length = 2;
  return net::build_network(options, preprocess);
}

Step run_step(const net::NetSpec& spec, const Setting& setting) {
  torch_train::GraphOptions options;
  options.device = torch_train::find_device(value_named<training::Device>("device", setting.device));
  if (options.device.is_cuda()) torch_train::set_up_cuda(setting.precision == "tf32");
  if (setting.precision == "f64") options.dtype = at::kDouble;
  options.bf16 = setting.precision == "bf16";
  options.fp16 = setting.precision == "fp16";
  options.own_kernels = setting.own_kernels;
  torch_train::Graph graph(spec, first_weights(spec, 0), options);
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < 8; ++i) labels.push_back(i % kClasses);
  const TensorMap inputs = random_inputs(spec, static_cast<std::int64_t>(labels.size()), 11);
  const auto values = graph.run(inputs, torch_train::loss_nodes(spec), {.training = true, .gradients = true});
  const at::Tensor loss = torch_train::total_loss(spec, values, torch_train::check_labels(spec, values, labels, {}));
  const double scale = options.fp16 ? kScale : 1;
  (loss * scale).backward();
  Step step{loss.item<double>(), {}, {}};
  for (const torch_train::Parameter& parameter : graph.parameters()) {
    if (!parameter.tensor.grad().defined()) continue;
    step.names.push_back(parameter.info.name);
    step.gradients.push_back(parameter.tensor.grad().to(at::kCPU, at::kDouble) / scale);
  }
  return step;
}

Distance distance(const Step& a, const Step& b) {
  Distance result{std::abs(a.loss - b.loss) / std::abs(b.loss), kNan, kNan, ""};
  if (a.names != b.names || a.names.empty()) return result;
  double apart = 0, whole = 0;
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    apart += std::pow((a.gradients[i] - b.gradients[i]).norm().item<double>(), 2);
    whole += std::pow(b.gradients[i].norm().item<double>(), 2);
  }
  result.all = std::sqrt(apart / whole);
  result.worst = 0;
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    const double size = b.gradients[i].norm().item<double>();
    if (size < 1e-3 * std::sqrt(whole)) continue;
    const double own = (a.gradients[i] - b.gradients[i]).norm().item<double>() / size;
    if (!(own <= result.worst)) result.where = a.names[i];
    result.worst = larger(result.worst, own);
  }
  return result;
}

torch_train::Training run_training(const net::NetSpec& spec, const Setting& setting, std::uint64_t moved,
                                   const std::function<void(torch_train::Training&)>& change) {
  torch_train::Training run = torch_train::prepare(spec);
  run.job.options.device = value_named<training::Device>("device", setting.device);
  run.job.options.tf32 = setting.precision == "tf32";
  run.job.options.bf16 = setting.precision == "bf16";
  run.job.options.fp16 = setting.precision == "fp16";
  run.job.options.learning_rate = 0.005;
  run.job.options.epochs = 4;
  run.job.options.batch_size = 10;
  run.job.options.evaluate_every = 0;
  run.job.options.threads = 0;
  run.weights = first_weights(spec, moved);
  if (change) change(run);
  torch_train::PatternSource train(spec, 20, 10, 3), test(spec, 10, 10, 4);
  start(run, train, &test);
  return run;
}

double losses_apart(const torch_train::Training& a, const torch_train::Training& b) {
  if (a.losses.size() != b.losses.size() || !a.result.test || !b.result.test) return kNan;
  double apart = std::abs(a.result.test->loss - b.result.test->loss);
  for (std::size_t i = 0; i < a.losses.size(); ++i) apart = larger(apart, std::abs(a.losses[i] - b.losses[i]));
  return apart / b.losses.at(0);
}

double weights_apart(const TensorMap& a, const TensorMap& b, const TensorMap& first) {
  double apart = 0, learned = 0;
  for (const auto& [name, tensor] : b) {
    const auto from = first.at(name).values<float>(), x = a.at(name).values<float>(), y = tensor.values<float>();
    for (std::size_t i = 0; i < y.size(); ++i) {
      apart += std::pow(static_cast<double>(x[i]) - static_cast<double>(y[i]), 2);
      learned += std::pow(static_cast<double>(y[i]) - static_cast<double>(from[i]), 2);
    }
  }
  return std::sqrt(apart / learned);
}

}  // namespace actio::testing

#include "torch/trainer/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"
#include "torch/graph/convert.h"
#include "torch/kernels/kernels.h"

namespace actio::torch_train {
namespace {

constexpr double kSecondDecay = 0.999;  // adamw
constexpr double kTiny = 1e-8;          // keeps divisors from zero

const Tensor& state_tensor(const TensorMap& state, const std::string& key, const at::Tensor& like) {
  const Tensor& found = state.at(key);
  const Shape wanted(like.sizes().begin(), like.sizes().end());
  if (found.shape() != wanted) fail_data("{}: expected shape {}, got {}", key, shape_text(wanted), shape_text(found.shape()));
  return found;
}

bool lies_as(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == at::kFloat && a.is_cpu() && a.is_non_overlapping_and_dense() && a.sizes() == b.sizes() &&
         a.strides() == b.strides();
}

// Calls work(begin, count) for parts of the tensor's elements, on all threads.
template <typename Work>
void in_parts(const at::Tensor& tensor, const Work& work) {
  constexpr std::int64_t kGrain = 32768;
  at::parallel_for(0, tensor.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) { work(begin, end - begin); });
}

}  // namespace

Optimizer::Optimizer(std::vector<Parameter>& parameters, const TrainOptions& options) : options_(options) {
  for (Parameter& parameter : parameters) {
    if (!parameter.info.trainable) continue;
    slots_.push_back({parameter.info.name, parameter.tensor, {}, {}, parameter.head ? options.head_learning_rate : 1.0});
  }
  if (slots_.empty()) fail_usage("the network has no parameter to train");
}

double Optimizer::gradient_norm() const {
  const at::NoGradGuard guard;
  std::vector<at::Tensor> norms;
  for (const Slot& slot : slots_) {
    if (slot.tensor.grad().defined()) norms.push_back(slot.tensor.grad().norm());
  }
  return norms.empty() ? 0 : at::stack(norms).to(at::kDouble).norm().item<double>();
}

void Optimizer::scale_gradients(double factor) {
  const at::NoGradGuard guard;
  for (Slot& slot : slots_) {
    if (slot.tensor.grad().defined()) slot.tensor.mutable_grad().mul_(factor);
  }
}

// A large network's step is bound by memory: in one pass where the tensors allow it, in several where not.

void Optimizer::change_sgd(Slot& slot, const at::Tensor& gradient, double scale, double rate) const {
  if (options_.momentum != 0 && !slot.velocity.defined()) slot.velocity = at::zeros_like(slot.tensor);
  if (options_.momentum != 0 && lies_as(slot.tensor, gradient) && lies_as(slot.velocity, slot.tensor)) {
    const kernels::MomentumStep step{static_cast<float>(scale), static_cast<float>(options_.weight_decay),
                                     static_cast<float>(options_.momentum), static_cast<float>(rate)};
    const float* from = gradient.data_ptr<float>();
    auto* velocity = slot.velocity.data_ptr<float>();
    auto* weight = slot.tensor.data_ptr<float>();
    in_parts(slot.tensor, [&](std::int64_t begin, std::int64_t count) {
      kernels::momentum_step(count, step, from + begin, velocity + begin, weight + begin);
    });
    return;
  }
  if (scale != 1) gradient.mul_(scale);
  if (options_.weight_decay != 0) gradient.add_(slot.tensor, options_.weight_decay);
  if (options_.momentum != 0) slot.velocity.mul_(options_.momentum).add_(gradient);
  slot.tensor.add_(options_.momentum != 0 ? slot.velocity : gradient, -rate);
}

void Optimizer::change_rmsprop(Slot& slot, const at::Tensor& gradient, double scale, double rate) const {
  if (!slot.square.defined()) slot.square = at::zeros_like(slot.tensor);
  if (options_.momentum == 0 && lies_as(slot.tensor, gradient) && lies_as(slot.square, slot.tensor)) {
    const kernels::RmsStep step{.scale = static_cast<float>(scale),
                                .decay = static_cast<float>(options_.weight_decay),
                                .keep = static_cast<float>(options_.rmsprop_decay),
                                .take = static_cast<float>(1 - options_.rmsprop_decay),
                                .rate = static_cast<float>(rate),
                                .tiny = static_cast<float>(kTiny)};
    const float* from = gradient.data_ptr<float>();
    auto* square = slot.square.data_ptr<float>();
    auto* weight = slot.tensor.data_ptr<float>();
    in_parts(slot.tensor, [&](std::int64_t begin, std::int64_t count) {
      kernels::rms_step(count, step, from + begin, square + begin, weight + begin);
    });
    return;
  }
  if (scale != 1) gradient.mul_(scale);
  if (options_.weight_decay != 0) gradient.add_(slot.tensor, options_.weight_decay);
  slot.square.mul_(options_.rmsprop_decay).addcmul_(gradient, gradient, 1 - options_.rmsprop_decay);
  at::Tensor change = gradient / slot.square.sqrt().add_(kTiny);
  if (options_.momentum != 0) {
    if (slot.velocity.defined()) slot.velocity.mul_(options_.momentum).add_(change);
    else slot.velocity = change.clone();
    change = slot.velocity;
  }
  slot.tensor.add_(change, -rate);
}

void Optimizer::change_adamw(Slot& slot, const at::Tensor& gradient, double scale, double rate) const {
  if (!slot.square.defined()) {
    slot.square = at::zeros_like(slot.tensor);
    slot.velocity = at::zeros_like(slot.tensor);
  }
  const double first = 1 - std::pow(options_.momentum, static_cast<double>(slot.steps));
  const double second = 1 - std::pow(kSecondDecay, static_cast<double>(slot.steps));
  if (lies_as(slot.tensor, gradient) && lies_as(slot.square, slot.tensor) && lies_as(slot.velocity, slot.tensor)) {
    const kernels::AdamStep step{.scale = static_cast<float>(scale),
                                 .shrink = static_cast<float>(rate * options_.weight_decay),
                                 .keep_mean = static_cast<float>(options_.momentum),
                                 .take_mean = static_cast<float>(1 - options_.momentum),
                                 .keep_square = static_cast<float>(kSecondDecay),
                                 .take_square = static_cast<float>(1 - kSecondDecay),
                                 .correction = static_cast<float>(1 / second),
                                 .rate = static_cast<float>(rate / first),
                                 .tiny = static_cast<float>(kTiny)};
    const float* from = gradient.data_ptr<float>();
    auto* mean = slot.velocity.data_ptr<float>();
    auto* square = slot.square.data_ptr<float>();
    auto* weight = slot.tensor.data_ptr<float>();
    in_parts(slot.tensor, [&](std::int64_t begin, std::int64_t count) {
      kernels::adam_step(count, step, from + begin, mean + begin, square + begin, weight + begin);
    });
    return;
  }
  if (scale != 1) gradient.mul_(scale);
  slot.tensor.mul_(1 - rate * options_.weight_decay);
  slot.velocity.mul_(options_.momentum).add_(gradient, 1 - options_.momentum);
  slot.square.mul_(kSecondDecay).addcmul_(gradient, gradient, 1 - kSecondDecay);
  slot.tensor.addcdiv_(slot.velocity, (slot.square / second).sqrt_().add_(kTiny), -rate / first);
}

void Optimizer::step(double factor, double norm) {
  const at::NoGradGuard guard;
  const double scale = options_.clip_gradient > 0 && norm > options_.clip_gradient ? options_.clip_gradient / norm : 1;
  for (Slot& slot : slots_) {
    const at::Tensor gradient = slot.tensor.grad();
    if (!gradient.defined()) continue;
    ++slot.steps;
    const double rate = options_.learning_rate * slot.rate * factor;
    switch (options_.optimizer) {
      case training::StepRule::kSgd: change_sgd(slot, gradient, scale, rate); break;
      case training::StepRule::kRmsprop: change_rmsprop(slot, gradient, scale, rate); break;
      case training::StepRule::kAdamw: change_adamw(slot, gradient, scale, rate); break;
    }
  }
  clear_gradients();
}

void Optimizer::clear_gradients() {
  for (Slot& slot : slots_) slot.tensor.mutable_grad().reset();
}

void Optimizer::store(TensorMap& state) const {
  for (const Slot& slot : slots_) {
    if (slot.velocity.defined()) state["optimizer.velocity." + slot.name] = from_torch(slot.velocity);
    if (slot.square.defined()) state["optimizer.square." + slot.name] = from_torch(slot.square);
    Tensor steps({1}, DType::kI64);
    steps.values<std::int64_t>()[0] = slot.steps;
    state["optimizer.steps." + slot.name] = steps;
  }
}

void Optimizer::load(const TensorMap& state) {
  const at::NoGradGuard guard;
  for (Slot& slot : slots_) {
    const auto restore = [&](const std::string& key, at::Tensor& tensor) {
      if (!state.contains(key)) return;
      tensor = at::empty_like(slot.tensor);
      tensor.copy_(to_torch(state_tensor(state, key, slot.tensor), key));
    };
    restore("optimizer.velocity." + slot.name, slot.velocity);
    restore("optimizer.square." + slot.name, slot.square);
    const auto steps = state.find("optimizer.steps." + slot.name);
    if (steps == state.end()) fail_data("the state has no tensor 'optimizer.steps.{}'", slot.name);
    slot.steps = steps->second.values<std::int64_t>()[0];
  }
}

}  // namespace actio::torch_train

#include "torch/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"

namespace actio::torch_train {

Optimizer::Optimizer(std::vector<Parameter>& parameters, const TrainOptions& options) : options_(options) {
  if (options.optimizer != "sgd") fail_usage("optimizer: '{}' is unknown; known: sgd", options.optimizer);
  for (Parameter& parameter : parameters) {
    if (!parameter.info.trainable) continue;
    slots_.push_back({parameter.tensor, {}, parameter.head ? options.head_learning_rate : 1.0});
  }
  if (slots_.empty()) fail("the network has no parameter to train");
}

double Optimizer::gradient_norm() const {
  const at::NoGradGuard guard;
  std::vector<at::Tensor> norms;
  for (const Slot& slot : slots_) {
    if (slot.tensor.grad().defined()) norms.push_back(slot.tensor.grad().norm());
  }
  return norms.empty() ? 0 : at::stack(norms).to(at::kDouble).norm().item<double>();
}

void Optimizer::step(double factor, double norm) {
  const at::NoGradGuard guard;
  const double scale = options_.clip_gradient > 0 && norm > options_.clip_gradient ? options_.clip_gradient / norm : 1;
  for (Slot& slot : slots_) {
    if (!slot.tensor.grad().defined()) continue;
    at::Tensor change = slot.tensor.grad();
    if (scale != 1) change.mul_(scale);
    if (options_.weight_decay != 0) change.add_(slot.tensor, options_.weight_decay);
    if (options_.momentum != 0) {
      if (slot.velocity.defined())
        slot.velocity.mul_(options_.momentum).add_(change);
      else
        slot.velocity = change.clone();
      change = slot.velocity;
    }
    slot.tensor.add_(change, -options_.learning_rate * slot.rate * factor);
  }
  clear_gradients();
}

void Optimizer::clear_gradients() {
  for (Slot& slot : slots_) slot.tensor.mutable_grad().reset();
}

}  // namespace actio::torch_train

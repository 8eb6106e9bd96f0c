#include "torch/trainer/ema.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/error.h"
#include "torch/graph/convert.h"

namespace actio::torch_train {

WeightAverage::WeightAverage(const std::vector<Parameter>& parameters, double decay) : decay_(decay) {
  if (!active()) return;
  const at::NoGradGuard guard;
  for (const Parameter& parameter : parameters) slots_.push_back({parameter.info.name, parameter.tensor, parameter.tensor.detach().clone()});
}

void WeightAverage::update() {
  const at::NoGradGuard guard;
  ++steps_;
  const double early = static_cast<double>(1 + steps_) / static_cast<double>(10 + steps_);
  for (Slot& slot : slots_) slot.average.lerp_(slot.parameter.detach(), 1 - std::min(decay_, early));
}

void WeightAverage::swap() {
  const at::NoGradGuard guard;
  for (Slot& slot : slots_) {
    const at::Tensor kept = slot.parameter.detach().clone();
    slot.parameter.copy_(slot.average);
    slot.average.copy_(kept);
  }
}

void WeightAverage::store(TensorMap& state) const {
  for (const Slot& slot : slots_) state["ema." + slot.name] = from_torch(slot.average);
  if (!active()) return;
  Tensor steps({1}, DType::kI64);
  steps.values<std::int64_t>()[0] = steps_;
  state["ema_steps"] = steps;
}

void WeightAverage::load(const TensorMap& state) {
  const at::NoGradGuard guard;
  for (Slot& slot : slots_) {
    const auto found = state.find("ema." + slot.name);
    if (found == state.end()) fail_data("the state has no tensor 'ema.{}'", slot.name);
    slot.average.copy_(to_torch(found->second, found->first));
  }
  const auto steps = state.find("ema_steps");
  if (steps != state.end()) steps_ = steps->second.values<std::int64_t>()[0];
}

}  // namespace actio::torch_train

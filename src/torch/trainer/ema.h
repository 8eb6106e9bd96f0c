// torch: a running average of the weights, which is often the better model. In: parameters after each step. Out: their
// averages.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/tensor.h"
#include "torch/graph/graph.h"

namespace actio::torch_train {

class WeightAverage {
 public:
  // decay 0: nothing is averaged.
  WeightAverage(const std::vector<Parameter>& parameters, double decay);

  bool active() const { return decay_ > 0; }

  // average = decay * average + (1 - decay) * parameter. In the first steps the decay is (1 + steps) / (10 + steps) where that
  // is less, so that the first weights are soon forgotten.
  void update();

  // Exchanges averages and parameters.
  void swap();

  // "ema.NAME" and the number of steps. Throws: Error naming a tensor that is missing.
  void store(TensorMap& state) const;
  void load(const TensorMap& state);

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter, average;
  };

  std::vector<Slot> slots_;
  double decay_ = 0;
  std::int64_t steps_ = 0;
};

}  // namespace actio::torch_train

// torch: changes parameters by their gradients. In: parameters after backward(). Out: the same parameters, changed.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "torch/graph.h"
#include "torch/train.h"

namespace actio::torch_train {

// Stochastic gradient descent with momentum; the weight decay is part of the gradient and applies to every parameter.
class Optimizer {
 public:
  Optimizer(std::vector<Parameter>& parameters, const TrainOptions& options);

  // The Euclidean norm of all gradients together.
  double gradient_norm() const;

  // One step at the rate options.learning_rate * factor; gradients are first scaled so that their norm is at most
  // options.clip_gradient, and are gone afterwards.
  void step(double factor, double norm);

  void clear_gradients();

 private:
  struct Slot {
    at::Tensor tensor;
    at::Tensor velocity;
    double rate = 1;  // factor of this parameter
  };

  std::vector<Slot> slots_;
  TrainOptions options_;
};

}  // namespace actio::torch_train

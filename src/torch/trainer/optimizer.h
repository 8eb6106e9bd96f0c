// torch: changes parameters by their gradients. In: parameters after backward(). Out: the same parameters, changed.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <string>
#include <vector>

#include "torch/graph/graph.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {

// The weight decay applies to every parameter. sgd and rmsprop: it is part of the gradient. adamw: it is apart from it.
// Source: rmsprop: Tieleman and Hinton, lecture 6e; adamw: Loshchilov and Hutter, Decoupled Weight Decay
// Regularization (second decay 0.999).
class Optimizer {
 public:
  // Takes the parameters that are trainable. Throws: Error where none is.
  Optimizer(std::vector<Parameter>& parameters, const TrainOptions& options);

  // The Euclidean norm of all gradients together.
  double gradient_norm() const;

  void scale_gradients(double factor);

  // One step at the rate options.learning_rate * factor; gradients are first scaled so that their norm is at most
  // options.clip_gradient, and are gone afterwards.
  void step(double factor, double norm);

  void clear_gradients();

  // "optimizer.velocity.NAME" and the like. Throws: Error naming a tensor that is missing or misshapen.
  void store(TensorMap& state) const;
  void load(const TensorMap& state);

 private:
  struct Slot {
    std::string name;
    at::Tensor tensor;
    at::Tensor velocity;  // running sum or mean of gradients
    at::Tensor square;    // running mean of their squares
    double rate = 1;      // factor of this parameter
    std::int64_t steps = 0;
  };

  void change_sgd(Slot& slot, const at::Tensor& gradient, double scale, double rate) const;
  void change_rmsprop(Slot& slot, const at::Tensor& gradient, double scale, double rate) const;
  void change_adamw(Slot& slot, const at::Tensor& gradient, double scale, double rate) const;

  std::vector<Slot> slots_;
  TrainOptions options_;
};

}  // namespace actio::torch_train

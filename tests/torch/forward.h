// A NetSpec run through LibTorch without training it, as the trainer would; the runtime is compared with it.
#pragma once

#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::torch_train {

// In: f32 [N*K, ...] per input. Out: the values of the named nodes. Evaluation mode: no dropout, running statistics.
TensorMap forward(const net::NetSpec& spec, const TensorMap& weights, const TensorMap& inputs,
                  const std::vector<std::string>& nodes);

// One training-mode pass with dropout off: the loss of the spec's heads and the gradient of every trainable parameter.
struct Gradients {
  double loss = 0;
  TensorMap gradients;
};
Gradients loss_gradients(const net::NetSpec& spec, const TensorMap& weights, const TensorMap& inputs,
                         const std::vector<std::int64_t>& labels);

}  // namespace actio::torch_train

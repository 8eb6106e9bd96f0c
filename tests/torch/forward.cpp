#include "torch/forward.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "torch/graph/convert.h"
#include "torch/graph/graph.h"
#include "torch/trainer/losses.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train {

TensorMap forward(const net::NetSpec& spec, const TensorMap& weights, const TensorMap& inputs,
                  const std::vector<std::string>& nodes) {
  Graph graph(spec, weights);
  TensorMap result;
  for (const auto& [name, value] : graph.run(inputs, nodes, {})) result[name] = from_torch(value);
  return result;
}

Gradients loss_gradients(const net::NetSpec& spec, const TensorMap& weights, const TensorMap& inputs,
                         const std::vector<std::int64_t>& labels) {
  Graph graph(spec, weights);
  const Graph::Values values = graph.run(inputs, loss_nodes(spec), {.training = true, .gradients = true});
  const at::Tensor loss = total_loss(spec, values, check_labels(spec, values, labels, {}));
  try {
    loss.backward();
  } catch (const c10::Error& error) {
    fail("{}: the gradient failed: {}", spec.name, one_line(error));
  }
  Gradients result;
  result.loss = loss.item<double>();
  for (const Parameter& parameter : graph.parameters()) {
    if (!parameter.info.trainable) continue;
    const at::Tensor& gradient = parameter.tensor.grad();
    result.gradients[parameter.info.name] = gradient.defined() ? from_torch(gradient) : Tensor(parameter.info.shape);
  }
  return result;
}

}  // namespace actio::torch_train

#include "runtime/weights.h"

#include "core/error.h"
#include "net/infer.h"

namespace actio::runtime {
namespace {

// Elements of one row: 1 GiB, more than any layer of a real network needs.
constexpr std::int64_t kMaxRow = std::int64_t{1} << 28;

void check_parameter(const net::ParamInfo& param, const net::Node& node, const TensorMap& weights) {
  const auto found = weights.find(param.name);
  if (found == weights.end() || !found->second.defined()) {
    fail("the weights lack '{}' {}", param.name, shape_text(param.shape));
  }
  const Tensor& tensor = found->second;
  if (tensor.shape() != param.shape) {
    fail("{}: expected shape {}, got {}", param.name, shape_text(param.shape), shape_text(tensor.shape()));
  }
  if (tensor.dtype() != DType::kF32) fail("{}: expected f32, got {}", param.name, dtype_name(tensor.dtype()));
  if (param.role != net::ParamRole::kRunningVar) return;
  for (const float variance : tensor.values<float>()) {
    if (!(variance + node.attrs.epsilon > 0)) {
      fail_data("{}: variance {} with epsilon {} has no square root", param.name, variance, node.attrs.epsilon);
    }
  }
}

}  // namespace

void check_weights(const Subgraph& graph, const TensorMap& weights) {
  const auto values = infer_values(graph);
  for (const auto& [name, info] : values) {
    if (shape_numel(info.shape) > kMaxRow) {
      fail("{}: a value of shape {} is too large, at most {} elements are allowed", name, shape_text(info.shape), kMaxRow);
    }
  }
  for (const net::Node& node : graph.nodes) {
    for (const net::ParamInfo& param : values.at(node.name).params) check_parameter(param, node, weights);
  }
}

}  // namespace actio::runtime

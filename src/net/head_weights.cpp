#include "net/head_weights.h"

#include <algorithm>

#include "core/error.h"
#include "net/infer.h"

namespace actio::net {
namespace {

const Node* scores_of(const NetSpec& spec) {
  const auto node = std::ranges::find(spec.nodes, spec.scores, &Node::name);
  const bool fixed = node != spec.nodes.end() && node->op == Op::kWeightedSum && !node->attrs.trainable;
  return fixed ? &*node : nullptr;
}

}  // namespace

std::vector<Head> fused_heads(const NetSpec& spec) {
  const Node* scores = scores_of(spec);
  if (scores == nullptr) return {};
  std::vector<Head> heads;
  for (const std::string& input : scores->inputs) {
    const auto head = std::ranges::find(spec.heads, input, &Head::node);
    if (head == spec.heads.end() || head->loss != HeadLoss::kCrossEntropy) return {};
    heads.push_back(*head);
  }
  return heads;
}

void set_head_weights(NetSpec& spec, TensorMap& weights, const std::vector<double>& factors) {
  if (factors.size() != fused_heads(spec).size()) fail_internal("{} weights for {} heads", factors.size(), fused_heads(spec).size());
  const auto scores = std::ranges::find(spec.nodes, spec.scores, &Node::name);
  scores->attrs.weights = factors;
  for (const ParamInfo& param : parameters(spec)) {
    if (param.node != scores->name) continue;
    Tensor values({static_cast<std::int64_t>(factors.size())});
    std::ranges::transform(factors, values.data<float>(), [](double factor) { return static_cast<float>(factor); });
    weights[param.name] = values;
  }
}

}  // namespace actio::net

#include "torch/losses.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace actio::torch_train {
namespace {

constexpr double kFloor = 1e-12;  // a probability of 0 would have an infinite loss

at::Tensor head_loss(const net::Head& head, const at::Tensor& value, const at::Tensor& labels) {
  const at::Tensor full = value.scalar_type() == at::kBFloat16 ? value.to(at::kFloat) : value;
  if (head.loss == "nll") return at::nll_loss(full.clamp_min(kFloor).log(), labels);
  return at::cross_entropy_loss(full, labels);
}

}  // namespace

std::vector<std::string> loss_nodes(const net::NetSpec& spec) {
  if (spec.heads.empty()) fail("{}: the network has no head to train", spec.name);
  std::vector<std::string> nodes = {spec.output};
  for (const net::Head& head : spec.heads) nodes.push_back(head.node);
  return nodes;
}

at::Tensor total_loss(const net::NetSpec& spec, const Graph::Values& values, const at::Tensor& labels) {
  at::Tensor sum;
  for (const net::Head& head : spec.heads) {
    const at::Tensor loss = head_loss(head, values.at(head.node), labels) * head.weight;
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum;
}

at::Tensor check_labels(const net::NetSpec& spec, const Graph::Values& values, const std::vector<std::int64_t>& labels,
                        const std::vector<std::string>& paths) {
  for (const net::Head& head : spec.heads) {
    const at::Tensor& value = values.at(head.node);
    if (value.size(0) != static_cast<std::int64_t>(labels.size())) {
      fail("{}: {} clips and {} labels", head.node, value.size(0), labels.size());
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] >= 0 && labels[i] < value.size(1)) continue;
      fail_data("{}: label {} is outside of the {} classes of head '{}'", i < paths.size() ? paths[i] : spec.name, labels[i],
                value.size(1), head.name);
    }
  }
  return at::tensor(labels, at::kLong).to(values.begin()->second.device());
}

}  // namespace actio::torch_train

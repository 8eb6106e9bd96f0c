#include <algorithm>
#include <cmath>

#include "runtime/fuse.h"
#include "runtime/pages.h"

namespace actio::runtime {
namespace {

struct Factors {
  std::vector<double> scale, shift;
};

Factors factors_of(const net::Node& norm, const TensorMap& weights) {
  const auto values = [&](const char* suffix) { return weights.at(norm.name + suffix).values<float>(); };
  const auto gamma = values(".weight"), beta = values(".bias"), mean = values(".running_mean"),
             variance = values(".running_var");
  Factors factors;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double scale = gamma[c] / std::sqrt(static_cast<double>(variance[c]) + norm.attrs.epsilon);
    factors.scale.push_back(scale);
    factors.shift.push_back(beta[c] - mean[c] * scale);
  }
  return factors;
}

Tensor vector_of(const std::vector<double>& values) {
  const std::vector<float> rounded(values.begin(), values.end());
  return Tensor::of({static_cast<std::int64_t>(values.size())}, rounded);
}

const net::Node* norm_of(const FusedOp& op) {
  if (op.node.op == net::Op::kBatchNorm) return &op.node;
  return op.norm ? &*op.norm : nullptr;
}

}  // namespace

bool has_bias(const FusedOp& op) { return norm_of(op) || op.node.attrs.bias; }

Tensor folded_weight(const FusedOp& op, const TensorMap& weights) {
  const net::Node* norm = norm_of(op);
  if (!norm) return weights.at(op.node.name + ".weight");
  const Factors factors = factors_of(*norm, weights);
  if (norm == &op.node) return vector_of(factors.scale).reshaped({static_cast<std::int64_t>(factors.scale.size()), 1, 1, 1});
  const Tensor& own = weights.at(op.node.name + ".weight");
  Tensor folded = Tensor::wrap(own.shape(), DType::kF32, allocate_block(own.bytes()), own.bytes());
  const auto from = own.values<float>();
  const std::size_t per_channel = from.size() / factors.scale.size();
  auto* out = folded.data<float>();
  for (std::size_t c = 0; c < factors.scale.size(); ++c) {
    const auto channel = from.subspan(c * per_channel, per_channel);
    std::ranges::transform(channel, out + c * per_channel, [scale = factors.scale[c]](float value) { return static_cast<float>(value * scale); });
  }
  return folded;
}

Tensor folded_bias(const FusedOp& op, const TensorMap& weights) {
  const net::Node* norm = norm_of(op);
  if (!norm) return weights.at(op.node.name + ".bias");
  Factors factors = factors_of(*norm, weights);
  if (norm != &op.node && op.node.attrs.bias) {
    const auto bias = weights.at(op.node.name + ".bias").values<float>();
    for (std::size_t c = 0; c < bias.size(); ++c) factors.shift[c] += bias[c] * factors.scale[c];
  }
  return vector_of(factors.shift);
}

}  // namespace actio::runtime

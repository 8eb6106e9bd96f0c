#include "explain/pooled_head.h"

#include <fmt/format.h>

#include "net/infer.h"

namespace actio::explain {
namespace {

using net::Op;

bool passes_means(Op op) { return op == Op::kSegmentMean || op == Op::kDropout || op == Op::kFlatten; }

// Empty where the head has a map, else why not.
std::string walk(const net::NetSpec& spec, PooledHead& head) {
  const net::Node* node = &spec.node(head.node);
  for (;; node = &spec.node(node->inputs[0])) {
    if (passes_means(node->op)) continue;
    if (node->op == Op::kLinear && head.linear.empty()) {
      head.linear = node->name;
      continue;
    }
    if (node->op == Op::kGlobalAvgPool && !head.linear.empty()) {
      head.features = node->inputs[0];
      return "";
    }
    return fmt::format("its {} '{}' lies between the answer and pooled features", net::op_name(node->op), node->name);
  }
}

}  // namespace

PooledHeads pooled_heads(const net::NetSpec& spec) {
  PooledHeads found;
  const net::Inferred inferred = net::infer(spec);
  for (const net::Head& head : spec.heads) {
    if (head.training_only) continue;
    PooledHead pooled{.name = head.name, .node = head.node, .features = {}, .linear = {}};
    const std::string why = walk(spec, pooled);
    if (why.empty() && inferred.at(pooled.features).granularity == net::Granularity::kClip) {
      found.others.push_back(fmt::format("head '{}': its features are of the whole clip", head.name));
    } else if (why.empty()) {
      pooled.granularity = inferred.at(pooled.features).granularity;
      found.heads.push_back(std::move(pooled));
    } else {
      found.others.push_back(fmt::format("head '{}': {}", head.name, why));
    }
  }
  return found;
}

}  // namespace actio::explain

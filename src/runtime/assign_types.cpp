#include "runtime/assign_types.h"

namespace actio::runtime {
namespace {

using net::Op;

OpType type_of(const FusedOp& op, Precision asked, const QuickTypes& quick) {
  if (asked == Precision::kF32) return {};
  switch (op.node.op) {
    case Op::kConv2d:
    case Op::kConv1d: break;
    case Op::kLinear: return {Precision::kF32, "a classifier"};
    case Op::kSoftmax: return {Precision::kF32, "probabilities"};
    case Op::kBatchNorm: return {Precision::kF32, "a batch norm of its own"};
    default: return {Precision::kF32, "as what it reads"};
  }
  if (!quick.bf16) return {Precision::kF32, "the processor has no instructions for bfloat16"};
  return {asked, ""};
}

}  // namespace

std::vector<OpType> assign_types(const FusedGraph& graph, Precision asked, const QuickTypes& quick) {
  std::vector<OpType> types;
  for (const FusedOp& op : graph.ops) types.push_back(type_of(op, asked, quick));
  return types;
}

}  // namespace actio::runtime

#include "runtime/assign_types.h"

#include <set>

namespace actio::runtime {
namespace {

using net::Op;

bool is_convolution(const FusedOp& op) { return op.node.op == Op::kConv2d || op.node.op == Op::kConv1d; }

OpType type_of(const FusedOp& op, const Numerics& numerics, const QuickTypes& quick) {
  if (numerics.precision == Precision::kF32) return {};
  switch (op.node.op) {
    case Op::kConv2d:
    case Op::kConv1d: break;
    case Op::kLinear: return {Precision::kF32, "a classifier"};
    case Op::kSoftmax: return {Precision::kF32, "probabilities"};
    case Op::kBatchNorm: return {Precision::kF32, "a batch norm of its own"};
    default: return {Precision::kF32, "as what it reads"};
  }
  if (numerics.precision == Precision::kBf16 && !quick.bf16) return {Precision::kF32, "the processor has no instructions for bfloat16"};
  if (numerics.precision == Precision::kInt8 && !numerics.ranges.contains(op.node.inputs[0])) {
    return {Precision::kF32, "the range of what it reads was not measured"};
  }
  return {numerics.precision, ""};
}

// From the last op to the first: an op keeps 8 bits where a later one takes them.
void assign_stored(const FusedGraph& graph, const net::Ranges& ranges, std::vector<OpType>& types) {
  std::set<std::string> wanted;
  for (std::size_t i = graph.ops.size(); i-- > 0;) {
    const FusedOp& op = graph.ops[i];
    if (types[i].precision == Precision::kInt8) {
      types[i].stores_int8 = wanted.contains(op.output) && ranges.contains(op.output);
      wanted.insert(op.node.inputs[0]);
      if (types[i].stores_int8 && !op.residual.empty()) wanted.insert(op.residual);
    } else if (op.node.op == Op::kMaxPool2d && wanted.contains(op.output)) {
      wanted.insert(op.node.inputs[0]);
    }
  }
}

}  // namespace

std::vector<OpType> assign_types(const FusedGraph& graph, const Numerics& numerics, const QuickTypes& quick) {
  std::vector<OpType> types;
  for (const FusedOp& op : graph.ops) types.push_back(type_of(op, numerics, quick));
  if (numerics.precision == Precision::kInt8) assign_stored(graph, numerics.ranges, types);
  return types;
}

std::vector<std::string> values_to_measure(const FusedGraph& graph) {
  std::set<std::string> values;
  for (const FusedOp& op : graph.ops) {
    if (!is_convolution(op)) continue;
    values.insert({op.node.inputs[0], op.output});
    if (!op.residual.empty()) values.insert(op.residual);
  }
  return {values.begin(), values.end()};
}

}  // namespace actio::runtime

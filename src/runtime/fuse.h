// runtime: merges nodes that can be computed in one pass over memory. In: a piece of a network. Out: fewer, larger ops for a
// backend: convolution + batch norm + residual + activation. What is computed stays the same up to rounding.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "runtime/plan.h"

namespace actio::runtime {

enum class Activation { kNone, kRelu, kRelu6 };

// activation(norm(node(inputs)) + residual)
struct FusedOp {
  net::Node node;                 // its inputs name values: outputs of earlier ops, or inputs of the piece
  std::optional<net::Node> norm;  // batch_norm to be folded into the node's weights
  std::string residual;           // a value; empty for none
  Activation activation = Activation::kNone;
  std::string output;  // the value's name: the last node that was merged in
  Shape shape;         // of one row of it
};

// Ops in an order in which every value is computed before it is read. Dropout disappears: `outputs` names the value of
// each output port, in the order of the ports.
struct FusedGraph {
  std::vector<FusedOp> ops;
  std::vector<std::string> outputs;
};

FusedGraph fuse(const Subgraph& graph);

// The parameters of a convolution or linear node with its batch norm folded in, computed in double. A batch norm on its own
// is a convolution of 1x1 with a group for each channel.
bool has_bias(const FusedOp& op);
Tensor folded_weight(const FusedOp& op,
                     const TensorMap& weights);                   // f32, the shape of the node's own; or [channels, 1, 1, 1]
Tensor folded_bias(const FusedOp& op, const TensorMap& weights);  // f32 [channels], where has_bias

}  // namespace actio::runtime

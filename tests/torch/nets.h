// Small networks that together use every op, with random weights and inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::testing {

// Two basic blocks with a projection, a max pool with padding, one segment.
net::NetSpec residual_net();
// Two inverted residual blocks with relu6 and depthwise convolutions, one of them padded as TensorFlow does; three segments.
net::NetSpec inverted_residual_net();
// Two streams, adaptive fusion, a branch on adjacent pairs, three heads.
net::NetSpec fusion_net();
// Two streams of pooled features, 1-d convolutions with even kernels, maximum fusion, averaged probabilities with nll.
net::NetSpec sequence_net();
// Tuples of a sequence of pooled features, one perceptron for all tuples of a length, summed scores.
net::NetSpec relation_net();
// The node "op" on inputs "x0", "x1", ... of one row shape; its flattened values are the scores.
net::NetSpec single_op_net(net::Node node, const Shape& row, std::size_t inputs = 1, std::int64_t segments = 1);

struct NamedNet {
  std::string name;
  net::NetSpec spec;
};
std::vector<NamedNet> small_nets();

TensorMap random_weights(const net::NetSpec& spec, std::uint64_t seed);
TensorMap random_inputs(const net::NetSpec& spec, std::int64_t clips, std::uint64_t seed);

}  // namespace actio::testing

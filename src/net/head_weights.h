// net: the fixed weights with which a network fuses its heads' logits. In: a network. Out: which heads these are; the network with other
// weights.
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::net {

// The heads whose logits the network's scores are a fixed weighted sum of, in its order; none where the scores are made in another way
// (one head alone, probabilities that are averaged, weights that are learned).
std::vector<Head> fused_heads(const NetSpec& spec);

// Scores become the sum of factor * logits. Throws: Error(kInternal) for another number of factors than fused_heads.
void set_head_weights(NetSpec& spec, TensorMap& weights, const std::vector<double>& factors);

}  // namespace actio::net

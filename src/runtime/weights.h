// runtime: the check that makes a network's weights safe to execute. In: a piece and tensors by name. Out: nothing, or an
// Error.
#pragma once

#include "core/tensor.h"
#include "runtime/plan.h"

namespace actio::runtime {

// Throws: Error naming the tensor for a parameter that is missing, has another shape or type, or a variance that is not
// positive, and for a value too large to compute.
void check_weights(const Subgraph& graph, const TensorMap& weights);

}  // namespace actio::runtime

// What a piece of a network has to give in 8 bits: the reference backend op by op, on values and weights that were rounded to steps by hand.
#pragma once

#include "core/tensor.h"
#include "runtime/plan.h"
#include "runtime/precision.h"

namespace actio::testing {

// Results by output port. `records`: what the backend computed each op in.
TensorMap arbiter_of_int8(const runtime::Subgraph& graph, const TensorMap& weights, const TensorMap& inputs, std::int64_t rows,
                          const runtime::Numerics& numerics, const std::vector<runtime::OpRecord>& records);

}  // namespace actio::testing

// runtime: what each op of a piece is computed in. In: merged ops, what was asked for, what the processor has. Out: a type for each, and why
// it is another one.
#pragma once

#include <string>
#include <vector>

#include "runtime/fuse.h"
#include "runtime/precision.h"

namespace actio::runtime {

// What the processor computes faster than f32.
struct QuickTypes {
  bool bf16 = false;
};

struct OpType {
  Precision precision = Precision::kF32;
  std::string reason;  // why it is not what was asked for; empty where it is
};

// One for each op. Convolutions take what was asked for; classifiers, probabilities and batch norms of their own stay in f32, and what else there is
// passes on the type that it reads. Threads: safe.
std::vector<OpType> assign_types(const FusedGraph& graph, Precision asked, const QuickTypes& quick);

}  // namespace actio::runtime

// runtime: what each op of a piece is computed in. In: merged ops, what was asked for, what the processor has. Out: a type for each, and why
// it is another one.
#pragma once

#include <string>
#include <vector>

#include "runtime/fuse.h"
#include "runtime/precision.h"

namespace actio::runtime {

// What the processor has beyond f32.
struct QuickTypes {
  int width = 0;           // bits of a vector; 0: none that oneDNN has convolutions of 8 bits for
  bool bf16 = false;       // instructions for it
  bool fast_bf16 = false;  // and they are faster than f32's
  bool dot8 = false;       // products of 8 bits summed in 32 (VNNI); without it weights have 7 bits
};

struct OpType {
  Precision precision = Precision::kF32;
  std::string reason;      // why it is not what was asked for; empty where it is
  bool stores_int8 = false;  // its value is kept as 8 bits, because an op that reads it takes these
};

// One for each op. Convolutions take what was asked for; classifiers, probabilities and batch norms of their own stay in f32, and what else there is
// passes on the type that it reads. Threads: safe.
std::vector<OpType> assign_types(const FusedGraph& graph, const Numerics& numerics, const QuickTypes& quick);

// The values whose ranges 8-bit convolutions need: what they read, write and add. Threads: safe.
std::vector<std::string> values_to_measure(const FusedGraph& graph);

}  // namespace actio::runtime

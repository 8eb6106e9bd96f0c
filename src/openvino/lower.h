// openvino: a fused piece as a graph of OpenVINO's ops. In: a piece, weights, a number of rows. Out: the graph.
#pragma once

#include "openvino/bridge.h"
#include "runtime/fuse.h"
#include "runtime/precision.h"

namespace actio::openvino {

// Where an output port of a piece comes from.
struct Source {
  enum class Kind { kGraph, kInput, kOutput };  // computed into it, or the same value as an input or an earlier output
  Kind kind = Kind::kGraph;
  std::size_t port = 0;   // of the input or output
  std::size_t bytes = 0;  // of the value
};

struct Lowered {
  std::vector<Source> outputs;   // one per port
  std::size_t weight_bytes = 0;  // in the graph
  std::vector<runtime::OpRecord> records;  // of 8 bits: OpenVINO says of nothing else what it computes it in
};

// Adds the inputs and ops of `piece` to `graph`, and those of its outputs that are values of their own: of others OpenVINO leaves the caller's memory unwritten.
// Throws: Error naming the node that OpenVINO refuses.
Lowered lower(const runtime::Subgraph& piece, const TensorMap& weights, std::int64_t rows, const runtime::Numerics& numerics, Graph& graph);

// What went wrong, without where in OpenVINO's sources.
std::string message_of(const std::exception& error);

}  // namespace actio::openvino

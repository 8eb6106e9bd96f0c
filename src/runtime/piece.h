// runtime: one piece of a network with its plans, one per number of rows. In: the piece's inputs for any number of rows.
// Out: its outputs.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

#include "core/tensor.h"
#include "runtime/plan.h"

namespace actio::runtime {

class Piece {
 public:
  // Keeps references to the backend and the weights.
  Piece(Subgraph graph, Backend& backend, const TensorMap& weights, std::int64_t rows_at_once);

  const Subgraph& graph() const { return graph_; }

  // Rows are executed in chunks, so that memory stays bounded; the chunks' plans are compiled when first needed and the
  // most recent ones kept.
  // In: f32 [rows, ...] per input port, other names are ignored. Out: f32 [rows, ...] per output port.
  TensorMap run(const TensorMap& inputs, std::int64_t rows);

 private:
  Plan& plan_for(std::int64_t rows);

  Subgraph graph_;
  Backend& backend_;
  const TensorMap& weights_;
  std::int64_t rows_at_once_;
  std::list<std::pair<std::int64_t, std::unique_ptr<Plan>>> plans_;  // the most recently used first
};

// The rows that every port of `ports` has in `inputs`. Throws: Error naming the input and both shapes for one that is
// missing, has another type or shape, no rows, or not `per_clip` rows for each clip.
std::int64_t checked_rows(const std::vector<Port>& ports, const TensorMap& inputs, std::int64_t per_clip);

}  // namespace actio::runtime

// runtime: one piece of a network with its plans, one per batch size. In: the piece's inputs for any number of rows.
// Out: its outputs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "runtime/plan.h"

namespace actio::runtime {

// All plans of a piece, compiled.
// Threads: safe.
class PiecePlans {
 public:
  // `sizes` as batch_sizes() gives them; `plans`: one for each, or none where the piece has no outputs. Their backend has to outlive it.
  PiecePlans(Subgraph graph, std::vector<std::int64_t> sizes, std::vector<std::unique_ptr<Plan>> plans)
      : graph_(std::move(graph)), sizes_(std::move(sizes)), plans_(std::move(plans)) {}

  const Subgraph& graph() const { return graph_; }
  const std::vector<std::int64_t>& sizes() const { return sizes_; }  // falling
  const Plan& plan(std::size_t size) const { return *plans_[size]; }
  bool empty() const { return plans_.empty(); }
  std::size_t memory_bytes() const;  // that any one of its plans needs

 private:
  Subgraph graph_;
  std::vector<std::int64_t> sizes_;
  std::vector<std::unique_ptr<Plan>> plans_;  // one per size
};

// Runs a piece for one thread.
// Threads: one caller at a time. Owns: neither the plans nor the memory, which have to outlive it.
class PieceRunner {
 public:
  PieceRunner(const PiecePlans& plans, std::byte* memory);

  // Rows are executed in chunks of the sizes, so that memory stays bounded.
  // In: f32 [rows, ...] per input port, in the order of the ports. Out: f32 [rows, ...] per output port.
  void run(std::span<const float* const> inputs, std::span<float* const> outputs, std::int64_t rows);

 private:
  std::span<const std::int64_t> sizes_;
  std::vector<std::unique_ptr<Executor>> executors_;    // one per size
  std::vector<std::int64_t> input_rows_, output_rows_;  // elements of one row, per port
  std::vector<const float*> inputs_;                    // of the current chunk
  std::vector<float*> outputs_;
};

// Elements of one row of each port. Threads: safe.
std::vector<std::int64_t> row_sizes(const std::vector<Port>& ports);

// The rows that every port of `ports` has in `inputs`; 0 where there are no ports. Throws: Error naming the input and both
// shapes for one that is missing, has another type or shape, no rows, or not `per_clip` rows for each clip.
std::int64_t checked_rows(const std::vector<Port>& ports, const TensorMap& inputs, std::int64_t per_clip);

}  // namespace actio::runtime

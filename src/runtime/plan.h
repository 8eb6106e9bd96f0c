// runtime: the seam between the parts of a network and what executes them. In: one granularity's nodes and their weights.
// Out: a Plan for a fixed number of rows. A backend never sees a segment op: they lie between the plans.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/infer.h"
#include "net/netspec.h"

namespace actio::runtime {

struct Port {
  std::string name;
  Shape shape;  // of one row
};

// A piece of a network in which every value has the same number of rows.
struct Subgraph {
  std::vector<Port> inputs;      // network inputs, or results of segment ops
  std::vector<net::Node> nodes;  // in order; neither inputs nor segment ops
  std::vector<Port> outputs;     // what later pieces or the caller need; may name an input
};

// What every input and node of a piece is, by name. Throws: Error as net::infer_node.
std::map<std::string, net::NodeInfo, std::less<>> infer_values(const Subgraph& graph);

// Threads: one caller at a time.
class Plan {
 public:
  virtual ~Plan() = default;
  // Writes into the caller's tensors, so that a run allocates nothing and a batch can be filled piece by piece.
  // In: f32 [rows, ...] per input port. Out: f32 [rows, ...] per output port, all of them present.
  virtual void run(const TensorMap& inputs, TensorMap& outputs) = 0;
};

// Serves one network: what it prepared from the weights is kept by node name and shared by its plans, so it must not be
// destroyed before them.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::unique_ptr<Plan> compile(const Subgraph& graph, const TensorMap& weights, std::int64_t rows) = 0;
  // How many snippets or pairs are best executed at once.
  virtual std::int64_t rows_at_once() const = 0;
};

// threads: 0 takes one per core.
std::unique_ptr<Backend> make_reference_backend(std::int64_t threads);
std::unique_ptr<Backend> make_onednn_backend(std::int64_t threads);

}  // namespace actio::runtime

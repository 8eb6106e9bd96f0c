// runtime: the seam between the parts of a network and what executes them. In: one granularity's nodes and their weights.
// Out: a Plan for a fixed number of rows. A backend never sees a segment op: they lie between the plans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/infer.h"
#include "net/netspec.h"
#include "runtime/precision.h"

namespace actio::runtime {

struct Port {
  std::string name;
  Shape shape;             // of one row
  bool any_order = false;  // only differences of its rows are taken: a backend keeps the elements of a row in the order that it likes, in all such ports the same
};

// A piece of a network in which every value has the same number of rows.
struct Subgraph {
  std::vector<Port> inputs;      // network inputs, or results of segment ops
  std::vector<net::Node> nodes;  // in order; neither inputs nor segment ops
  std::vector<Port> outputs;     // what later pieces or the caller need; may name an input
};

// What every input and node of a piece is, by name. Throws: Error as net::infer_node.
std::map<std::string, net::NodeInfo, std::less<>> infer_values(const Subgraph& graph);

// A primitive of a plan, run by itself again and again.
struct StepTime {
  std::string node;    // the op that it belongs to
  std::string kind;    // "convolution", "depthwise convolution", "reorder", ...
  double seconds = 0;  // median
};

// Executes a plan for one thread.
// Threads: one caller at a time. Owns: neither the plan nor the memory it was made with, which both have to outlive it.
class Executor {
 public:
  virtual ~Executor() = default;
  // In: f32 [rows, ...] per input port, in the order of the ports. Out: f32 [rows, ...] per output port.
  // Throws: Error where the backend fails.
  virtual void run(std::span<const float* const> inputs, std::span<float* const> outputs) = 0;
  // Each step `repeats` times on its own, in order; nothing where the backend has none. In, Out: as run().
  virtual std::vector<StepTime> time_steps(std::span<const float* const>, std::span<float* const>, int /*repeats*/) { return {}; }
};

// Compiled for a fixed number of rows; does not change any more.
// Threads: safe; any number of executors run beside each other.
class Plan {
 public:
  virtual ~Plan() = default;
  // Of the memory for intermediate values that an executor works in.
  virtual std::size_t memory_bytes() const = 0;
  // `memory` starts at a 64-byte boundary; its content means nothing between runs, so that executors which never run at the
  // same time can share it.
  virtual std::unique_ptr<Executor> executor(std::byte* memory) const = 0;
};

struct PlanRequest {
  const Subgraph* graph = nullptr;
  std::int64_t rows = 1;
};

// Serves one network: what it prepared from the weights is kept by node name and shared by its plans, so it must not be
// destroyed before them.
// Threads: compile() from one at a time; afterwards it is only read.
class Backend {
 public:
  virtual ~Backend() = default;
  // All plans of a network, in the order of the requests. A tensor of `weights` that nobody else holds gives its memory back as soon as it is used, which is
  // why they are asked for together. Throws: Error naming the node that the backend refuses.
  virtual std::vector<std::unique_ptr<Plan>> compile(std::span<const PlanRequest> requests, TensorMap weights) = 0;
  virtual std::int64_t threads() const = 0;
  // What convolutions are computed in, which may be f32 where another precision was asked for.
  virtual Precision precision() const { return Precision::kF32; }
  // Of the ops of everything that was compiled, each once.
  virtual std::vector<OpRecord> records() const { return {}; }
  // How many snippets or pairs are best executed at once.
  virtual std::int64_t rows_at_once() const = 0;
  // Of the weights that the plans read.
  virtual std::size_t weight_bytes() const = 0;
};

}  // namespace actio::runtime

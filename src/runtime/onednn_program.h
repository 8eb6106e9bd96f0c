// runtime: what the oneDNN backend executes. In: primitives in order, with the buffers they read and write. Out: a Plan.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/depthwise_int8.h"
#include "runtime/onednn_compat.h"
#include "runtime/plan.h"

namespace actio::runtime {

enum class BufferKind { kArena, kInput, kOutput, kConstant };

struct Buffer {
  BufferKind kind = BufferKind::kArena;
  std::size_t bytes = 0;  // kArena
  std::size_t port = 0;   // kInput, kOutput: position in the program's list
  dnnl::memory constant;  // kConstant
};

struct Argument {
  int role = 0;  // DNNL_ARG_SRC, ...
  std::size_t buffer = 0;
  Desc desc;
};

// An op that oneDNN lacks, as reference loops on plain layouts. Its arguments: the inputs, then the output.
struct PlainOp {
  net::Node node;
  std::vector<Shape> shapes;  // of one row, in the order of the arguments
};

// An op that oneDNN is slow at. Its arguments: the input, the weight, the bias, the factors, then the output.
struct DepthwiseOp {
  DepthwiseInt8 shape;
  DepthwiseRows rows = nullptr;  // for numbers that fit, which is seen once the weights are there
};

struct Step {
  std::string node;  // the op that it belongs to
  dnnl::primitive primitive;
  std::vector<Argument> arguments;
  std::optional<PlainOp> plain;
  std::optional<DepthwiseOp> depthwise;
};

struct Program {
  std::int64_t rows = 0;
  std::vector<Port> inputs, outputs;
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
};

// Places the intermediate values into one block of memory. Throws: Error where that would be too large.
std::unique_ptr<Plan> make_onednn_plan(Program program, const dnnl::engine& engine, int threads);

}  // namespace actio::runtime

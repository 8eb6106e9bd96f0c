// exporter: writes the nodes, constants and ports of an ONNX graph under names that are unique. In: ops, tensors. Out: a
// GraphProto.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/tensor.h"

namespace actio::exporter {

using Integers = std::vector<std::int64_t>;
using Attribute = std::variant<std::int64_t, float, Integers>;

// One operator as ONNX names it, without its name and output.
struct OnnxOp {
  const char* type;                                              // "Conv"
  std::vector<std::string> inputs;                               // tensors
  std::vector<std::pair<const char*, Attribute>> attributes = {};
};

class GraphWriter {
 public:
  explicit GraphWriter(onnx::GraphProto& graph) : graph_(graph) {}

  // `wanted`, or with a number behind it where a tensor already has this name.
  std::string claim(const std::string& wanted);

  // A node called `name` that makes the tensor `output`, which was claimed.
  void add(const std::string& name, const OnnxOp& op, const std::string& output);
  // A helper beside a node of the network: it and its tensor are called `wanted`. Returns: the tensor.
  std::string add(const std::string& wanted, const OnnxOp& op);

  // Constants. Return: the tensor.
  std::string constant(const std::string& wanted, const Tensor& values);     // f32
  std::string constant(const std::string& wanted, const Integers& values);   // i64, one dimension

  std::string reshape(const std::string& wanted, const std::string& x, const Integers& shape);

  // Ports of the graph. A dimension of 0 is left open and called "N".
  void input(const std::string& name, const Shape& shape, const std::string& text);
  void output(const std::string& name, const Shape& shape, const std::string& text);

 private:
  onnx::GraphProto& graph_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace actio::exporter

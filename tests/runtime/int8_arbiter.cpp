#include "int8_arbiter.h"

#include <algorithm>
#include <cmath>

#include "fixture.h"
#include "runtime/assign_types.h"
#include "runtime/depthwise_int8.h"
#include "runtime/fuse.h"
#include "runtime/onednn_compat.h"
#include "runtime/quantize_values.h"

namespace actio::testing {
namespace {

using namespace runtime;

void round_to(Tensor& value, const IntType& type) {
  const float low = type.is_signed ? -128 : 0, high = type.is_signed ? 127 : 255;
  for (float& element : value.values<float>()) element = std::clamp(std::nearbyint(element / type.scale), low, high) * type.scale;
}

Tensor rounded(const Tensor& value, const IntType& type) {
  Tensor copy = value.clone();
  round_to(copy, type);
  return copy;
}

class Arbiter {
 public:
  Arbiter(const Subgraph& graph, const TensorMap& weights, const TensorMap& inputs, std::int64_t rows, const Numerics& numerics,
          const std::vector<OpRecord>& records)
      : weights_(weights), rows_(rows), numerics_(numerics), records_(records), values_(inputs) {
    const FusedGraph fused = fuse(graph);
    const std::vector<OpType> types = assign_types(fused, numerics, quick_types());
    for (const Port& port : graph.inputs) shapes_[port.name] = port.shape;
    for (std::size_t i = 0; i < fused.ops.size(); ++i) {
      const FusedOp& op = fused.ops[i];
      shapes_[op.output] = op.shape;
      values_[op.output] = is_int8(op) ? integers(op, types[i].stores_int8) : reals(op);
    }
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) results_[graph.outputs[i].name] = values_.at(fused.outputs[i]);
  }

  TensorMap results() { return results_; }

 private:
  bool is_int8(const FusedOp& op) const {
    const auto found = std::ranges::find(records_, op.node.name, &OpRecord::node);
    return found->precision == Precision::kInt8;
  }

  IntType type_of(const std::string& value) const { return int_type_of(numerics_.ranges.at(value)); }

  Tensor integers(const FusedOp& op, bool stores_int8) {
    const IntType in = type_of(op.node.inputs[0]);
    const Tensor weight = folded_weight(op, weights_);
    const Sums sums = quick_types().dot8 || in.is_signed ? Sums::k32Bits : Sums::k16BitPairs;
    const std::vector<float> scales = weight_scales(weight, sums);
    Tensor steps = weight.clone();
    const std::vector<float> shifts = to_steps(steps, scales, numerics_.ranges.at(op.node.inputs[0]).means);
    Tensor bias = has_bias(op) ? folded_bias(op, weights_).clone() : Tensor({op.shape[0]});
    for (std::size_t c = 0; has_bias(op) && c < shifts.size(); ++c) bias.values<float>()[c] -= shifts[c];
    const bool exact = is_own_depthwise(op, shapes_.at(op.node.inputs[0]));
    const auto elements = steps.values<float>();
    const std::size_t each = elements.size() / scales.size();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      // oneDNN halves the weights of signed values where pairs are summed in 16 bits.
      if (in.is_signed && !quick_types().dot8 && !exact) elements[i] = 2 * std::nearbyint(elements[i] / 2);
      elements[i] *= scales[i / each];
    }
    net::Node node = op.node;
    node.attrs.bias = true;
    const TensorMap own = {{node.name + ".weight", steps}, {node.name + ".bias", bias}};
    Tensor result = run(node, {rounded(values_.at(node.inputs[0]), in)}, own);
    if (!op.residual.empty()) {
      const Tensor& residual = values_.at(op.residual);
      add(result, stores_int8 ? rounded(residual, type_of(op.residual)) : residual);
    }
    activate(result, op.activation);
    if (stores_int8) round_to(result, type_of(op.output));
    return result;
  }

  Tensor reals(const FusedOp& op) {
    std::vector<Tensor> inputs;
    for (const std::string& input : op.node.inputs) inputs.push_back(values_.at(input));
    Tensor result = run(op.node, inputs, weights_);
    if (op.norm) {
      net::Node norm = *op.norm;
      shapes_[op.node.name] = op.shape;
      norm.inputs = {op.node.name};
      result = run(norm, {result}, weights_);
    }
    if (!op.residual.empty()) add(result, values_.at(op.residual));
    activate(result, op.activation);
    return result;
  }

  Tensor run(const net::Node& node, const std::vector<Tensor>& inputs, const TensorMap& weights) const {
    std::vector<Port> ports;
    TensorMap named;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (named.contains(node.inputs[i])) continue;
      ports.push_back({node.inputs[i], shapes_.at(node.inputs[i])});
      named[node.inputs[i]] = inputs[i];
    }
    const auto backend = make_backend("reference");
    return run_graph(*backend, graph_of(ports, {node}, {node.name}), weights, named, rows_).at(node.name);
  }

  static void add(Tensor& to, const Tensor& value) {
    const auto sums = to.values<float>();
    const auto others = value.values<float>();
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += others[i];
  }

  static void activate(Tensor& value, Activation activation) {
    if (activation == Activation::kNone) return;
    const float high = activation == Activation::kRelu6 ? 6 : INFINITY;
    for (float& element : value.values<float>()) element = std::clamp(element, 0.0F, high);
  }

  const TensorMap& weights_;
  std::int64_t rows_;
  const Numerics& numerics_;
  const std::vector<OpRecord>& records_;
  TensorMap values_, results_;
  std::map<std::string, Shape> shapes_;
};

}  // namespace

TensorMap arbiter_of_int8(const Subgraph& graph, const TensorMap& weights, const TensorMap& inputs, std::int64_t rows, const Numerics& numerics,
                          const std::vector<OpRecord>& records) {
  return Arbiter(graph, weights, inputs, rows, numerics, records).results();
}

}  // namespace actio::testing

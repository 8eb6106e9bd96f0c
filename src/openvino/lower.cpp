#include "openvino/lower.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "openvino/levels.h"
#include "openvino/pool_window.h"
#include "runtime/assign_types.h"
#include "runtime/quantize_values.h"

namespace actio::openvino {
namespace {

using net::Op;
using runtime::FusedOp;
using runtime::Precision;
using Value = Graph::Value;

class Lowering {
 public:
  Lowering(const TensorMap& weights, std::int64_t rows, const runtime::Numerics& numerics, Graph& graph)
      : weights_(weights), rows_(rows), numerics_(numerics), graph_(graph) {}

  Lowered run(const runtime::Subgraph& piece) {
    const runtime::FusedGraph fused = runtime::fuse(piece);
    for (const runtime::Port& port : piece.inputs) define(port.name, graph_.input(with_rows(port.shape)), port.shape);
    const auto types = assign_types(fused, numerics_, {});
    for (std::size_t i = 0; i < fused.ops.size(); ++i) {
      const FusedOp& op = fused.ops[i];
      add(op, types[i].precision == Precision::kInt8);
      if (numerics_.precision == Precision::kInt8) lowered_.records.push_back({op.node.name, op.node.op, types[i].precision, types[i].reason});
    }
    for (std::size_t i = 0; i < fused.outputs.size(); ++i) lowered_.outputs.push_back(source_of(piece, fused.outputs, i));
    return std::move(lowered_);
  }

 private:
  Source source_of(const runtime::Subgraph& piece, const std::vector<std::string>& outputs, std::size_t at) {
    const std::string& name = outputs[at];
    const auto bytes = static_cast<std::size_t>(rows_ * shape_numel(shapes_.at(name))) * sizeof(float);
    const auto input = std::ranges::find(piece.inputs, name, &runtime::Port::name);
    if (input != piece.inputs.end()) return {Source::Kind::kInput, static_cast<std::size_t>(input - piece.inputs.begin()), bytes};
    const auto earlier = std::ranges::find(outputs, name) - outputs.begin();
    if (static_cast<std::size_t>(earlier) < at) return {Source::Kind::kOutput, static_cast<std::size_t>(earlier), bytes};
    graph_.output(value(name));
    return {Source::Kind::kGraph, at, bytes};
  }

  void add(const FusedOp& op, bool int8) {
    try {
      graph_.set_name(op.output.c_str());
      Value made = int8 ? rounded_convolution(op) : made_of(op);
      if (!op.residual.empty()) made = graph_.pairwise(Pairwise::kAdd, made, rounded_.contains(op.residual) ? rounded_.at(op.residual) : value(op.residual));
      if (op.activation == runtime::Activation::kRelu) made = graph_.relu(made);
      if (op.activation == runtime::Activation::kRelu6) made = graph_.clamp(made, 0, 6);
      define(op.output, made, op.shape);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      fail("{}: OpenVINO refuses {} to {}: {}", op.node.name, net::op_name(op.node.op), shape_text(op.shape), message_of(error));
    }
  }

  Value made_of(const FusedOp& op) {
    const auto input = [&](std::size_t i) { return value(op.node.inputs[i]); };
    switch (op.node.op) {
      case Op::kConv2d:
      case Op::kConv1d: return with_bias(op, convolution(op, input(0), constant(in_groups(op, folded_weight(op, weights_)))));
      case Op::kBatchNorm: return with_bias(op, graph_.pairwise(Pairwise::kMul, input(0), per_channel(folded_weight(op, weights_), op.shape.size())));
      case Op::kLinear: return with_bias(op, graph_.product(input(0), constant(folded_weight(op, weights_))));
      case Op::kMaxPool2d: return max_pool(op);
      case Op::kAvgPool2d: return avg_pool(op);
      case Op::kGlobalAvgPool:
      case Op::kTimeMean: return graph_.mean_of_channels(input(0));
      case Op::kRelu: return graph_.relu(input(0));
      case Op::kRelu6: return graph_.clamp(input(0), 0, 6);
      case Op::kAdd: return graph_.pairwise(Pairwise::kAdd, input(0), input(1));
      case Op::kSub: return graph_.pairwise(Pairwise::kSub, input(0), input(1));
      case Op::kMul: return graph_.pairwise(Pairwise::kMul, input(0), input(1));
      case Op::kMax: return graph_.pairwise(Pairwise::kMax, input(0), input(1));
      case Op::kWeightedSum: return weighted_sum(op);
      case Op::kConcat: return concat(op);
      case Op::kSoftmax: return graph_.softmax(input(0));
      case Op::kFlatten: return graph_.reshaped(input(0), with_rows(op.shape));
      case Op::kTimeTuples: return time_tuples(op);
      case Op::kInput:
      case Op::kDropout:
      case Op::kSegmentDiff:
      case Op::kSegmentMean:
      case Op::kSegmentStack: break;
    }
    fail("{}: {} cannot be executed row by row", op.node.name, net::op_name(op.node.op));
  }

  Value convolution(const FusedOp& op, Value x, Value weight) { return graph_.convolution(x, weight, window_of(op.node), op.node.attrs.groups > 1); }

  // OpenVINO takes integers where both sides are rounded to levels; these are the runtime's own.
  Value rounded_convolution(const FusedOp& op) {
    const std::string& input = op.node.inputs[0];
    const net::Range& range = numerics_.ranges.find(input)->second;
    if (!rounded_.contains(input)) rounded_[input] = graph_.rounded_to(value(input), levels_of(range, shapes_.at(input).size() + 1));
    Tensor weight = folded_weight(op, weights_).clone();
    const bool wide = runtime::has_8bit_dot() && !numerics_.narrow_weights;
    const std::vector<float> scales = runtime::weight_scales(weight, wide ? runtime::Sums::k32Bits : runtime::Sums::k16BitPairs);
    const Tensor grouped = in_groups(op, weight.clone());
    const Value y = convolution(op, rounded_.at(input), graph_.rounded_to(constant(grouped), levels_of(scales, grouped.shape(), op.node.attrs.groups)));

    const bool known = static_cast<std::int64_t>(range.means.size()) == shapes_.at(input)[0];
    const std::vector<float> shifts = runtime::to_steps(weight, scales, known ? range.means : std::vector<float>());
    if (!has_bias(op)) return y;
    Tensor bias = folded_bias(op, weights_).clone();
    for (std::size_t c = 0; c < shifts.size(); ++c) bias.values<float>()[c] -= shifts[c];
    return graph_.pairwise(Pairwise::kAdd, y, per_channel(bias, op.shape.size()));
  }

  static Tensor in_groups(const FusedOp& op, Tensor weight) {
    const std::int64_t groups = op.node.attrs.groups;
    if (groups == 1) return weight;
    Shape shape = weight.shape();
    shape[0] /= groups;
    shape.insert(shape.begin(), groups);
    return weight.reshaped(shape);
  }

  Value with_bias(const FusedOp& op, Value x) {
    return has_bias(op) ? graph_.pairwise(Pairwise::kAdd, x, per_channel(folded_bias(op, weights_), op.shape.size())) : x;
  }

  Value max_pool(const FusedOp& op) {
    const PoolWindow pool = pool_window_of(op.node, shapes_.at(op.node.inputs[0]), op.shape);
    return graph_.max_pool(read_of(op, pool), pool.window);
  }

  // OpenVINO divides by the whole window or by what of it is input. Neither counts as PyTorch does where ceil_mode reaches beyond the padding, and dilation
  // it has none: there a sum is divided by a count of our own.
  Value avg_pool(const FusedOp& op) {
    const Shape& in = shapes_.at(op.node.inputs[0]);
    const PoolWindow pool = pool_window_of(op.node, in, op.shape);
    const Value x = read_of(op, pool);
    const bool count = op.node.attrs.count_padding;
    if (!pool.dilated && !(count && pool.extended)) return graph_.avg_pool(x, pool.window, count);
    const Tensor ones = filled({in[0], 1, 1, pool.window.kernel[0], pool.window.kernel[1]});
    const Value sum = graph_.convolution(x, constant(ones), pool.window, true);
    return graph_.pairwise(Pairwise::kMul, sum, constant(shares_of_taps(op.node, in, op.shape)));
  }

  // The input without what no window reaches.
  Value read_of(const FusedOp& op, const PoolWindow& pool) {
    Value x = value(op.node.inputs[0]);
    const Shape& in = shapes_.at(op.node.inputs[0]);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      if (pool.read[axis] < in[axis + 1]) x = graph_.first(x, static_cast<std::int64_t>(axis) + 2, pool.read[axis]);
    }
    return x;
  }

  Value weighted_sum(const FusedOp& op) {
    const auto scalars = weights_.at(op.node.name + ".weight").values<float>();
    Value sum = 0;
    for (std::size_t i = 0; i < scalars.size(); ++i) {
      const Value scalar = graph_.constant(Sizes(op.shape.size() + 1, 1), scalars.subspan(i, 1));
      const Value term = graph_.pairwise(Pairwise::kMul, value(op.node.inputs[i]), scalar);
      sum = i == 0 ? term : graph_.pairwise(Pairwise::kAdd, sum, term);
    }
    return sum;
  }

  Value concat(const FusedOp& op) {
    std::vector<Value> parts;
    for (const std::string& input : op.node.inputs) parts.push_back(value(input));
    return graph_.concat(parts);
  }

  Value time_tuples(const FusedOp& op) {
    const auto& indices = op.node.attrs.indices;
    const auto length = static_cast<std::size_t>(op.node.attrs.kernel[1]);
    std::vector<Value> parts;
    for (std::size_t i = 0; i < length; ++i) {
      Sizes own;
      for (std::size_t k = i; k < indices.size(); k += length) own.push_back(indices[k]);
      parts.push_back(graph_.columns(value(op.node.inputs[0]), own));
    }
    return graph_.concat(parts);
  }

  static Tensor filled(const Shape& shape) {
    Tensor ones(shape);
    std::ranges::fill(ones.values<float>(), 1.0F);
    return ones;
  }

  Value constant(const Tensor& tensor) {
    lowered_.weight_bytes += tensor.bytes();
    return graph_.constant(tensor.shape(), tensor.values<float>());
  }

  // A number for each channel of values of `rank` sizes a row.
  Value per_channel(const Tensor& numbers, std::size_t rank) {
    Shape shape(rank + 1, 1);
    shape[1] = numbers.numel();
    return constant(numbers.reshaped(shape));
  }

  Sizes with_rows(const Shape& row) const {
    Sizes sizes = {rows_};
    sizes.insert(sizes.end(), row.begin(), row.end());
    return sizes;
  }

  void define(const std::string& name, Value made, const Shape& row) {
    values_[name] = made;
    shapes_[name] = row;
  }
  Value value(const std::string& name) const { return values_.at(name); }

  const TensorMap& weights_;
  std::int64_t rows_;
  const runtime::Numerics& numerics_;
  Graph& graph_;
  std::map<std::string, Value> values_, rounded_;
  std::map<std::string, Shape> shapes_;  // of one row
  Lowered lowered_;
};

}  // namespace

Lowered lower(const runtime::Subgraph& piece, const TensorMap& weights, std::int64_t rows, const runtime::Numerics& numerics, Graph& graph) {
  return Lowering(weights, rows, numerics, graph).run(piece);
}

}  // namespace actio::openvino

#include "net/infer.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace actio::net {
namespace {

using InputNodes = std::vector<const NodeInfo*>;

constexpr std::int64_t kMaxSize = 1 << 20;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 33;  // of a row or a parameter
constexpr std::size_t kMaxNodes = 100'000;

struct Arity {
  std::size_t low, high;
};

Arity arity(Op op) {
  switch (op) {
    case Op::kInput: return {0, 0};
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kMax: return {2, 2};
    case Op::kWeightedSum:
    case Op::kConcat: return {1, 64};
    default: return {1, 1};
  }
}

void need_rank(const Node& node, const NodeInfo& input, std::size_t rank) {
  if (input.shape.size() != rank) {
    fail("{}: {} expects rows of {} dimensions, got {}", node.name, op_name(node.op), rank, shape_text(input.shape));
  }
}

void need_same_shapes(const Node& node, const InputNodes& inputs) {
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i]->shape != inputs[0]->shape) {
      fail("{}: {} expects equal shapes, got {} of '{}' and {} of '{}'", node.name, op_name(node.op),
           shape_text(inputs[0]->shape), node.inputs[0], shape_text(inputs[i]->shape), node.inputs[i]);
    }
  }
}

std::int64_t positive(const Node& node, const char* what, std::int64_t value) {
  if (value < 1 || value > kMaxSize) fail("{}: {} must be between 1 and {}, got {}", node.name, what, kMaxSize, value);
  return value;
}

std::int64_t not_negative(const Node& node, const char* what, std::int64_t value) {
  if (value < 0 || value > kMaxSize) fail("{}: {} must be between 0 and {}, got {}", node.name, what, kMaxSize, value);
  return value;
}

// Output length of a window along one axis.
std::int64_t window_length(const Node& node, std::int64_t size, std::size_t axis, std::int64_t pads) {
  const Attrs& attrs = node.attrs;
  const std::int64_t reach = (positive(node, "kernel", attrs.kernel[axis]) - 1) * positive(node, "dilation", attrs.dilation[axis]) + 1;
  const std::int64_t stride = positive(node, "stride", attrs.stride[axis]);
  const std::int64_t room = size + pads - reach;
  if (room < 0) fail("{}: a window of {} does not fit into {} with padding {}", node.name, reach, size, pads);
  return (attrs.ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
}

std::int64_t check_groups(const Node& node, std::int64_t in_channels) {
  const std::int64_t groups = positive(node, "groups", node.attrs.groups);
  if (in_channels % groups != 0 || node.attrs.channels % groups != 0) {
    fail("{}: {} groups must divide {} input and {} output channels", node.name, groups, in_channels, node.attrs.channels);
  }
  return groups;
}

// Costs of many nodes are added up, so each stays far below what overflows.
std::int64_t cost(const Node& node, const std::vector<std::int64_t>& factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product) || product > (std::int64_t{1} << 45)) {
      fail("{}: {} is too large: it takes more multiply-adds than any network needs", node.name, op_name(node.op));
    }
  }
  return product;
}

void check_extent(const Node& node, const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(count, size, &count) || count > kMaxElements) {
      fail("{}: a value of shape {} is too large, at most {} elements are allowed", node.name, shape_text(shape), kMaxElements);
    }
  }
}

void add_weight(const Node& node, NodeInfo& info, Shape shape) {
  info.params.push_back({node.name + ".weight", node.name, ParamRole::kWeight, std::move(shape), true});
  if (node.attrs.bias) info.params.push_back({node.name + ".bias", node.name, ParamRole::kBias, {node.attrs.channels}, true});
}

std::pair<std::int64_t, std::int64_t> pads_2d(const Node& node) {
  const Padding& padding = node.attrs.padding;
  return {not_negative(node, "padding", padding.top) + not_negative(node, "padding", padding.bottom),
          not_negative(node, "padding", padding.left) + not_negative(node, "padding", padding.right)};
}

void infer_conv2d(const Node& node, const NodeInfo& x, NodeInfo& info) {
  need_rank(node, x, 3);
  const std::int64_t channels = positive(node, "channels", node.attrs.channels);
  const std::int64_t per_group = x.shape[0] / check_groups(node, x.shape[0]);
  const auto [vertical, horizontal] = pads_2d(node);
  info.shape = {channels, window_length(node, x.shape[1], 0, vertical), window_length(node, x.shape[2], 1, horizontal)};
  const auto& kernel = node.attrs.kernel;
  add_weight(node, info, {channels, per_group, kernel[0], kernel[1]});
  info.multiply_adds = cost(node, {shape_numel(info.shape), per_group, kernel[0], kernel[1]});
}

void infer_conv1d(const Node& node, const NodeInfo& x, NodeInfo& info) {
  need_rank(node, x, 2);
  const std::int64_t channels = positive(node, "channels", node.attrs.channels);
  const std::int64_t per_group = x.shape[0] / check_groups(node, x.shape[0]);
  info.shape = {channels, window_length(node, x.shape[1], 1, pads_2d(node).second)};
  add_weight(node, info, {channels, per_group, node.attrs.kernel[1]});
  info.multiply_adds = cost(node, {shape_numel(info.shape), per_group, node.attrs.kernel[1]});
}

void infer_batch_norm(const Node& node, const NodeInfo& x, NodeInfo& info) {
  if (x.shape.empty()) fail("{}: batch_norm expects channels, got rows of shape []", node.name);
  info.shape = x.shape;
  const Shape channels = {x.shape[0]};
  info.params = {{node.name + ".weight", node.name, ParamRole::kScale, channels, true},
                 {node.name + ".bias", node.name, ParamRole::kShift, channels, true},
                 {node.name + ".running_mean", node.name, ParamRole::kRunningMean, channels, false},
                 {node.name + ".running_var", node.name, ParamRole::kRunningVar, channels, false}};
  info.multiply_adds = 0;  // folded into the convolution before it
}

void infer_pool(const Node& node, const NodeInfo& x, NodeInfo& info) {
  need_rank(node, x, 3);
  const Padding& padding = node.attrs.padding;
  for (const auto& [pad, kernel] : {std::pair{std::max(padding.top, padding.bottom), node.attrs.kernel[0]},
                                    std::pair{std::max(padding.left, padding.right), node.attrs.kernel[1]}}) {
    if (pad >= kernel) fail("{}: padding {} must be smaller than the window {}", node.name, pad, kernel);
  }
  const auto [vertical, horizontal] = pads_2d(node);
  std::int64_t height = window_length(node, x.shape[1], 0, vertical);
  std::int64_t width = window_length(node, x.shape[2], 1, horizontal);
  // As in PyTorch: in ceil mode a window must start inside of the input or its leading padding.
  if (node.attrs.ceil_mode && (height - 1) * node.attrs.stride[0] >= x.shape[1] + padding.top) --height;
  if (node.attrs.ceil_mode && (width - 1) * node.attrs.stride[1] >= x.shape[2] + padding.left) --width;
  info.shape = {x.shape[0], height, width};
}

void infer_linear(const Node& node, const NodeInfo& x, NodeInfo& info) {
  need_rank(node, x, 1);
  info.shape = {positive(node, "channels", node.attrs.channels)};
  add_weight(node, info, {node.attrs.channels, x.shape[0]});
  info.multiply_adds = node.attrs.channels * x.shape[0];
}

void infer_weighted_sum(const Node& node, const InputNodes& inputs, NodeInfo& info) {
  need_same_shapes(node, inputs);
  if (node.attrs.weights.size() != inputs.size()) {
    fail("{}: {} inputs need as many weights, got {}", node.name, inputs.size(), node.attrs.weights.size());
  }
  info.shape = inputs[0]->shape;
  info.params = {{node.name + ".weight", node.name, ParamRole::kScalars, {static_cast<std::int64_t>(inputs.size())},
                  node.attrs.trainable}};
}

void infer_concat(const Node& node, const InputNodes& inputs, NodeInfo& info) {
  info.shape = inputs[0]->shape;
  if (info.shape.empty()) fail("{}: concat expects channels, got rows of shape []", node.name);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    Shape rest = inputs[i]->shape;
    if (rest.size() != info.shape.size() || !std::equal(rest.begin() + 1, rest.end(), info.shape.begin() + 1)) {
      fail("{}: concat expects shapes that differ in channels only, got {} and {}", node.name, shape_text(inputs[0]->shape),
           shape_text(rest));
    }
    info.shape[0] += rest[0];
  }
}

// Tuples of columns of a sequence, each the columns' features one after the other.
void infer_time_tuples(const Node& node, const NodeInfo& x, NodeInfo& info) {
  need_rank(node, x, 2);
  const auto& indices = node.attrs.indices;
  const auto count = static_cast<std::int64_t>(indices.size());
  const std::int64_t length = positive(node, "kernel", node.attrs.kernel[1]);
  constexpr std::int64_t kMostIndices = 1 << 16;
  if (count > kMostIndices) fail("{}: {} indices, at most {} are allowed", node.name, count, kMostIndices);
  if (count == 0 || count % length != 0) fail("{}: {} indices do not make tuples of {}", node.name, count, length);
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= x.shape[1]) fail("{}: index {} is outside of {} columns", node.name, index, x.shape[1]);
  }
  info.shape = {cost(node, {x.shape[0], length}), count / length};
}

void infer_segment_op(const Node& node, const NodeInfo& x, std::int64_t segments, NodeInfo& info) {
  if (x.granularity == Granularity::kClip || (node.op == Op::kSegmentDiff && x.granularity == Granularity::kPair)) {
    fail("{}: {} expects {} values, got {} values of '{}'", node.name, op_name(node.op),
         node.op == Op::kSegmentDiff ? "snippet" : "snippet or pair", granularity_name(x.granularity), node.inputs[0]);
  }
  info.shape = x.shape;
  if (node.op == Op::kSegmentDiff) {
    if (segments < 2) fail("{}: segment_diff needs at least 2 segments, the network has {}", node.name, segments);
    info.granularity = Granularity::kPair;
    return;
  }
  info.granularity = Granularity::kClip;
  if (node.op == Op::kSegmentStack) {
    need_rank(node, x, 1);
    info.shape = {x.shape[0], x.granularity == Granularity::kPair ? segments - 1 : segments};
  }
}

void infer_input(const Node& node, NodeInfo& info) {
  if (node.attrs.shape.empty()) fail("{}: an input needs a shape", node.name);
  for (const std::int64_t size : node.attrs.shape) positive(node, "input size", size);
  info.shape = node.attrs.shape;
}

void infer_shape(const Node& node, const InputNodes& inputs, std::int64_t segments, NodeInfo& info) {
  switch (node.op) {
    case Op::kInput: return infer_input(node, info);
    case Op::kConv2d: return infer_conv2d(node, *inputs[0], info);
    case Op::kConv1d: return infer_conv1d(node, *inputs[0], info);
    case Op::kBatchNorm: return infer_batch_norm(node, *inputs[0], info);
    case Op::kMaxPool2d:
    case Op::kAvgPool2d: return infer_pool(node, *inputs[0], info);
    case Op::kGlobalAvgPool:
      need_rank(node, *inputs[0], 3);
      info.shape = {inputs[0]->shape[0]};
      return;
    case Op::kTimeMean:
      need_rank(node, *inputs[0], 2);
      info.shape = {inputs[0]->shape[0]};
      return;
    case Op::kLinear: return infer_linear(node, *inputs[0], info);
    case Op::kRelu:
    case Op::kRelu6: info.shape = inputs[0]->shape; return;
    case Op::kDropout:
      if (!(node.attrs.probability >= 0 && node.attrs.probability < 1)) {
        fail("{}: dropout probability must be in [0, 1), got {}", node.name, node.attrs.probability);
      }
      info.shape = inputs[0]->shape;
      return;
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kMax:
      need_same_shapes(node, inputs);
      info.shape = inputs[0]->shape;
      return;
    case Op::kWeightedSum: return infer_weighted_sum(node, inputs, info);
    case Op::kConcat: return infer_concat(node, inputs, info);
    case Op::kSoftmax:
      need_rank(node, *inputs[0], 1);
      info.shape = inputs[0]->shape;
      return;
    case Op::kFlatten: info.shape = {shape_numel(inputs[0]->shape)}; return;
    case Op::kTimeTuples: return infer_time_tuples(node, *inputs[0], info);
    case Op::kSegmentDiff:
    case Op::kSegmentMean:
    case Op::kSegmentStack: return infer_segment_op(node, *inputs[0], segments, info);
  }
}

void check_clip_vector(const NetSpec& spec, const Inferred& inferred, const std::string& what, const std::string& node) {
  const NodeInfo& info = inferred.at(node);
  if (info.granularity != Granularity::kClip || info.shape.size() != 1) {
    fail("{}: {} '{}' must be one vector per clip, got {} rows of shape {}", spec.name, what, node,
         granularity_name(info.granularity), shape_text(info.shape));
  }
}

void check_outputs(const NetSpec& spec, const Inferred& inferred) {
  check_clip_vector(spec, inferred, "the scores", spec.scores);
  check_clip_vector(spec, inferred, "the output", spec.output);
  for (const Head& head : spec.heads) check_clip_vector(spec, inferred, "head", head.node);
  for (const Stage& stage : spec.stages) inferred.at(stage.node);
}

}  // namespace

NodeInfo infer_node(const Node& node, const std::vector<const NodeInfo*>& inputs, std::int64_t segments) {
  const Arity allowed = arity(node.op);
  if (inputs.size() < allowed.low || inputs.size() > allowed.high) {
    fail("{}: {} takes {} inputs, got {}", node.name, op_name(node.op), allowed.low, inputs.size());
  }
  NodeInfo info;
  if (!inputs.empty()) info.granularity = inputs[0]->granularity;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i]->granularity != info.granularity) {
      fail("{}: {} mixes {} values of '{}' and {} values of '{}'", node.name, op_name(node.op),
           granularity_name(info.granularity), node.inputs[0], granularity_name(inputs[i]->granularity), node.inputs[i]);
    }
  }
  infer_shape(node, inputs, segments, info);
  check_extent(node, info.shape);
  for (const ParamInfo& param : info.params) check_extent(node, param.shape);
  return info;
}

const NodeInfo& Inferred::at(std::string_view node) const {
  const auto found = index.find(node);
  if (found == index.end()) fail("the network has no node '{}'", node);
  return nodes[found->second];
}

Inferred infer(const NetSpec& spec) {
  if (spec.segments < 1 || spec.segments > 1024) {
    fail("{}: the number of segments must be between 1 and 1024, got {}", spec.name, spec.segments);
  }
  if (std::max({spec.nodes.size(), spec.heads.size(), spec.stages.size()}) > kMaxNodes) {
    fail("{}: {} nodes, {} heads and {} stages; at most {} are allowed", spec.name, spec.nodes.size(), spec.heads.size(),
         spec.stages.size(), kMaxNodes);
  }
  Inferred inferred;
  for (const Node& node : spec.nodes) {
    if (node.name.empty()) fail("{}: a node has no name", spec.name);
    InputNodes inputs;
    for (const std::string& input : node.inputs) {
      const auto found = inferred.index.find(input);
      if (found == inferred.index.end()) fail("{}: its input '{}' is not an earlier node", node.name, input);
      inputs.push_back(&inferred.nodes[found->second]);
    }
    NodeInfo info = infer_node(node, inputs, spec.segments);
    if (!inferred.index.emplace(node.name, inferred.nodes.size()).second) fail("{}: two nodes have this name", node.name);
    inferred.nodes.push_back(std::move(info));
  }
  check_outputs(spec, inferred);
  return inferred;
}

std::vector<ParamInfo> parameters(const NetSpec& spec) {
  std::vector<ParamInfo> all;
  for (const NodeInfo& info : infer(spec).nodes) all.insert(all.end(), info.params.begin(), info.params.end());
  return all;
}

std::int64_t row_count(Granularity granularity, std::int64_t clips, std::int64_t segments) {
  switch (granularity) {
    case Granularity::kSnippet: return clips * segments;
    case Granularity::kPair: return clips * (segments - 1);
    case Granularity::kClip: return clips;
  }
  return 0;
}

}  // namespace actio::net

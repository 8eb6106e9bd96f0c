#include "net/builder.h"

#include "core/error.h"

namespace actio::net {

Padding same_padding(std::int64_t all_sides) { return {all_sides, all_sides, all_sides, all_sides}; }

Builder::Builder(std::string name, std::int64_t segments) {
  spec_.name = std::move(name);
  spec_.segments = segments;
}

Value Builder::add_node(Node node) {
  std::vector<const NodeInfo*> inputs;
  for (const Value& input : node.inputs) inputs.push_back(&inferred_.at(input));
  NodeInfo info = infer_node(node, inputs, spec_.segments);
  if (!inferred_.index.emplace(node.name, inferred_.nodes.size()).second) fail("{}: two nodes have this name", node.name);
  inferred_.nodes.push_back(std::move(info));
  spec_.nodes.push_back(std::move(node));
  return spec_.nodes.back().name;
}

Value Builder::input(const std::string& name, Shape shape) {
  Node node{name, Op::kInput, {}, {}};
  node.attrs.shape = std::move(shape);
  return add_node(std::move(node));
}

Value Builder::conv2d(const std::string& name, const Value& x, const Conv& conv) {
  Node node{name, Op::kConv2d, {x}, {}};
  node.attrs.channels = conv.channels;
  node.attrs.kernel = {conv.kernel, conv.kernel_width > 0 ? conv.kernel_width : conv.kernel};
  node.attrs.stride = {conv.stride, conv.stride};
  node.attrs.groups = conv.groups;
  node.attrs.bias = conv.bias;
  node.attrs.padding = conv.padding;
  return add_node(std::move(node));
}

Value Builder::conv1d(const std::string& name, const Value& x, const Conv& conv) {
  Node node{name, Op::kConv1d, {x}, {}};
  node.attrs.channels = conv.channels;
  node.attrs.kernel = {1, conv.kernel};
  node.attrs.stride = {1, conv.stride};
  node.attrs.groups = conv.groups;
  node.attrs.bias = conv.bias;
  node.attrs.padding = conv.padding;
  return add_node(std::move(node));
}

Value Builder::batch_norm(const std::string& name, const Value& x, double epsilon) {
  Node node{name, Op::kBatchNorm, {x}, {}};
  node.attrs.epsilon = epsilon;
  return add_node(std::move(node));
}

Value Builder::relu(const std::string& name, const Value& x) { return apply(Op::kRelu, name, {x}); }
Value Builder::relu6(const std::string& name, const Value& x) { return apply(Op::kRelu6, name, {x}); }

Value Builder::max_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, Padding padding) {
  Node node{name, Op::kMaxPool2d, {x}, {}};
  node.attrs.kernel = {kernel, kernel};
  node.attrs.stride = {stride, stride};
  node.attrs.padding = padding;
  return add_node(std::move(node));
}

Value Builder::avg_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, Padding padding) {
  Node node{name, Op::kAvgPool2d, {x}, {}};
  node.attrs.kernel = {kernel, kernel};
  node.attrs.stride = {stride, stride};
  node.attrs.padding = padding;
  return add_node(std::move(node));
}

Value Builder::linear(const std::string& name, const Value& x, std::int64_t channels) {
  Node node{name, Op::kLinear, {x}, {}};
  node.attrs.channels = channels;
  node.attrs.bias = true;
  return add_node(std::move(node));
}

Value Builder::dropout(const std::string& name, const Value& x, double probability) {
  Node node{name, Op::kDropout, {x}, {}};
  node.attrs.probability = probability;
  return add_node(std::move(node));
}

Value Builder::weighted_sum(const std::string& name, const std::vector<Value>& xs, std::vector<double> weights, bool trainable) {
  Node node{name, Op::kWeightedSum, xs, {}};
  node.attrs.weights = std::move(weights);
  node.attrs.trainable = trainable;
  return add_node(std::move(node));
}

Value Builder::time_tuples(const std::string& name, const Value& x, const std::vector<std::vector<std::int64_t>>& tuples) {
  Node node{name, Op::kTimeTuples, {x}, {}};
  node.attrs.kernel = {1, static_cast<std::int64_t>(tuples.empty() ? 1 : tuples.front().size())};
  for (const auto& tuple : tuples) node.attrs.indices.insert(node.attrs.indices.end(), tuple.begin(), tuple.end());
  return add_node(std::move(node));
}

Value Builder::apply(Op op, const std::string& name, const std::vector<Value>& xs) {
  return add_node(Node{name, op, xs, {}});
}

void Builder::head(const std::string& name, const Value& node, HeadLoss loss) {
  spec_.heads.push_back({name, node, loss, 1.0, false});
}

void Builder::auxiliary_head(const std::string& name, const Value& node, double weight) {
  spec_.heads.push_back({name, node, HeadLoss::kCrossEntropy, weight, true});
}

void Builder::stage(const std::string& name, const Value& node) { spec_.stages.push_back({name, node}); }

NetSpec Builder::finish(const Value& scores, const Value& output) {
  spec_.scores = scores;
  spec_.output = output;
  infer(spec_);
  return spec_;
}

const Shape& Builder::shape_of(const Value& x) const { return inferred_.at(x).shape; }

}  // namespace actio::net

#include "openvino/bridge_graph.h"

#include <openvino/opsets/opset8.hpp>

namespace actio::openvino {
namespace {

namespace ops = ov::opset8;

ov::Shape shape_of(const Sizes& sizes) { return {sizes.begin(), sizes.end()}; }
ov::Strides strides_of(const Sizes& sizes) { return {sizes.begin(), sizes.end()}; }
ov::CoordinateDiff padding_of(const Sizes& sizes) { return {sizes.begin(), sizes.end()}; }

std::shared_ptr<ops::Constant> numbers(const Sizes& values) { return ops::Constant::create(ov::element::i64, {values.size()}, values); }
std::shared_ptr<ops::Constant> number(std::int64_t value) { return ops::Constant::create(ov::element::i64, {}, {value}); }

}  // namespace

Graph::Graph() : parts_(std::make_unique<Parts>()) {}
Graph::~Graph() = default;

void Graph::set_name(const char* name) { parts_->name = name; }

Graph::Value Graph::input(const Sizes& sizes) {
  const auto parameter = std::make_shared<ops::Parameter>(ov::element::f32, ov::PartialShape(shape_of(sizes)));
  parts_->inputs.push_back(parameter);
  parts_->values.push_back(parameter->output(0));
  return parts_->values.size() - 1;
}

Graph::Value Graph::constant(const Sizes& sizes, std::span<const float> values) {
  parts_->values.push_back(std::make_shared<ops::Constant>(ov::element::f32, shape_of(sizes), values.data())->output(0));
  return parts_->values.size() - 1;
}

Graph::Value Graph::convolution(Value x, Value weight, const Window& window, bool in_groups) {
  const auto& values = parts_->values;
  const auto add = [&]<typename Op>(Op*) {
    return parts_->add<Op>(values[x], values[weight], strides_of(window.stride), padding_of(window.before), padding_of(window.after),
                           strides_of(window.dilation));
  };
  return in_groups ? add(static_cast<ops::GroupConvolution*>(nullptr)) : add(static_cast<ops::Convolution*>(nullptr));
}

Graph::Value Graph::max_pool(Value x, const Window& window) {
  return parts_->add<ops::MaxPool>(parts_->values[x], strides_of(window.stride), strides_of(window.dilation), shape_of(window.before), shape_of(window.after),
                                   shape_of(window.kernel));
}

Graph::Value Graph::avg_pool(Value x, const Window& window, bool count_padding) {
  return parts_->add<ops::AvgPool>(parts_->values[x], strides_of(window.stride), shape_of(window.before), shape_of(window.after), shape_of(window.kernel),
                                   !count_padding);
}

Graph::Value Graph::product(Value x, Value weight) { return parts_->add<ops::MatMul>(parts_->values[x], parts_->values[weight], false, true); }

Graph::Value Graph::pairwise(Pairwise op, Value a, Value b) {
  const ov::Output<ov::Node> left = parts_->values[a], right = parts_->values[b];
  switch (op) {
    case Pairwise::kAdd: return parts_->add<ops::Add>(left, right);
    case Pairwise::kSub: return parts_->add<ops::Subtract>(left, right);
    case Pairwise::kMul: return parts_->add<ops::Multiply>(left, right);
    case Pairwise::kMax: break;
  }
  return parts_->add<ops::Maximum>(left, right);
}

Graph::Value Graph::relu(Value x) { return parts_->add<ops::Relu>(parts_->values[x]); }
Graph::Value Graph::clamp(Value x, double low, double high) { return parts_->add<ops::Clamp>(parts_->values[x], low, high); }

Graph::Value Graph::mean_of_channels(Value x) {
  Sizes axes;
  for (std::size_t axis = 2; axis < parts_->values[x].get_shape().size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  return parts_->add<ops::ReduceMean>(parts_->values[x], numbers(axes), false);
}

Graph::Value Graph::concat(std::span<const Value> values) {
  ov::OutputVector parts;
  for (const Value value : values) parts.push_back(parts_->values[value]);
  return parts_->add<ops::Concat>(parts, 1);
}

Graph::Value Graph::softmax(Value x) { return parts_->add<ops::Softmax>(parts_->values[x], std::int64_t{1}); }
Graph::Value Graph::reshaped(Value x, const Sizes& sizes) { return parts_->add<ops::Reshape>(parts_->values[x], numbers(sizes), false); }

Graph::Value Graph::columns(Value x, const Sizes& indices) {
  const auto last = static_cast<std::int64_t>(parts_->values[x].get_shape().size()) - 1;
  return parts_->add<ops::Gather>(parts_->values[x], numbers(indices), number(last));
}

Graph::Value Graph::first(Value x, std::int64_t axis, std::int64_t count) {
  return parts_->add<ops::Slice>(parts_->values[x], numbers({0}), numbers({count}), numbers({1}), numbers({axis}));
}

Graph::Value Graph::rounded_to(Value x, const Levels& levels) {
  const ov::Shape shape = shape_of(levels.sizes);
  const auto low = ops::Constant::create(ov::element::f32, shape, levels.low), high = ops::Constant::create(ov::element::f32, shape, levels.high);
  return parts_->add<ops::FakeQuantize>(parts_->values[x], low, high, low, high, levels.count);
}

void Graph::output(Value x) { parts_->outputs.push_back(std::make_shared<ops::Result>(parts_->values[x])); }

}  // namespace actio::openvino

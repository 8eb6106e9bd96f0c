#include "exporter/onnx_lower.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace actio::exporter {

using net::Op;

Lowering::Lowering(const net::NetSpec& spec, const net::Inferred& inferred, const TensorMap& weights, GraphWriter& graph)
    : spec_(spec), inferred_(inferred), weights_(weights), graph_(graph) {
  std::set<std::string, std::less<>> needed = {spec.scores, spec.output};
  for (auto node = spec.nodes.rbegin(); node != spec.nodes.rend(); ++node) {
    if (!needed.contains(node->name)) continue;
    nodes_.push_back(&*node);
    needed.insert(node->inputs.begin(), node->inputs.end());
  }
  std::ranges::reverse(nodes_);
}

// Ports have the first choice of a name, then values, then constants and helpers, which take theirs when they are written.
void Lowering::name_tensors() {
  tensors_[spec_.scores] = graph_.claim(kScores);
  // One node may be both; then the scores are a copy.
  tensors_[spec_.output] = graph_.claim(kProbabilities);
  for (const net::Node* node : nodes_) {
    if (node->op != Op::kInput) continue;
    if (graph_.claim(node->name) != node->name) fail("{}: an input has the name of an output", node->name);
  }
  for (const net::Node* node : nodes_) {
    if (tensors_.contains(node->name)) continue;
    tensors_[node->name] = graph_.claim(node->op == Op::kInput ? node->name + ".snippets" : node->name);
  }
}

void Lowering::run() {
  name_tensors();
  for (const net::Node* node : nodes_) lower(*node);
  if (spec_.scores != spec_.output) return;
  // A node of its own name: OpenCV takes no two of one name, and the network may have a node "scores".
  std::string copy = "scores.copy";
  while (std::ranges::find(spec_.nodes, copy, &net::Node::name) != spec_.nodes.end()) copy += "_";
  graph_.add(copy, {"Identity", {kProbabilities}}, kScores);
}

void Lowering::lower(const net::Node& node) {
  switch (node.op) {
    case Op::kInput: return lower_input(node);
    case Op::kConv2d:
    case Op::kConv1d: return lower_conv(node);
    case Op::kBatchNorm: return lower_batch_norm(node);
    case Op::kRelu: return emit(node, {"Relu", tensors(node)});
    case Op::kRelu6: return emit(node, {"Clip", tensors(node), {{"min", 0.0F}, {"max", 6.0F}}});
    case Op::kMaxPool2d: return lower_max_pool(node);
    case Op::kAvgPool2d: return lower_avg_pool(node);
    case Op::kGlobalAvgPool: return lower_global_avg_pool(node);
    case Op::kTimeMean: return emit(node, {"ReduceMean", tensors(node), {{"axes", Integers{2}}, {"keepdims", 0}}});
    case Op::kLinear: return lower_linear(node);
    case Op::kDropout: return lower_dropout(node);
    case Op::kAdd: return emit(node, {"Add", tensors(node)});
    case Op::kSub: return emit(node, {"Sub", tensors(node)});
    case Op::kMul: return emit(node, {"Mul", tensors(node)});
    case Op::kMax: return emit(node, {"Max", tensors(node)});
    case Op::kWeightedSum: return lower_weighted_sum(node);
    case Op::kConcat: return emit(node, {"Concat", tensors(node), {{"axis", 1}}});
    case Op::kSoftmax: return emit(node, {"Softmax", tensors(node), {{"axis", 1}}});
    case Op::kFlatten: return emit(node, {"Flatten", tensors(node), {{"axis", 1}}});
    case Op::kTimeTuples: return lower_time_tuples(node);
    case Op::kSegmentDiff: return lower_segment_diff(node);
    case Op::kSegmentMean: return lower_segment_mean(node);
    case Op::kSegmentStack: return lower_segment_stack(node);
  }
  fail("{}: {} cannot be exported", node.name, net::op_name(node.op));
}

void Lowering::emit(const net::Node& node, const OnnxOp& op) { graph_.add(node.name, op, tensors_.at(node.name)); }

std::vector<std::string> Lowering::tensors(const net::Node& node) const {
  std::vector<std::string> names;
  for (const std::string& input : node.inputs) names.push_back(tensors_.at(input));
  return names;
}

const std::string& Lowering::tensor(const net::Node& node, std::size_t input) const {
  return tensors_.at(node.inputs.at(input));
}

const Tensor& Lowering::weight(const net::Node& node, const char* suffix) const {
  const std::string name = node.name + suffix;
  const auto& params = inferred_.at(node.name).params;
  const auto param = std::ranges::find(params, name, &net::ParamInfo::name);
  const auto found = weights_.find(name);
  if (found == weights_.end()) fail("{}: the model has no such tensor", name);
  const Tensor& tensor = found->second;
  if (param == params.end() || tensor.shape() != param->shape || tensor.dtype() != DType::kF32) {
    fail("{}: expected f32 {}, got {} {}", name, param == params.end() ? "nothing" : shape_text(param->shape),
         dtype_name(tensor.dtype()), shape_text(tensor.shape()));
  }
  return tensor;
}

std::string Lowering::weight_constant(const net::Node& node, const char* suffix) {
  return graph_.constant(node.name + suffix, weight(node, suffix));
}

void Lowering::lower_input(const net::Node& node) {
  Integers shape = {-1};
  shape.insert(shape.end(), node.attrs.shape.begin(), node.attrs.shape.end());
  emit(node, {"Reshape", {node.name, graph_.constant(node.name + ".snippets.shape", shape)}});
}

// Kept as it is: every engine folds it into the convolution before it, and the file has the model's own numbers.
void Lowering::lower_batch_norm(const net::Node& node) {
  emit(node, {"BatchNormalization",
              {tensor(node), weight_constant(node, ".weight"), weight_constant(node, ".bias"),
               weight_constant(node, ".running_mean"), weight_constant(node, ".running_var")},
              {{"epsilon", static_cast<float>(node.attrs.epsilon)}}});
}

// Gemm must have a bias in this opset.
void Lowering::lower_linear(const net::Node& node) {
  const std::string bias = node.attrs.bias ? weight_constant(node, ".bias")
                                           : graph_.constant(node.name + ".no_bias", Tensor({node.attrs.channels}));
  emit(node, {"Gemm", {tensor(node), weight_constant(node, ".weight"), bias}, {{"transB", 1}}});
}

// It does nothing outside of training, so its value is that of its input; only a port needs a tensor of its own.
void Lowering::lower_dropout(const net::Node& node) {
  if (node.name == spec_.scores || node.name == spec_.output) return emit(node, {"Identity", tensors(node)});
  tensors_[node.name] = tensor(node);
}

void Lowering::lower_weighted_sum(const net::Node& node) {
  const Tensor& scalars = weight(node, ".weight");
  std::string sum;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const std::string scalar =
        graph_.constant(fmt::format("{}.weight.{}", node.name, i), Tensor::of({1}, scalars.values<float>().subspan(i, 1)));
    const OnnxOp term = {"Mul", {tensor(node, i), scalar}};
    const bool last = i + 1 == node.inputs.size();
    if (last && i == 0) return emit(node, term);
    const std::string product = graph_.add(fmt::format("{}.term.{}", node.name, i), term);
    if (last) return emit(node, {"Add", {sum, product}});
    sum = i == 0 ? product : graph_.add(fmt::format("{}.sum.{}", node.name, i), {"Add", {sum, product}});
  }
}

}  // namespace actio::exporter

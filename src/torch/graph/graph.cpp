#include "torch/graph/graph.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/error.h"
#include "torch/graph/convert.h"
#include "torch/distributed/group.h"
#include "torch/distributed/sync_norm.h"
#include "torch/graph/ops.h"
#include "torch/graph/torch_compat.h"
#include "training/freeze.h"
#include "training/train.h"

namespace actio::torch_train {
namespace {

using net::Node;
using net::Op;

// A single value per channel has no variance.
void check_batch_norm_rows(const Node& node, const at::Tensor& x) {
  if (x.numel() / std::max<std::int64_t>(1, x.size(1)) < 2) {
    fail("{}: batch_norm needs at least 2 values per channel to train, got {}; use a larger batch", node.name,
         x.numel() / std::max<std::int64_t>(1, x.size(1)));
  }
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  if (activation == Activation::kNone) return x;
  return activation == Activation::kRelu ? at::relu(x) : torch_train::relu6(x);
}

at::Tensor plain_batch_norm(const at::Tensor& x, const NormParams& p, const NormSettings& settings) {
  return activate(at::batch_norm(x, p.weight, p.bias, p.running_mean, p.running_var, settings.training, settings.momentum,
                                 settings.epsilon, at::globalContext().userEnabledCuDNN()),
                  settings.activation);
}

Activation activation_of(Op op) {
  if (op == Op::kRelu) return Activation::kRelu;
  return op == Op::kRelu6 ? Activation::kRelu6 : Activation::kNone;
}

}  // namespace

Graph::Graph(const net::NetSpec& spec, const TensorMap& weights, const GraphOptions& options)
    : spec_(spec), inferred_(net::infer(spec)), options_(options), segments_(spec.segments), steps_(spec.nodes.size()) {
  load(weights);
  plan();
  mark_heads();
  mark_fixed();
}

void Graph::load(const TensorMap& weights) {
  for (std::size_t i = 0; i < spec_.nodes.size(); ++i) {
    for (const net::ParamInfo& info : inferred_.nodes[i].params) {
      const auto found = weights.find(info.name);
      if (found == weights.end()) fail("{}: the weights have no such tensor", info.name);
      if (found->second.shape() != info.shape) {
        fail("{}: expected shape {}, got {}", info.name, shape_text(info.shape), shape_text(found->second.shape()));
      }
      const at::Tensor source = to_torch(found->second, info.name);
      at::Tensor copy = channels_last(source.to(options_.device, options_.dtype));
      if (copy.is_alias_of(source)) copy = copy.clone();
      copy.set_requires_grad(info.trainable);
      steps_[i].params.push_back(copy);
      parameters_.push_back({info, copy, false});
    }
    const bool may_have_bias =
        spec_.nodes[i].op == Op::kConv2d || spec_.nodes[i].op == Op::kConv1d || spec_.nodes[i].op == Op::kLinear;
    if (may_have_bias && steps_[i].params.size() == 1) steps_[i].params.emplace_back();
  }
}

void Graph::plan() {
  std::vector<std::size_t> reader(steps_.size(), 0), readers(steps_.size(), 0);  // the last one, and how many
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    for (const std::string& name : spec_.nodes[i].inputs) {
      steps_[i].inputs.push_back(inferred_.index.find(name)->second);
      reader[steps_[i].inputs.back()] = i;
      ++readers[steps_[i].inputs.back()];
    }
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (reader[i] != 0) steps_[reader[i]].last_used.push_back(i);
    const Op op = spec_.nodes[i].op;
    const bool ends_in_activation = readers[i] == 1 && activation_of(spec_.nodes[reader[i]].op) != Activation::kNone;
    if (!ends_in_activation) continue;
    if (op == Op::kBatchNorm) steps_[i].activation = reader[i];
    if (op != Op::kAdd || spec_.nodes[reader[i]].op != Op::kRelu) continue;
    const std::size_t last = std::max(steps_[i].inputs[0], steps_[i].inputs[1]);
    if (spec_.nodes[last].op != Op::kBatchNorm || readers[last] != 1) continue;
    steps_[last].sum = i;
    steps_[last].activation = reader[i];
  }
}

void Graph::mark_heads() {
  std::vector<std::size_t> open;
  for (const net::Head& head : spec_.heads) open.push_back(inferred_.index.find(head.node)->second);
  std::set<std::string> linears;
  std::set<std::size_t> seen;
  while (!open.empty()) {
    const std::size_t position = open.back();
    open.pop_back();
    if (!seen.insert(position).second) continue;
    const Op op = spec_.nodes[position].op;
    if (net::is_linear(spec_.nodes[position])) linears.insert(spec_.nodes[position].name);
    if (op == Op::kLinear || op == Op::kConv2d || op == Op::kConv1d || op == Op::kBatchNorm) continue;
    open.insert(open.end(), steps_[position].inputs.begin(), steps_[position].inputs.end());
  }
  for (Parameter& parameter : parameters_) parameter.head = linears.contains(parameter.info.node);
}

void Graph::set_segments(std::int64_t segments) {
  training::check_train_segments(spec_, segments);
  segments_ = segments > 0 ? segments : spec_.segments;
}

void Graph::freeze_batch_norms() {
  std::set<std::string> streams, seen, frozen;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Node& node = spec_.nodes[i];
    if (node.op == Op::kInput) streams.insert(node.name);
    if (node.op != Op::kBatchNorm || inferred_.nodes[i].shape.size() != 3) continue;
    const std::string stream = node.name.substr(0, node.name.find('.'));
    if (!streams.contains(stream) || seen.insert(stream).second) continue;
    steps_[i].frozen = true;
    frozen.insert(node.name);
  }
  for (Parameter& parameter : parameters_) {
    if (!frozen.contains(parameter.info.node)) continue;
    parameter.info.trainable = false;
    parameter.tensor.set_requires_grad(false);
  }
  mark_fixed();
}

void Graph::freeze(const std::vector<std::string>& prefixes) {
  training::check_freeze(spec_, prefixes);
  for (const std::string& prefix : prefixes) {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (training::stands_below(spec_.nodes[i].name, prefix)) steps_[i].frozen = true;
    }
  }
  for (Parameter& parameter : parameters_) {
    if (!steps_[inferred_.index.find(parameter.info.node)->second].frozen) continue;
    parameter.info.trainable = false;
    parameter.tensor.set_requires_grad(false);
  }
  mark_fixed();
}

void Graph::mark_fixed() {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    const Op op = spec_.nodes[i].op;
    const bool changes = (op == Op::kBatchNorm || op == Op::kDropout) && !step.frozen;
    const bool learns = std::ranges::any_of(step.params, [](const at::Tensor& p) { return p.defined() && p.requires_grad(); });
    step.fixed = !changes && !learns && std::ranges::all_of(step.inputs, [&](std::size_t j) { return steps_[j].fixed; });
  }
}

bool Graph::is_trainable(const std::string& node) const {
  std::set<std::size_t> open = {inferred_.index.find(node)->second};
  while (!open.empty()) {
    const std::size_t i = *open.rbegin();  // a node's inputs come before it
    open.erase(i);
    for (const at::Tensor& p : steps_[i].params) {
      if (p.defined() && p.requires_grad()) return true;
    }
    open.insert(steps_[i].inputs.begin(), steps_[i].inputs.end());
  }
  return false;
}

std::vector<std::string> Graph::frozen_boundary(const std::vector<std::string>& nodes) const {
  const auto is_kept = [&](std::size_t i) {
    return steps_[i].fixed && inferred_.nodes[i].granularity == net::Granularity::kSnippet;
  };
  std::set<std::size_t> open, boundary;
  for (const std::string& name : nodes) open.insert(inferred_.index.find(spec_.node(name).name)->second);
  while (!open.empty()) {
    const std::size_t i = *open.rbegin();
    open.erase(i);
    if (is_kept(i)) boundary.insert(i);
    else open.insert(steps_[i].inputs.begin(), steps_[i].inputs.end());
  }
  std::vector<std::string> names;
  for (const std::size_t i : boundary) names.push_back(spec_.nodes[i].name);
  return names;
}

// What leads to `wanted`, as far as the values that were given.
std::set<std::size_t> Graph::needed(const std::set<std::size_t>& wanted, const TensorMap& inputs) const {
  std::set<std::size_t> open = wanted, needed;
  while (!open.empty()) {
    const std::size_t i = *open.rbegin();
    open.erase(i);
    needed.insert(i);
    if (!inputs.contains(spec_.nodes[i].name)) open.insert(steps_[i].inputs.begin(), steps_[i].inputs.end());
  }
  return needed;
}

at::Tensor Graph::input(const TensorMap& inputs, std::size_t position, std::int64_t& clips) const {
  const Node& node = spec_.nodes[position];
  const auto found = inputs.find(node.name);
  if (found == inputs.end()) fail("{}: the batch has no such input", node.name);
  const Shape& shape = found->second.shape();
  const Shape& row = inferred_.nodes[position].shape;
  if (shape.size() != row.size() + 1 || !std::equal(row.begin(), row.end(), shape.begin() + 1)) {
    fail("{}: expected rows of shape {}, got a batch of shape {}", node.name, shape_text(row), shape_text(shape));
  }
  if (shape[0] < 1 || shape[0] % segments_ != 0 || (clips != 0 && shape[0] != clips * segments_)) {
    fail("{}: expected {} rows, got {}", node.name,
         clips != 0 ? fmt::format("{}", clips * segments_) : fmt::format("a multiple of {}", segments_), shape[0]);
  }
  clips = shape[0] / segments_;
  return channels_last(moved_to(to_torch(found->second, node.name), options_.device, options_.dtype));
}

at::Tensor Graph::convolution(std::size_t position, const at::Tensor& x) const {
  const net::Attrs& attrs = spec_.nodes[position].attrs;
  const at::Tensor &weight = steps_[position].params[0], &bias = steps_[position].params[1];
  const at::ScalarType type = options_.bf16 ? at::kBFloat16 : options_.fp16 ? at::kHalf : options_.dtype;
  const at::Tensor rows = x.to(type);
  const bool two_d = spec_.nodes[position].op == Op::kConv2d;
  if (two_d && options_.own_kernels && can_run_depthwise(attrs, rows, weight)) return depthwise_conv2d(attrs, rows, weight);
  // Where oneDNN does not do it, LibTorch adds up in bfloat16, which loses what is 256 times smaller than the sum so far.
  const bool widens = type == at::kBFloat16 && options_.widen_bf16 && options_.device.is_cpu();
  const auto rounded = [&](const at::Tensor& t) { return !t.defined() ? t : t.to(type).to(widens ? at::kFloat : type); };
  const at::Tensor factor = rounded(rows), w = rounded(weight), b = rounded(bias);
  return (two_d ? conv2d(attrs, factor, w, b) : conv1d(attrs, factor, w, b)).to(type);
}

at::Tensor Graph::normalisation(std::size_t position, const at::Tensor& x, Activation activation, const Pass& pass,
                                const at::Tensor& skip) const {
  const Node& node = spec_.nodes[position];
  const std::vector<at::Tensor>& p = steps_[position].params;
  const NormParams params{p[0], p[1], p[2], p[3]};
  NormSettings settings{pass.training && !steps_[position].frozen, node.attrs.momentum, node.attrs.epsilon, activation};
  const bool synchronised = settings.training && pass.sync_norm != nullptr && pass.sync_norm->size() > 1;
  if (synchronised) settings.group = pass.sync_norm;
  if (settings.training && !synchronised) check_batch_norm_rows(node, x);
  const bool adds = skip.defined();
  if (options_.own_kernels && can_fuse_batch_norm(x, params) && (!adds || can_fuse_addition(x, skip))) {
    return adds ? fused_batch_norm_and_add(x, skip, params, settings) : fused_batch_norm(x, params, settings);
  }
  if (adds) return activate(normalisation(position, x, Activation::kNone, pass) + skip, activation);
  return synchronised ? activate(distributed::sync_batch_norm(x, params, settings), activation)
                      : plain_batch_norm(x, params, settings);
}

at::Tensor Graph::execute(std::size_t position, const std::vector<at::Tensor>& values, const Pass& pass) const {
  const Node& node = spec_.nodes[position];
  const Step& step = steps_[position];
  const net::NodeInfo& info = inferred_.nodes[position];
  const auto in = [&](std::size_t i) -> const at::Tensor& { return values[step.inputs[i]]; };
  const auto all = [&] {
    std::vector<at::Tensor> list;
    for (const std::size_t i : step.inputs) list.push_back(values[i]);
    return list;
  };
  const auto segments = [&] {
    const bool pairs = inferred_.nodes[step.inputs[0]].granularity == net::Granularity::kPair;
    return pairs ? segments_ - 1 : segments_;
  };

  switch (node.op) {
    case Op::kInput: break;
    case Op::kConv2d:
    case Op::kConv1d: return convolution(position, in(0));
    case Op::kBatchNorm: return normalisation(position, in(0), Activation::kNone, pass);
    case Op::kRelu: return at::relu(in(0));
    case Op::kRelu6: return torch_train::relu6(in(0));
    case Op::kMaxPool2d: return max_pool2d(node.attrs, in(0), info.shape);
    case Op::kAvgPool2d:
      if (node.attrs.dilation != std::array<std::int64_t, 2>{1, 1}) fail("{}: avg_pool2d cannot be dilated", node.name);
      return avg_pool2d(node.attrs, in(0), info.shape);
    case Op::kGlobalAvgPool: return in(0).mean({2, 3}, false, options_.dtype);
    case Op::kTimeMean: return in(0).mean(2, false, options_.dtype);
    case Op::kLinear: return at::linear(in(0).to(options_.dtype), step.params[0], step.params[1]);
    case Op::kDropout:
      return pass.dropout == nullptr || step.frozen ? in(0) : dropout(in(0), node.attrs.probability, *pass.dropout);
    case Op::kAdd: return in(0) + in(1);
    case Op::kSub: return in(0) - in(1);
    case Op::kMul: return in(0) * in(1);
    case Op::kMax: return at::maximum(in(0), in(1));
    case Op::kWeightedSum: return weighted_sum(all(), step.params[0]);
    case Op::kConcat: return at::cat(all(), 1);
    case Op::kSoftmax: return at::softmax(in(0).to(options_.dtype), 1);
    case Op::kFlatten: return in(0).flatten(1);
    case Op::kTimeTuples: return time_tuples(node.attrs, in(0));
    case Op::kSegmentDiff: return segment_diff(in(0), segments_);
    case Op::kSegmentMean: return segment_mean(in(0), segments());
    case Op::kSegmentStack: return segment_stack(in(0), segments());
  }
  fail("{}: {} is not the result of an operation", node.name, op_name(node.op));
}

// Whether the batch norm there is computed together with what follows it.
bool Graph::joins(std::size_t position, const std::set<std::size_t>& plan, const std::set<std::size_t>& wanted) const {
  const Step& step = steps_[position];
  return spec_.nodes[position].op == Op::kBatchNorm && step.activation != 0 && plan.contains(step.activation) &&
         !wanted.contains(position) && (step.sum == 0 || !wanted.contains(step.sum));
}

// The value of its activation.
at::Tensor Graph::joined(std::size_t position, const std::vector<at::Tensor>& values, const Pass& pass) const {
  const Step& step = steps_[position];
  at::Tensor skip;
  if (step.sum != 0) {
    const std::vector<std::size_t>& sides = steps_[step.sum].inputs;
    skip = values[sides[0] == position ? sides[1] : sides[0]];
  }
  return normalisation(position, values[step.inputs[0]], activation_of(spec_.nodes[step.activation].op), pass, skip);
}

Graph::Values Graph::run(const TensorMap& inputs, const std::vector<std::string>& nodes, const Pass& pass) {
  std::set<std::size_t> wanted;
  for (const std::string& name : nodes) wanted.insert(inferred_.index.find(spec_.node(name).name)->second);
  const at::AutoGradMode mode(pass.gradients);
  std::vector<at::Tensor> values(steps_.size());
  std::int64_t clips = 0;
  const std::set<std::size_t> plan = needed(wanted, inputs);
  for (const std::size_t i : plan) {
    if (spec_.nodes[i].op == Op::kInput || inputs.contains(spec_.nodes[i].name)) values[i] = input(inputs, i, clips);
  }
  std::set<std::size_t> within;  // sums that were computed with the batch norm before them
  for (const std::size_t i : plan) {
    const bool computed = values[i].defined() || within.contains(i);
    try {
      if (!computed && joins(i, plan, wanted)) {
        within.insert(steps_[i].sum);
        values[steps_[i].activation] = joined(i, values, pass);
      } else if (!computed) {
        values[i] = execute(i, values, pass);
      }
    } catch (const c10::Error& error) {
      fail("{}: {}", spec_.nodes[i].name, one_line(error));
    }
    for (const std::size_t done : steps_[i].last_used) {
      if (!wanted.contains(done)) values[done].reset();
    }
  }
  Values result;
  for (const std::size_t i : wanted) result.emplace(spec_.nodes[i].name, values[i]);
  return result;
}

void Graph::store(TensorMap& weights) const {
  for (const Parameter& parameter : parameters_) weights[parameter.info.name] = from_torch(parameter.tensor);
}

}  // namespace actio::torch_train

#include "nets.h"

#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "net/builder.h"

namespace actio::testing {
namespace {

using net::Builder;
using net::Conv;
using net::NetSpec;
using net::Op;
using net::Padding;
using net::same_padding;
using net::Value;

constexpr std::int64_t kClasses = 5;

Value conv_bn(Builder& b, const std::string& name, const Value& x, const Conv& conv) {
  return b.batch_norm(name + "_bn", b.conv2d(name, x, conv));
}

Value basic_block(Builder& b, const std::string& name, const Value& x, std::int64_t channels, std::int64_t stride) {
  Value y = b.relu(name + ".relu1", conv_bn(b, name + ".conv1", x, {channels, 3, stride, 1, false, same_padding(1)}));
  y = conv_bn(b, name + ".conv2", y, {channels, 3, 1, 1, false, same_padding(1)});
  const bool same = stride == 1 && b.shape_of(x)[0] == channels;
  const Value skip = same ? x : conv_bn(b, name + ".skip", x, {channels, 1, stride, 1, false, {}});
  return b.relu(name + ".relu2", b.apply(Op::kAdd, name + ".add", {y, skip}));
}

Value stream(Builder& b, const std::string& prefix, const Value& x) {
  Value y = b.relu(prefix + "relu1", conv_bn(b, prefix + "conv1", x, {6, 3, 2, 1, false, same_padding(1)}));
  return basic_block(b, prefix + "layer1.0", y, 8, 1);
}

Value head(Builder& b, const std::string& name, const Value& features) {
  const Value dropped = b.dropout(name + ".dropout", features, 0.4);
  return b.linear(name + ".fc", dropped, kClasses);
}

Value res_inc(Builder& b, const std::string& name, const Value& x, std::int64_t width) {
  const auto same = [](std::int64_t k) { return Padding{0, 0, (k - 1) / 2, k - 1 - (k - 1) / 2}; };
  std::vector<Value> branches;
  for (std::int64_t k = 2; k <= 5; ++k) {
    const std::string branch = fmt::format("{}.k{}", name, k);
    const Value y = b.conv1d(branch, x, {width / 4, k, 1, 1, true, same(k)});
    branches.push_back(b.relu(branch + "_relu", b.batch_norm(branch + "_bn", y)));
  }
  const Value wide = b.apply(Op::kConcat, name + ".concat", branches);
  const Value skip = b.batch_norm(name + ".skip_bn", b.conv1d(name + ".skip", x, {width, 2, 1, 1, false, same(2)}));
  return b.relu(name + ".out", b.apply(Op::kAdd, name + ".add", {wide, skip}));
}

}  // namespace

NetSpec residual_net() {
  Builder b("residual", 1);
  Value y = b.input("rgb", {3, 15, 17});
  y = b.relu("rgb.relu1", conv_bn(b, "rgb.conv1", y, {8, 5, 1, 1, true, same_padding(2)}));
  y = b.max_pool2d("rgb.pool", y, 3, 2, same_padding(1));
  y = basic_block(b, "rgb.layer1.0", y, 8, 1);
  y = basic_block(b, "rgb.layer2.0", y, 12, 2);
  y = b.apply(Op::kGlobalAvgPool, "rgb.features", {y});
  y = b.apply(Op::kSegmentMean, "rgb.mean", {head(b, "rgb", y)});
  b.head("rgb", y);
  return b.finish(y, b.apply(Op::kSoftmax, "output", {y}));
}

NetSpec inverted_residual_net() {
  Builder b("inverted_residual", 3);
  Value y = b.input("rgb", {3, 16, 14});
  y = b.relu6("rgb.r0", conv_bn(b, "rgb.c0", y, {8, 3, 2, 1, false, {0, 1, 0, 1}}));
  for (const std::int64_t stride : {1, 2}) {
    const std::string name = fmt::format("rgb.block{}", stride);
    Value z = b.relu6(name + ".r1", conv_bn(b, name + ".expand", y, {24, 1, 1, 1, false, {}}));
    const Padding padding = stride == 1 ? same_padding(1) : Padding{0, 1, 1, 1};
    z = b.relu6(name + ".r2", conv_bn(b, name + ".depthwise", z, {24, 3, stride, 24, false, padding}));
    z = conv_bn(b, name + ".project", z, {8, 1, 1, 1, false, {}});
    y = stride == 1 ? b.apply(Op::kAdd, name + ".add", {y, z}) : z;
  }
  y = b.avg_pool2d("rgb.pool", y, 2, 1, {1, 0, 0, 1});
  y = b.apply(Op::kFlatten, "rgb.flat", {y});
  y = b.apply(Op::kSegmentMean, "rgb.mean", {y});
  y = head(b, "rgb", y);
  b.head("rgb", y);
  return b.finish(y, b.apply(Op::kSoftmax, "output", {y}));
}

NetSpec fusion_net() {
  Builder b("fusion", 4);
  const Value rgb = stream(b, "rgb.", b.input("rgb", {3, 12, 12}));
  const Value motion = stream(b, "motion.", b.input("motion", {4, 12, 12}));
  const Value product = b.apply(Op::kMul, "ifm.product", {rgb, motion});
  const Value fused = b.weighted_sum("ifm.sum", {rgb, motion, product}, {1, 0.5, 1}, true);
  Value y = basic_block(b, "ttn.layer1.0", b.apply(Op::kSegmentDiff, "ttn.diff", {fused}), 10, 2);
  const Value again = b.apply(Op::kSub, "ttn.sub", {y, conv_bn(b, "ttn.extra", y, {10, 1, 1, 1, false, {}})});
  y = b.apply(Op::kSegmentMean, "ttn.mean", {b.apply(Op::kGlobalAvgPool, "ttn.features", {again})});
  std::vector<Value> scores = {head(b, "ttn", y)};
  for (const auto& [name, value] : {std::pair{"rgb", rgb}, std::pair{"motion", motion}}) {
    const Value pooled = b.apply(Op::kGlobalAvgPool, fmt::format("{}.features", name), {value});
    scores.push_back(b.apply(Op::kSegmentMean, fmt::format("{}.mean", name), {head(b, name, pooled)}));
    b.head(name, scores.back());
  }
  b.head("ttn", scores[0]);
  const Value sum = b.weighted_sum("scores", scores, {1, 1, 1}, false);
  return b.finish(sum, b.apply(Op::kSoftmax, "output", {sum}));
}

NetSpec sequence_net() {
  Builder b("sequence", 5);
  std::vector<Value> blocks;
  for (const std::string name : {"rgb", "motion"}) {
    Value y = b.input(name, {name == "rgb" ? 3 : 4, 10, 10});
    y = b.relu(name + ".relu", conv_bn(b, name + ".conv1", y, {8, 3, 2, 1, false, same_padding(1)}));
    y = b.apply(Op::kSegmentStack, name + ".stack", {b.apply(Op::kGlobalAvgPool, name + ".features", {y})});
    blocks.push_back(res_inc(b, name + ".block1", y, 8));
  }
  const Value fused = b.apply(Op::kMax, "fused", blocks);
  std::vector<Value> probabilities, scores;
  for (const std::string name : {"rgb", "motion"}) {
    const Value y = b.apply(Op::kTimeMean, name + ".mean", {res_inc(b, name + ".block2", fused, 8)});
    scores.push_back(head(b, name, y));
    probabilities.push_back(b.apply(Op::kSoftmax, name + ".softmax", {scores.back()}));
  }
  const Value output = b.weighted_sum("output", probabilities, {0.5, 0.5}, false);
  b.head("clip", output, net::HeadLoss::kNll);
  return b.finish(b.weighted_sum("scores", scores, {0.5, 0.5}, false), output);
}

NetSpec relation_net() {
  Builder b("relation", 4);
  Value y = b.relu("rgb.relu", conv_bn(b, "rgb.conv1", b.input("rgb", {3, 10, 10}), {6, 3, 2, 1, false, same_padding(1)}));
  y = b.apply(Op::kSegmentStack, "rgb.stack", {b.apply(Op::kGlobalAvgPool, "rgb.features", {y})});
  std::vector<Value> scores;
  for (const auto& tuples : {std::vector<std::vector<std::int64_t>>{{0, 1, 2, 3}}, {{0, 1, 3}, {1, 2, 3}}}) {
    const std::string name = fmt::format("scale{}", tuples.front().size());
    net::Conv hidden{8}, last{5};
    hidden.bias = last.bias = true;
    const Value inside = b.relu(name + ".relu", b.conv1d(name + ".fc1", b.time_tuples(name + ".tuples", y, tuples), hidden));
    scores.push_back(b.apply(Op::kTimeMean, name + ".mean", {b.conv1d(name + ".fc2", inside, last)}));
  }
  const Value sum = b.weighted_sum("scores", scores, {1, 2}, false);
  b.head("rgb", sum);
  b.auxiliary_head("aux", scores[0], 0.4);
  return b.finish(sum, b.apply(Op::kSoftmax, "output", {sum}));
}

NetSpec single_op_net(net::Node node, const Shape& row, std::size_t inputs, std::int64_t segments) {
  NetSpec spec;
  spec.name = "single";
  spec.segments = segments;
  const net::NodeInfo input_info{net::Granularity::kSnippet, row, 0, {}};
  for (std::size_t i = 0; i < inputs; ++i) {
    net::Node input{fmt::format("x{}", i), Op::kInput, {}, {}};
    input.attrs.shape = row;
    node.inputs.push_back(input.name);
    spec.nodes.push_back(std::move(input));
  }
  node.name = "op";
  const bool clip = net::infer_node(node, std::vector(inputs, &input_info), segments).granularity == net::Granularity::kClip;
  spec.nodes.push_back(std::move(node));
  spec.nodes.push_back({"scores", Op::kFlatten, {"op"}, {}});
  if (!clip) spec.nodes.push_back({"mean", Op::kSegmentMean, {"scores"}, {}});
  spec.scores = clip ? "scores" : "mean";
  spec.output = "output";
  spec.nodes.push_back({"output", Op::kSoftmax, {spec.scores}, {}});
  spec.heads.push_back({"head", spec.scores});
  net::infer(spec);
  return spec;
}

std::vector<NamedNet> small_nets() {
  return {{"residual", residual_net()},
          {"inverted_residual", inverted_residual_net()},
          {"fusion", fusion_net()},
          {"sequence", sequence_net()},
          {"relation", relation_net()}};
}

TensorMap random_weights(const NetSpec& spec, std::uint64_t seed) {
  TensorMap weights;
  std::uint64_t stream = 0;
  for (const net::ParamInfo& info : net::parameters(spec)) {
    Rng rng(seed, stream++);
    Tensor tensor(info.shape);
    const double fan_in = info.shape.size() < 2 ? 1 : static_cast<double>(tensor.numel() / info.shape[0]);
    for (float& value : tensor.values<float>()) {
      double number = 0;
      switch (info.role) {
        case net::ParamRole::kWeight: number = rng.normal() * std::sqrt(2 / fan_in); break;
        case net::ParamRole::kBias:
        case net::ParamRole::kShift:
        case net::ParamRole::kRunningMean: number = 0.2 * rng.normal(); break;
        case net::ParamRole::kScale:
        case net::ParamRole::kRunningVar:
        case net::ParamRole::kScalars: number = rng.uniform(0.5, 1.5); break;
      }
      value = static_cast<float>(number);
    }
    weights[info.name] = tensor;
  }
  return weights;
}

TensorMap random_inputs(const NetSpec& spec, std::int64_t clips, std::uint64_t seed) {
  TensorMap inputs;
  Rng rng(seed, 1000);
  for (const net::Node& node : spec.nodes) {
    if (node.op != Op::kInput) continue;
    Shape shape = {clips * spec.segments};
    shape.insert(shape.end(), node.attrs.shape.begin(), node.attrs.shape.end());
    Tensor tensor(shape);
    for (float& value : tensor.values<float>()) value = static_cast<float>(rng.normal());
    inputs[node.name] = tensor;
  }
  return inputs;
}

}  // namespace actio::testing

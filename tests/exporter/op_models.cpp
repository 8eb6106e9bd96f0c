#include "op_models.h"

#include "core/error.h"
#include "core/rng.h"
#include "net/infer.h"

namespace actio::testing {
namespace {

using net::Attrs;
using net::Node;
using net::Op;

std::string text_of(const Attrs& a, const Shape& in) {
  return fmt::format("in {} channels {} kernel {}x{} stride {}x{} dilation {}x{} padding {},{},{},{} groups {} bias {} count {} ceil {}",
                     shape_text(in), a.channels, a.kernel[0], a.kernel[1], a.stride[0], a.stride[1], a.dilation[0], a.dilation[1],
                     a.padding.top, a.padding.bottom, a.padding.left, a.padding.right, a.groups, a.bias, a.count_padding, a.ceil_mode);
}

class Grid {
 public:
  std::vector<OpModel> take() && { return std::move(models_); }

  // An input of rows `in`, then `nodes`, whose last one is flattened and averaged unless it is one vector per clip.
  void add(const std::string& name, const Shape& in, std::vector<Node> nodes, std::int64_t segments = 2) {
    net::NetSpec spec;
    spec.name = name;
    spec.segments = segments;
    Attrs shape;
    shape.shape = in;
    spec.nodes = {{"x", Op::kInput, {}, shape}};
    spec.nodes.insert(spec.nodes.end(), nodes.begin(), nodes.end());
    spec.scores = spec.output = "flat";
    const std::string last = spec.nodes.back().name;
    spec.nodes.push_back({"flat", Op::kFlatten, {last}, {}});
    if (granularity(spec) != net::Granularity::kClip) {
      spec.nodes.push_back({"mean", Op::kSegmentMean, {"flat"}, {}});
      spec.scores = spec.output = "mean";
    }
    models_.push_back({name, random_model(spec, ++seed_)});
  }

  // One op on an input.
  void add_op(Op op, const Shape& in, const Attrs& attrs = {}) {
    add(fmt::format("{} {}", net::op_name(op), text_of(attrs, in)), in, {{"op", op, {"x"}, attrs}});
    const bool pool = op == Op::kMaxPool2d || op == Op::kAvgPool2d;
    models_.back().in_opencv = !pool || (attrs.dilation[0] == 1 && attrs.dilation[1] == 1);
  }

 private:
  static net::Granularity granularity(const net::NetSpec& spec) {
    std::map<std::string, net::NodeInfo> infos;
    for (const Node& node : spec.nodes) {
      std::vector<const net::NodeInfo*> inputs;
      for (const std::string& input : node.inputs) inputs.push_back(&infos.at(input));
      infos[node.name] = net::infer_node(node, inputs, spec.segments);
    }
    return infos.at("flat").granularity;
  }

  std::vector<OpModel> models_;
  std::uint64_t seed_ = 0;
};

template <typename T>
T pick(Rng& rng, std::initializer_list<T> choices) {
  return *(choices.begin() + rng.below(static_cast<std::int64_t>(choices.size())));
}

Attrs random_window(Rng& rng, bool dilated) {
  Attrs a;
  a.kernel = {pick<std::int64_t>(rng, {1, 2, 3, 5}), pick<std::int64_t>(rng, {1, 2, 3, 4})};
  a.stride = {pick<std::int64_t>(rng, {1, 2, 3}), pick<std::int64_t>(rng, {1, 2})};
  if (dilated) a.dilation = {pick<std::int64_t>(rng, {1, 2}), pick<std::int64_t>(rng, {1, 2, 3})};
  a.padding = {rng.below(a.kernel[0]), rng.below(a.kernel[0]), rng.below(a.kernel[1]), rng.below(a.kernel[1])};
  if (rng.chance(0.4)) a.padding.bottom = a.padding.top, a.padding.right = a.padding.left;
  return a;
}

bool fits(const Attrs& a, const Shape& in) {
  return (a.kernel[0] - 1) * a.dilation[0] < in[1] + a.padding.top + a.padding.bottom &&
         (a.kernel[1] - 1) * a.dilation[1] < in[2] + a.padding.left + a.padding.right;
}

void add_windows(Grid& grid, Op op, int count) {
  Rng rng(static_cast<std::uint64_t>(op) + 20);
  while (count > 0) {
    Attrs a = random_window(rng, rng.chance(0.3));
    const Shape in = {pick<std::int64_t>(rng, {1, 4, 6}), pick<std::int64_t>(rng, {5, 7, 12}), pick<std::int64_t>(rng, {3, 8, 9})};
    if (op == Op::kConv2d) {
      a.channels = pick<std::int64_t>(rng, {1, 6, 12});
      if (in[0] != 1 && a.channels != 1) a.groups = rng.chance(0.5) && a.channels % in[0] == 0 ? in[0] : 2;
      a.bias = rng.chance(0.5);
    } else {
      a.ceil_mode = rng.chance(0.5);
      a.count_padding = rng.chance(0.6);
    }
    if (!fits(a, in)) continue;
    grid.add_op(op, in, a);
    --count;
  }
}

// Sequences of the features of five segments.
void add_sequences(Grid& grid) {
  const Node stack = {"stack", Op::kSegmentStack, {"x"}, {}};
  Rng rng(31);
  for (int i = 0; i < 12; ++i) {
    Attrs a;
    a.kernel[1] = pick<std::int64_t>(rng, {1, 2, 3, 4});
    a.stride[1] = pick<std::int64_t>(rng, {1, 1, 2});
    a.dilation[1] = a.kernel[1] < 3 ? pick<std::int64_t>(rng, {1, 2}) : 1;
    a.padding.left = (a.kernel[1] - 1) / 2;
    a.padding.right = a.kernel[1] - 1 - a.padding.left;
    a.channels = 6;
    a.groups = pick<std::int64_t>(rng, {1, 1, 2, 3});
    a.bias = rng.chance(0.5);
    grid.add("conv1d " + text_of(a, {12, 5}), {12}, {stack, {"op", Op::kConv1d, {"stack"}, a}}, 5);
  }
  grid.add("batch_norm of sequences", {6}, {stack, {"op", Op::kBatchNorm, {"stack"}, {}}}, 5);
  grid.add("time_mean", {6}, {stack, {"op", Op::kTimeMean, {"stack"}, {}}}, 5);
  Attrs tuples;
  tuples.kernel[1] = 3;
  tuples.indices = {0, 1, 4, 2, 2, 3, 4, 1, 0};
  grid.add("time_tuples", {6}, {stack, {"op", Op::kTimeTuples, {"stack"}, tuples}}, 5);
  tuples.kernel[1] = 1;
  tuples.indices = {3};
  grid.add("time_tuples of one column", {6}, {stack, {"op", Op::kTimeTuples, {"stack"}, tuples}}, 5);
}

void add_segments(Grid& grid) {
  const Node diff = {"diff", Op::kSegmentDiff, {"x"}, {}};
  for (const Shape& in : {Shape{5}, Shape{2, 3}, Shape{2, 3, 4}}) {
    grid.add("segment_diff " + shape_text(in), in, {diff}, 4);
    grid.add("segment_mean " + shape_text(in), in, {{"op", Op::kSegmentMean, {"x"}, {}}}, 3);
    grid.add("segment_mean of pairs " + shape_text(in), in, {diff, {"op", Op::kSegmentMean, {"diff"}, {}}}, 3);
    grid.add("segment_mean of one snippet " + shape_text(in), in, {{"op", Op::kSegmentMean, {"x"}, {}}}, 1);
  }
  grid.add("segment_stack of pairs", {5}, {diff, {"op", Op::kSegmentStack, {"diff"}, {}}}, 4);
  grid.add("segment_stack of one snippet", {5}, {{"op", Op::kSegmentStack, {"x"}, {}}}, 1);
}

void add_pairwise(Grid& grid) {
  const Node relu = {"relu", Op::kRelu, {"x"}, {}};
  for (const Op op : {Op::kAdd, Op::kSub, Op::kMul, Op::kMax, Op::kConcat}) {
    grid.add(std::string(net::op_name(op)), {4, 3, 5}, {relu, {"op", op, {"relu", "x"}, {}}});
    grid.add(std::string(net::op_name(op)) + " of vectors", {6}, {relu, {"op", op, {"x", "relu"}, {}}});
  }
  for (std::size_t count = 1; count <= 4; ++count) {
    Attrs a;
    a.weights.assign(count, 0.7);
    std::vector<std::string> inputs(count, "x");
    if (count > 1) inputs[1] = "relu";
    grid.add(fmt::format("weighted_sum of {}", count), {4, 3, 5}, {relu, {"op", Op::kWeightedSum, inputs, a}});
  }
}

}  // namespace

std::vector<OpModel> op_models() {
  Grid grid;
  add_windows(grid, Op::kConv2d, 40);
  add_windows(grid, Op::kMaxPool2d, 40);
  add_windows(grid, Op::kAvgPool2d, 60);
  add_sequences(grid);
  add_segments(grid);
  add_pairwise(grid);
  for (const Op op : {Op::kRelu, Op::kRelu6, Op::kBatchNorm, Op::kDropout, Op::kFlatten}) {
    for (const Shape& in : {Shape{6}, Shape{4, 5}, Shape{4, 5, 3}}) grid.add_op(op, in);
  }
  grid.add_op(Op::kGlobalAvgPool, {4, 5, 3});
  grid.add_op(Op::kSoftmax, {6});
  Attrs linear;
  linear.channels = 3;
  grid.add_op(Op::kLinear, {6}, linear);
  linear.bias = true;
  grid.add_op(Op::kLinear, {6}, linear);
  return std::move(grid).take();
}

}  // namespace actio::testing

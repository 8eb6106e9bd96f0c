// STFN: temporal dynamics of each stream by residual-inception blocks over the segments, then fusion.
// Source: papers' STFN, sec. 3.1 (eq. 1), 3.2 (Res-Inc eq. 3 and fig. 3; fusion eq. 4-6; designs fig. 4; directions fig. 5).
#include <algorithm>

#include "core/error.h"
#include "net/zoo/stream.h"

namespace actio::net {
namespace {

// Resolved: "same" for an even kernel pads floor((k-1)/2) before and the rest after.
Conv same_conv1d(std::int64_t channels, std::int64_t kernel) {
  const std::int64_t before = (kernel - 1) / 2;
  return {channels, kernel, 1, 1, false, {0, 0, before, kernel - 1 - before}};
}

Value res_inc(Builder& b, const std::string& name, const Value& x) {
  const std::int64_t dimension = b.shape_of(x)[0];
  if (dimension % 4 != 0) fail_usage("{}: Res-Inc needs a feature dimension divisible by 4, got {}", name, dimension);
  std::vector<Value> branches;
  for (const std::int64_t kernel : {2, 3, 4, 5}) {
    const std::string branch = fmt::format("{}.branch{}", name, kernel);
    const Value y = b.conv1d(branch + ".conv", x, same_conv1d(dimension / 4, kernel));
    branches.push_back(b.relu(branch + ".relu", b.batch_norm(branch + ".bn", y)));
  }
  const Value skip = b.batch_norm(name + ".skip.bn", b.conv1d(name + ".skip.conv", x, same_conv1d(dimension, 2)));
  const Value joined = b.apply(Op::kConcat, name + ".concat", branches);
  return b.relu(name + ".relu", b.apply(Op::kAdd, name + ".add", {joined, skip}));
}

Value res_inc_chain(Builder& b, const std::string& name, Value x, std::int64_t blocks) {
  for (std::int64_t i = 0; i < blocks; ++i) x = res_inc(b, fmt::format("{}.res_inc{}", name, i), x);
  return x;
}

// Options that would say nothing. Throws: Error(kUsage).
void check(const NetworkOptions& options) {
  if (options.stfn_blocks_after > 0 && options.stfn_design != StfnDesign::kA) {
    fail_usage("stfn_blocks_after: design {} has no blocks after the fusion", name_of(options.stfn_design));
  }
  if (options.stfn_width % 4 != 0) fail_usage("stfn_width: must be a multiple of 4, got {}", options.stfn_width);
  if (options.stfn_weights.empty()) return;
  if (options.stfn_fusion != StfnFusion::kWeighted || options.stfn_direction == StfnDirection::kNone ||
      options.stfn_design == StfnDesign::kC) {
    fail_usage("stfn_weights: are those of the fusion 'weighted', which this network does not have");
  }
  if (std::ranges::any_of(options.stfn_weights, [](double weight) { return weight < 0; })) {
    fail_usage("stfn_weights: no weight of an average may be below 0");
  }
}

Value fuse(Builder& b, const NetworkOptions& options, const Value& a, const Value& m) {
  if (options.stfn_fusion == StfnFusion::kMaximum) return b.apply(Op::kMax, "stfn.fusion", {a, m});
  if (options.stfn_fusion == StfnFusion::kMultiplication) return b.apply(Op::kMul, "stfn.fusion", {a, m});
  if (!options.stfn_weights.empty())
    return b.weighted_sum("stfn.fusion", {a, m}, shares(options.stfn_weights, 2, "stfn_weights"), false);
  return b.weighted_sum("stfn.fusion", {a, m}, {0.5, 0.5}, options.stfn_fusion == StfnFusion::kWeighted);
}

Value drop(Builder& b, const std::string& name, const Value& x, const NetworkOptions& options) {
  return options.stfn_dropout > 0 ? b.dropout(name + ".dropout", x, options.stfn_dropout) : x;
}

// Our own, for few clips: the blocks' weights are as many as the square of the width.
Value reduced(Builder& b, const std::string& name, const Value& x, const NetworkOptions& options) {
  return options.stfn_width > 0 ? b.conv1d(name + ".reduce", x, {options.stfn_width}) : x;
}

Value probabilities(Builder& b, const std::string& name, const Value& sequence, const NetworkOptions& options) {
  const Value mean = drop(b, name, b.apply(Op::kTimeMean, name + ".mean", {sequence}), options);
  return b.apply(Op::kSoftmax, name + ".probabilities", {b.linear(name + ".fc", mean, options.classes)});
}

// Fig. 4c: concatenated features, one Res-Inc block of twice the width.
NetSpec finish_design_c(Builder& b, const NetworkOptions& options, const Value& a, const Value& m) {
  const Value joined = b.apply(Op::kConcat, "stfn.concat", {a, m});
  const Value output = probabilities(b, "stfn.head", res_inc_chain(b, "stfn.joint", joined, options.stfn_blocks), options);
  b.head("stfn", output, HeadLoss::kNll);
  return b.finish(output, output);
}

}  // namespace

NetSpec build_stfn(const NetworkOptions& options, const Inputs& inputs) {
  check(options);
  const auto backbone = make_backbone(backbone_options(options));
  Builder b(fmt::format("stfn_{}({})", name_of(options.stfn_design), name_of(options.backbone)), options.segments);
  const Stream rgb = add_stream(b, *backbone, "rgb", inputs);
  const Stream motion = add_stream(b, *backbone, "motion", inputs);
  Value a = drop(b, "stfn.a", b.apply(Op::kSegmentStack, "rgb.sequence", {rgb.feature}), options);
  Value m = drop(b, "stfn.m", b.apply(Op::kSegmentStack, "motion.sequence", {motion.feature}), options);
  a = reduced(b, "stfn.a", a, options);
  m = reduced(b, "stfn.m", m, options);
  if (options.stfn_design == StfnDesign::kC) return finish_design_c(b, options, a, m);

  a = res_inc_chain(b, "stfn.a", a, options.stfn_blocks);
  m = res_inc_chain(b, "stfn.m", m, options.stfn_blocks);
  if (options.stfn_direction != StfnDirection::kNone) {  // sec. 3.1: G can be omitted
    const Value fused = fuse(b, options, a, m);
    if (options.stfn_direction != StfnDirection::kMFromA) a = fused;
    if (options.stfn_direction != StfnDirection::kAFromM) m = fused;
  }
  if (options.stfn_design == StfnDesign::kA) {
    const std::int64_t blocks = options.stfn_blocks_after > 0 ? options.stfn_blocks_after : options.stfn_blocks;
    a = res_inc_chain(b, "stfn.fa", a, blocks);
    m = res_inc_chain(b, "stfn.fm", m, blocks);
  }
  // Eq. 1: the two streams' probabilities are averaged. Resolved: the loss is the negative logarithm of that average.
  const Value output = b.weighted_sum("probabilities",
                                      {probabilities(b, "stfn.head_a", a, options),
                                       probabilities(b, "stfn.head_m", m, options)},
                                      {0.5, 0.5}, false);
  b.head("stfn", output, HeadLoss::kNll);
  return b.finish(output, output);
}

}  // namespace actio::net

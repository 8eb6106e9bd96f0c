// IF-TTN: information fusion at several stages, then a temporal transformation network over neighbouring snippets.
// Source: papers' IF-TTN, sec. 3.1 (IFM, eq. 1-3), 3.2 (TTN, eq. 4-5), 3.4 (heads and prediction).
#include "core/error.h"
#include "net/zoo/stream.h"

namespace actio::net {
namespace {

using Stages = std::array<Value, Backbone::kStages + 1>;

// Eq. 2, eq. 3, and the fusions of table 2.
Value fuse(Builder& b, IfmKind kind, const std::string& name, const Value& a, const Value& m) {
  if (kind == IfmKind::kAdditive) return b.apply(Op::kAdd, name, {a, m});
  if (kind == IfmKind::kMultiplicative) return b.apply(Op::kMul, name, {a, m});
  const Value product = b.apply(Op::kMul, name + ".product", {a, m});
  if (kind == IfmKind::kAttention) return b.apply(Op::kAdd, name, {a, product});
  return b.weighted_sum(name, {a, m, product}, {1, 0, 1}, true);
}

Stages fuse_stages(Builder& b, const NetworkOptions& options, const Stream& rgb, const Stream& motion) {
  Stages fused;
  const int last = options.ttn_final_merge ? 5 : 4;
  for (int s = static_cast<int>(options.ttn_first_stage) - 1; s <= last; ++s) {
    const auto i = static_cast<std::size_t>(s);
    fused[i] = fuse(b, options.ifm, fmt::format("ifm.stage{}", s), rgb.stages[i], motion.stages[i]);
    b.stage(fused[i], fused[i]);
  }
  return fused;
}

// Eq. 5: the difference f_j - f_i enters the first stage alone, and is added to what comes out of each later one.
Value add_ttn(Builder& b, const Backbone& backbone, const NetworkOptions& options, const std::string& name, const Stages& f) {
  const int first = static_cast<int>(options.ttn_first_stage);
  const auto difference = [&](int s) {
    return b.apply(Op::kSegmentDiff, fmt::format("{}.diff{}", name, s), {f[static_cast<std::size_t>(s)]});
  };
  Value x = difference(first - 1);
  for (int s = first; s <= Backbone::kStages; ++s) {
    x = backbone.stage(b, name + ".", s, x);
    b.stage(fmt::format("{}.stage{}", name, s), x);
    if (s < Backbone::kStages || options.ttn_final_merge) {
      x = b.apply(Op::kAdd, fmt::format("{}.merge{}", name, s), {x, difference(s)});
    }
  }
  const Value feature = b.apply(Op::kGlobalAvgPool, name + ".avgpool", {x});
  const Value mean = b.apply(Op::kSegmentMean, name + ".consensus", {feature});
  const Value dropped = b.dropout(name + ".dropout", mean, options.dropout_ttn);
  const Value scores = b.linear(name + "." + backbone.classifier(), dropped, options.classes);
  b.head(name, scores);
  return scores;
}

}  // namespace

NetSpec build_if_ttn(const NetworkOptions& options, const Inputs& inputs) {
  const auto backbone = make_backbone(backbone_options(options));
  Builder b(fmt::format("if_ttn({})", name_of(options.backbone)), options.segments);
  const Stream rgb = add_stream(b, *backbone, "rgb", inputs);
  const Stream motion = add_stream(b, *backbone, "motion", inputs);
  std::vector<Value> scores = {add_consensus_head(b, *backbone, rgb, options.dropout_rgb, options.classes),
                               add_consensus_head(b, *backbone, motion, options.dropout_motion, options.classes)};
  if (options.ifm == IfmKind::kNone) {
    scores.push_back(add_ttn(b, *backbone, options, "ttn_rgb", rgb.stages));
    scores.push_back(add_ttn(b, *backbone, options, "ttn_motion", motion.stages));
  } else {
    scores.push_back(add_ttn(b, *backbone, options, "ttn", fuse_stages(b, options, rgb, motion)));
  }
  return finish_with_fusion(b, scores, options.fusion_weights);
}

}  // namespace actio::net

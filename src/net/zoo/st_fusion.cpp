// Spatiotemporal fusion of two residual streams: motion enters the appearance stream's residual branches.
// Source: Feichtenhofer et al., Spatiotemporal Residual Networks for Video Action Recognition, sec. 3.2 (additive), and
// Spatiotemporal Multiplier Networks for Video Action Recognition, sec. 4.1 (multiplicative). Both connect once per stage, from
// motion to appearance, inside of the residual branch. Resolved: at the second unit of a stage, whose skip is the identity on
// every residual backbone (ResNet-18's and 34's first stage would have one earlier). Their temporal convolutions are left out:
// segments meet in the consensus.
#include <fmt/format.h>

#include "net/zoo/stream.h"

namespace actio::net {

NetSpec build_st_fusion(const NetworkOptions& options, const Inputs& inputs) {
  const auto backbone = make_backbone(backbone_options(options));
  Builder b(fmt::format("st_fusion_{}({})", name_of(options.st_fusion), name_of(options.backbone)), options.segments);
  const Stream motion = add_stream(b, *backbone, "motion", inputs);
  const Op op = options.st_fusion == StFusionKind::kMultiplicative ? Op::kMul : Op::kAdd;
  // The streams are alike, so the motion stream's value at a place has the same name but for the prefix.
  const auto inject = [&](const Value& unit_input) {
    const std::string place = unit_input.substr(unit_input.find('.'));
    return b.apply(op, "rgb" + place + ".fusion", {unit_input, "motion" + place});
  };
  const Stream rgb = add_stream(b, *backbone, "rgb", inputs, inject);
  const std::vector<Value> scores = {add_consensus_head(b, *backbone, rgb, options.dropout_rgb, options.classes),
                                     add_consensus_head(b, *backbone, motion, options.dropout_motion, options.classes)};
  return finish_with_fusion(b, scores, options.fusion_weights);
}

}  // namespace actio::net

// Temporal Segment Network: the baseline of both papers. Scores per snippet, mean over the segments; streams late-fused.
// Source: Wang et al., Temporal Segment Networks; IF-TTN sec. 3.4.
#include "net/zoo/stream.h"

namespace actio::net {

NetSpec build_tsn(const NetworkOptions& options, const Preprocess& preprocess) {
  const auto backbone = make_backbone(backbone_options(options));
  Builder b("tsn_" + options.streams + "(" + options.backbone + ")", options.segments);
  std::vector<Value> scores;
  if (options.streams != "motion") {
    const Stream rgb = add_stream(b, *backbone, "rgb", preprocess);
    scores.push_back(add_consensus_head(b, *backbone, rgb, options.dropout_rgb, options.classes));
  }
  if (options.streams != "rgb") {
    const Stream motion = add_stream(b, *backbone, "motion", preprocess);
    scores.push_back(add_consensus_head(b, *backbone, motion, options.dropout_motion, options.classes));
  }
  return finish_with_fusion(b, scores, options.fusion_weights);
}

}  // namespace actio::net

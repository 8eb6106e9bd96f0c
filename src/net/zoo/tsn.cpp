// Temporal Segment Network: the baseline of both papers. Scores per snippet, mean over the segments; streams late-fused.
// Source: Wang et al., Temporal Segment Networks; IF-TTN sec. 3.4.
#include <fmt/format.h>

#include "net/zoo/stream.h"

namespace actio::net {

NetSpec build_tsn(const NetworkOptions& options, const Inputs& inputs) {
  const auto backbone = make_backbone(backbone_options(options));
  Builder b(fmt::format("tsn_{}({})", streams_text(options), name_of(options.backbone)), options.segments);
  std::vector<Value> scores;
  for (const Stream& stream : add_streams(b, *backbone, inputs)) {
    scores.push_back(add_consensus_head(b, *backbone, stream, dropout_of(options, stream), options.classes));
    if (options.aux_head) add_auxiliary_head(b, *backbone, stream, options.classes);
  }
  return finish_with_fusion(b, scores, options.fusion_weights);
}

}  // namespace actio::net

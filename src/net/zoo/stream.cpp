#include "net/zoo/stream.h"

#include "core/error.h"

namespace actio::net {

BackboneOptions backbone_options(const NetworkOptions& options) { return {options.backbone, options.width, options.padding}; }

Stream add_stream(Builder& b, const Backbone& backbone, const std::string& name, const Preprocess& preprocess) {
  const std::int64_t channels = name == "rgb" ? 3 : motion_channels(preprocess.motion, preprocess.motion_length);
  if (channels == 0) fail_usage("the network has a motion stream, but motion is 'none'; choose mv, rgbdiff or flow");
  Stream stream{name, {}, {}};
  stream.stages[0] = b.input(name, {channels, preprocess.input_size, preprocess.input_size});
  for (int s = 1; s <= Backbone::kStages; ++s) {
    const auto i = static_cast<std::size_t>(s);
    stream.stages[i] = backbone.stage(b, name + ".", s, stream.stages[i - 1]);
    b.stage(fmt::format("{}.stage{}", name, s), stream.stages[i]);
  }
  stream.feature = b.apply(Op::kGlobalAvgPool, name + ".avgpool", {stream.stages[Backbone::kStages]});
  return stream;
}

Value add_consensus_head(Builder& b, const Backbone& backbone, const Stream& stream, double dropout, std::int64_t classes) {
  const Value dropped = b.dropout(stream.name + ".dropout", stream.feature, dropout);
  const Value snippet_scores = b.linear(stream.name + "." + backbone.classifier(), dropped, classes);
  const Value scores = b.apply(Op::kSegmentMean, stream.name + ".consensus", {snippet_scores});
  b.head(stream.name, scores);
  return scores;
}

NetSpec finish_with_fusion(Builder& b, const std::vector<Value>& scores, const std::vector<double>& weights) {
  if (!weights.empty() && weights.size() != scores.size()) {
    fail_usage("fusion_weights: {} heads need as many weights, got {}", scores.size(), weights.size());
  }
  Value fused = scores[0];
  if (scores.size() > 1) {
    const std::vector<double> equal(scores.size(), 1.0 / static_cast<double>(scores.size()));
    fused = b.weighted_sum("scores", scores, weights.empty() ? equal : weights, false);
  }
  return b.finish(fused, b.apply(Op::kSoftmax, "probabilities", {fused}));
}

}  // namespace actio::net

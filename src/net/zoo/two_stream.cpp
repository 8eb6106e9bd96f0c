// Two-stream network with late fusion: each stream classifies every snippet alone, probabilities are averaged.
// Source: Simonyan and Zisserman, Two-Stream Convolutional Networks for Action Recognition in Videos, sec. 2; STFN table 5,
// IF-TTN table 3. The paper trains on one snippet a clip and averages over 25 at test time: choose the segments.
#include <algorithm>

#include "core/error.h"
#include "net/zoo/stream.h"

namespace actio::net {
namespace {

void refuse_negative(const std::vector<double>& weights) {
  if (std::ranges::none_of(weights, [](double weight) { return weight < 0; })) return;
  fail_usage("fusion_weights: two_stream averages probabilities, so that no weight may be below 0");
}

}  // namespace

NetSpec build_two_stream(const NetworkOptions& options, const Inputs& inputs) {
  refuse_negative(options.fusion_weights);
  const auto backbone = make_backbone(backbone_options(options));
  Builder b(fmt::format("two_stream({})", name_of(options.backbone)), options.segments);
  std::vector<Value> probabilities;
  for (const char* name : {"rgb", "motion"}) {
    const Stream stream = add_stream(b, *backbone, name, inputs);
    add_consensus_head(b, *backbone, stream, dropout_of(options, stream), options.classes);
    if (options.aux_head) add_auxiliary_head(b, *backbone, stream, options.classes);
    const Value of_snippets = b.apply(Op::kSoftmax, stream.name + ".probabilities", {stream.name + "." + backbone->classifier()});
    probabilities.push_back(b.apply(Op::kSegmentMean, stream.name + ".mean", {of_snippets}));
  }
  const Value output = add_fusion(b, "scores", probabilities, options.fusion_weights);
  return b.finish(output, output);
}

}  // namespace actio::net

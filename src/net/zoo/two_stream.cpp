// Two-stream network with late fusion: each stream classifies every snippet alone, probabilities are averaged.
// Source: Simonyan and Zisserman, Two-Stream Convolutional Networks for Action Recognition in Videos, sec. 2; STFN table 5,
// IF-TTN table 3. The paper trains on one snippet a clip and averages over 25 at test time: choose the segments.
#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "net/zoo/stream.h"

namespace actio::net {
namespace {

// Weights of probabilities, adding up to 1, so that the result is one.
std::vector<double> shares(std::vector<double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (weights.empty()) return weights;
  if (std::ranges::any_of(weights, [](double weight) { return weight < 0; }) || !(sum > 0)) {
    fail_usage("fusion_weights: two_stream averages probabilities, so that no weight may be below 0 and one must be above");
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace

NetSpec build_two_stream(const NetworkOptions& options, const Preprocess& preprocess) {
  const auto backbone = make_backbone(backbone_options(options));
  Builder b("two_stream(" + options.backbone + ")", options.segments);
  std::vector<Value> probabilities;
  for (const char* name : {"rgb", "motion"}) {
    const Stream stream = add_stream(b, *backbone, name, preprocess);
    add_consensus_head(b, *backbone, stream, dropout_of(options, stream), options.classes);
    if (options.aux_head) add_auxiliary_head(b, *backbone, stream, options.classes);
    const Value of_snippets = b.apply(Op::kSoftmax, stream.name + ".probabilities", {stream.name + "." + backbone->classifier()});
    probabilities.push_back(b.apply(Op::kSegmentMean, stream.name + ".mean", {of_snippets}));
  }
  const Value output = add_fusion(b, "scores", probabilities, shares(options.fusion_weights));
  return b.finish(output, output);
}

}  // namespace actio::net

#include "net/zoo/stream.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace actio::net {

BackboneOptions backbone_options(const NetworkOptions& options) { return {options.backbone, options.width, options.padding}; }

Stream add_stream(Builder& b, const Backbone& backbone, const std::string& name, const Inputs& inputs,
                  const StreamInjection& inject) {
  const InputSpec* input = inputs.find(name);
  if (input == nullptr) fail_internal("the network has a stream '{}', but no such input", name);
  Stream stream{name, {}, {}};
  stream.stages[0] = b.input(name, input->row());
  for (int s = 1; s <= Backbone::kStages; ++s) {
    const auto i = static_cast<std::size_t>(s);
    stream.stages[i] = backbone.stage(b, name + ".", s, stream.stages[i - 1], inject);
    b.stage(fmt::format("{}.stage{}", name, s), stream.stages[i]);
  }
  stream.feature = b.apply(Op::kGlobalAvgPool, name + ".avgpool", {stream.stages[Backbone::kStages]});
  return stream;
}

std::vector<Stream> add_streams(Builder& b, const Backbone& backbone, const Inputs& inputs) {
  std::vector<Stream> streams;
  for (const InputSpec& input : inputs.list) streams.push_back(add_stream(b, backbone, input.name, inputs));
  return streams;
}

std::string streams_text(const NetworkOptions& options) {
  std::string text = options.streams;
  std::ranges::replace(text, ',', '+');
  return text;
}

double dropout_of(const NetworkOptions& options, const Stream& stream) {
  return stream.name == "rgb" ? options.dropout_rgb : options.dropout_motion;
}

void add_auxiliary_head(Builder& b, const Backbone& backbone, const Stream& stream, std::int64_t classes) {
  constexpr double kWeight = 0.4;
  const std::string name = stream.name + ".AuxLogits";
  const Value scores = backbone.auxiliary(b, stream.name + ".", stream.stages[4], classes);
  b.auxiliary_head(name, b.apply(Op::kSegmentMean, name + ".consensus", {scores}), kWeight);
}

Value add_consensus_head(Builder& b, const Backbone& backbone, const Stream& stream, double dropout, std::int64_t classes) {
  const Value dropped = b.dropout(stream.name + ".dropout", stream.feature, dropout);
  const Value snippet_scores = b.linear(stream.name + "." + backbone.classifier(), dropped, classes);
  const Value scores = b.apply(Op::kSegmentMean, stream.name + ".consensus", {snippet_scores});
  b.head(stream.name, scores);
  return scores;
}

std::vector<double> shares(std::vector<double> weights, std::size_t count, const std::string& option) {
  if (weights.size() != count) fail_usage("{}: {} values need as many weights, got {}", option, count, weights.size());
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(sum > 0) || !std::isfinite(sum)) fail_usage("{}: the weights must add up to more than 0, got {}", option, sum);
  for (double& weight : weights) weight /= sum;
  return weights;
}

Value add_fusion(Builder& b, const std::string& name, const std::vector<Value>& values, const std::vector<double>& weights) {
  const std::vector<double> equal(values.size(), 1.0);
  const std::vector<double> of_values = shares(weights.empty() ? equal : weights, values.size(), "fusion_weights");
  return values.size() == 1 ? values[0] : b.weighted_sum(name, values, of_values, false);
}

NetSpec finish_with_fusion(Builder& b, const std::vector<Value>& scores, const std::vector<double>& weights) {
  const Value fused = add_fusion(b, "scores", scores, weights);
  return b.finish(fused, b.apply(Op::kSoftmax, "probabilities", {fused}));
}

}  // namespace actio::net

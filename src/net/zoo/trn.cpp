// Temporal Relation Network, multi-scale: relations between 2 to K snippets in their order, on pooled features.
// Source: Zhou et al., Temporal Relational Reasoning in Videos, eq. 1-3 and sec. 3.1 (two-layer perceptrons of 256 units, 3
// tuples a scale); IF-TTN sec. 3.2. Resolved: the tuples of a scale, drawn anew for each clip there, are fixed here and lie evenly
// among all of them, so that a clip has one score.
#include <algorithm>

#include "core/error.h"
#include "net/zoo/stream.h"

namespace actio::net {
namespace {

constexpr std::int64_t kHidden = 256;

// n choose k, up to 64 choose 32.
std::int64_t combinations(std::int64_t n, std::int64_t k) {
  if (k > n) return 0;
  std::int64_t count = 1;
  // The product before the division needs up to six bits more than the result, which 63 bits lack: divide first.
  for (std::int64_t i = 1; i <= std::min(k, n - k); ++i) {
    const std::int64_t factor = n - i + 1;
    count = count / i * factor + count % i * factor / i;
  }
  return count;
}

// The ordered choice of `length` out of `segments` that has this rank in lexicographic order.
std::vector<std::int64_t> tuple_of_rank(std::int64_t rank, std::int64_t segments, std::int64_t length) {
  std::vector<std::int64_t> tuple;
  for (std::int64_t next = 0; static_cast<std::int64_t>(tuple.size()) < length; ++next) {
    const std::int64_t with = combinations(segments - next - 1, length - static_cast<std::int64_t>(tuple.size()) - 1);
    if (rank < with) tuple.push_back(next);
    else rank -= with;
  }
  return tuple;
}

std::vector<std::vector<std::int64_t>> even_tuples(std::int64_t segments, std::int64_t length, std::int64_t most) {
  const std::int64_t all = combinations(segments, length), count = std::min(all, most);
  std::vector<std::vector<std::int64_t>> tuples;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t rank = i * (all / count) + i * (all % count) / count + all / count / 2;
    tuples.push_back(tuple_of_rank(rank, segments, length));
  }
  return tuples;
}

Conv perceptron(std::int64_t channels) {
  Conv layer{channels};
  layer.bias = true;
  return layer;
}

// Eq. 2 and 3: the perceptron of a scale is the same for all of its tuples, so it is a convolution of length 1 over them.
Value add_scale(Builder& b, const std::string& name, const Value& sequence, std::int64_t classes,
                const std::vector<std::vector<std::int64_t>>& tuples) {
  const Value inputs = b.relu(name + ".relu1", b.time_tuples(name + ".tuples", sequence, tuples));
  const Value hidden = b.relu(name + ".relu2", b.conv1d(name + ".fc1", inputs, perceptron(kHidden)));
  return b.apply(Op::kTimeMean, name + ".mean", {b.conv1d(name + ".fc2", hidden, perceptron(classes))});
}

Value add_relations(Builder& b, const NetworkOptions& options, const Stream& stream) {
  const Value dropped = b.dropout(stream.name + ".dropout", stream.feature, dropout_of(options, stream));
  const Value feature = b.linear(stream.name + ".trn.project", dropped, options.trn_features);
  const Value sequence = b.apply(Op::kSegmentStack, stream.name + ".sequence", {feature});
  std::vector<Value> scales;
  std::vector<double> counts;
  for (std::int64_t length = options.segments; length >= 2; --length) {
    const auto tuples = even_tuples(options.segments, length, options.trn_tuples);
    scales.push_back(add_scale(b, fmt::format("{}.trn.scale{}", stream.name, length), sequence, options.classes, tuples));
    counts.push_back(static_cast<double>(tuples.size()));
  }
  // The sum over the tuples of every scale, as the paper's, from their means.
  const Value scores = b.weighted_sum(stream.name + ".trn.scores", scales, counts, false);
  b.head(stream.name, scores);
  return scores;
}

}  // namespace

NetSpec build_trn(const NetworkOptions& options, const Inputs& inputs) {
  if (options.segments < 2) fail_usage("trn needs at least 2 segments, got {}", options.segments);
  const auto backbone = make_backbone(backbone_options(options));
  Builder b(fmt::format("trn_{}({})", streams_text(options), name_of(options.backbone)), options.segments);
  std::vector<Value> scores;
  for (const Stream& stream : add_streams(b, *backbone, inputs)) {
    scores.push_back(add_relations(b, options, stream));
  }
  return finish_with_fusion(b, scores, options.fusion_weights);
}

}  // namespace actio::net

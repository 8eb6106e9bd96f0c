#include "torch/trainer/tester.h"

#include <ATen/ATen.h>

#include "eval/metrics.h"
#include "net/head_weights.h"
#include "torch/graph/convert.h"
#include "torch/trainer/losses.h"

namespace actio::torch_train {
namespace {

void append(const at::Tensor& rows, std::vector<float>& all) {
  const Tensor plain = from_torch(rows);
  const auto values = plain.values<float>();
  all.insert(all.end(), values.begin(), values.end());
}

}  // namespace

std::optional<Answers> test(Graph& graph, BatchSource& source, const TestPass& pass) {
  const net::NetSpec& spec = graph.spec();
  std::vector<std::string> nodes = loss_nodes(spec);
  const std::string scores_node = spec.scores.empty() ? spec.output : spec.scores;
  nodes.push_back(scores_node);
  const std::vector<net::Head> heads = net::fused_heads(spec);
  for (const net::Head& head : heads) nodes.push_back(head.node);
  graph.set_precision(false, false);
  graph.set_segments(0);
  source.start_epoch(pass.epoch);
  Answers answers;
  std::vector<float> probabilities, scores;
  std::vector<std::vector<float>> of_heads(heads.size());
  double loss = 0;
  LossOptions loss_options;
  loss_options.frozen_heads = pass.frozen_heads;
  while (!pass.stop.stop_requested()) {
    if (pass.check) pass.check();
    const std::optional<data::Batch> batch = source.next();
    if (!batch) break;
    const Graph::Values values = graph.run(batch->inputs, nodes, {});
    const at::Tensor labels = check_labels(spec, values, batch->labels, batch->paths);
    loss += total_loss(spec, values, labels, loss_options).item<double>() * static_cast<double>(batch->labels.size());
    append(values.at(spec.output), probabilities);
    append(values.at(scores_node), scores);
    for (std::size_t i = 0; i < heads.size(); ++i) append(values.at(heads[i].node), of_heads[i]);
    answers.labels.insert(answers.labels.end(), batch->labels.begin(), batch->labels.end());
    answers.paths.insert(answers.paths.end(), batch->paths.begin(), batch->paths.end());
    if (pass.progress) pass.progress(static_cast<std::int64_t>(answers.labels.size()));
  }
  if (answers.labels.empty() || pass.stop.stop_requested()) return std::nullopt;
  const auto clips = static_cast<std::int64_t>(answers.labels.size());
  const Shape shape = {clips, static_cast<std::int64_t>(probabilities.size()) / clips};
  answers.probabilities = Tensor::of(shape, probabilities);
  answers.scores = Tensor::of(shape, scores);
  for (const std::vector<float>& head : of_heads) answers.heads.push_back(Tensor::of(shape, head));
  answers.loss = loss / static_cast<double>(clips);
  answers.top1 = eval::compute_metrics(answers.probabilities, answers.labels).top1;
  return answers;
}

}  // namespace actio::torch_train

#include "torch/trainer/losses.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"

namespace actio::torch_train {
namespace {

constexpr double kFloor = 1e-12;  // a probability of 0 would have an infinite loss

at::Tensor in_full(const at::Tensor& value) { return value.scalar_type() == at::kDouble ? value : value.to(at::kFloat); }

// Logits and their share in a probability.
struct Term {
  std::string logits;
  double share = 1;
};

// What an nll head's probabilities are made of: softmax, or a fixed mixture of several. Empty where they are something else.
std::vector<Term> terms_of(const net::NetSpec& spec, const net::Head& head) {
  const net::Node& node = spec.node(head.node);
  if (node.op == net::Op::kSoftmax) return {{node.inputs[0], 1}};
  if (node.op != net::Op::kWeightedSum || node.attrs.trainable) return {};
  std::vector<Term> terms;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const net::Node& part = spec.node(node.inputs[i]);
    if (part.op != net::Op::kSoftmax || !(node.attrs.weights[i] > 0)) return {};
    terms.push_back({part.inputs[0], node.attrs.weights[i]});
  }
  return terms;
}

// The logarithm of a mixture of softmaxes, from their logits: by way of the probabilities, a clip that is classified far off
// would have a probability of zero, and so no gradient.
at::Tensor log_mixture(const std::vector<Term>& terms, const Graph::Values& values) {
  std::vector<at::Tensor> logs;
  for (const Term& term : terms) logs.push_back(at::log_softmax(in_full(values.at(term.logits)), 1) + std::log(term.share));
  return at::logsumexp(at::stack(logs), 0);
}

at::Tensor log_probabilities(const net::NetSpec& spec, const net::Head& head, const Graph::Values& values) {
  const at::Tensor full = in_full(values.at(head.node));
  if (head.loss != net::HeadLoss::kNll) return at::log_softmax(full, 1);
  const std::vector<Term> terms = terms_of(spec, head);
  return terms.empty() ? full.clamp_min(kFloor).log() : log_mixture(terms, values);
}

// Cross-entropy with (1 - smoothing) of the target on the true class and the rest spread over all. Divided by the number of clips and not by
// the sum of their classes' weights, so that batches of several ranks or of one step add up to that of all.
at::Tensor cross_entropy(const at::Tensor& logs, const at::Tensor& labels, const LossOptions& options) {
  const at::Tensor& weights = options.class_weights;
  const auto clips = static_cast<double>(logs.size(0));
  const at::Tensor plain = weights.defined() ? at::nll_loss(logs, labels, weights, at::Reduction::Sum) / clips : at::nll_loss(logs, labels);
  if (options.label_smoothing == 0) return plain;
  const at::Tensor all = weights.defined() ? (logs * weights).sum() : logs.sum();
  const double share = options.label_smoothing / static_cast<double>(logs.size(1));
  return plain * (1 - options.label_smoothing) - all / clips * share;
}

// The mean over the clips, times the temperature's square, so that gradients are as large as those of the labels.
at::Tensor divergence(const at::Tensor& logs, const at::Tensor& teacher, double temperature) {
  const at::Tensor cooled = at::log_softmax(logs / temperature, 1);
  const at::Tensor terms = teacher * (teacher.clamp_min(kFloor).log() - cooled);
  return terms.sum() * (temperature * temperature / static_cast<double>(logs.size(0)));
}

}  // namespace

std::vector<std::string> loss_nodes(const net::NetSpec& spec) {
  if (spec.heads.empty()) fail("{}: the network has no head to train", spec.name);
  std::vector<std::string> nodes = {spec.output};
  for (const net::Head& head : spec.heads) {
    nodes.push_back(head.node);
    if (head.loss != net::HeadLoss::kNll) continue;
    for (const Term& term : terms_of(spec, head)) nodes.push_back(term.logits);
  }
  return nodes;
}

at::Tensor total_loss(const net::NetSpec& spec, const Graph::Values& values, const at::Tensor& labels,
                      const LossOptions& options, const at::Tensor& teacher) {
  at::Tensor sum;
  for (const net::Head& head : spec.heads) {
    if (options.frozen_heads.contains(head.name)) continue;
    const at::Tensor logs = log_probabilities(spec, head, values);
    at::Tensor loss = cross_entropy(logs, labels, options);
    if (teacher.defined()) {
      loss = loss * (1 - options.teacher_weight) + divergence(logs, teacher, options.teacher_temperature) * options.teacher_weight;
    }
    loss = loss * head.weight;
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum;
}

at::Tensor check_labels(const net::NetSpec& spec, const Graph::Values& values, const std::vector<std::int64_t>& labels,
                        const std::vector<std::string>& paths) {
  for (const net::Head& head : spec.heads) {
    const at::Tensor& value = values.at(head.node);
    if (value.size(0) != static_cast<std::int64_t>(labels.size())) {
      fail("{}: {} clips and {} labels", head.node, value.size(0), labels.size());
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] >= 0 && labels[i] < value.size(1)) continue;
      fail_data("{}: label {} is outside of the {} classes of head '{}'", i < paths.size() ? paths[i] : spec.name, labels[i],
                value.size(1), head.name);
    }
  }
  return at::tensor(labels, at::kLong).to(values.begin()->second.device());
}

}  // namespace actio::torch_train

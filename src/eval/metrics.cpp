#include "eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace actio::eval {
namespace {

constexpr double kZ95 = 1.959963984540054;

void set_wilson_interval(Metrics& metrics) {
  const double n = static_cast<double>(metrics.clips);
  const double z2 = kZ95 * kZ95;
  const double middle = metrics.top1 + z2 / (2 * n);
  const double spread = kZ95 * std::sqrt(metrics.top1 * (1 - metrics.top1) / n + z2 / (4 * n * n));
  metrics.top1_low = std::max(0.0, (middle - spread) / (1 + z2 / n));
  metrics.top1_high = std::min(1.0, (middle + spread) / (1 + z2 / n));
}

double mean_class_accuracy(const std::vector<std::vector<std::int64_t>>& confusion) {
  double sum = 0;
  int present = 0;
  for (std::size_t c = 0; c < confusion.size(); ++c) {
    const std::int64_t total = std::accumulate(confusion[c].begin(), confusion[c].end(), std::int64_t{0});
    if (total == 0) continue;
    sum += static_cast<double>(confusion[c][c]) / static_cast<double>(total);
    ++present;
  }
  return present == 0 ? 0 : sum / present;
}

void check_shape(const Tensor& scores, std::size_t labels) {
  if (scores.shape().size() != 2 || scores.dim(0) != static_cast<std::int64_t>(labels)) {
    fail("scores of shape {} do not fit {} labels", shape_text(scores.shape()), labels);
  }
}

// The scores of clip i. Throws for a label without a class and for a NaN.
Tensor checked_row(const Tensor& scores, std::int64_t i, std::int64_t label) {
  const std::int64_t classes = scores.dim(1);
  if (label < 0 || label >= classes) fail("clip {}: label {} of {} classes", i, label, classes);
  Tensor row = scores.rows(i, 1).reshaped({classes});
  if (std::ranges::any_of(row.values<float>(), [](float x) { return std::isnan(x); })) fail("clip {}: a score is NaN", i);
  return row;
}

}  // namespace

std::vector<std::int64_t> top_classes(const Tensor& scores, std::int64_t count) {
  const auto values = scores.values<float>();
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, [&](std::int64_t a, std::int64_t b) { return values[a] > values[b]; });
  order.resize(std::min<std::size_t>(order.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 0))));
  return order;
}

Metrics compute_metrics(const Tensor& scores, std::span<const std::int64_t> labels, ScoreKind kind) {
  check_shape(scores, labels.size());
  const std::int64_t classes = scores.dim(1);
  Metrics metrics;
  metrics.clips = scores.dim(0);
  metrics.confusion.assign(classes, std::vector<std::int64_t>(classes, 0));
  if (metrics.clips == 0) return metrics;
  std::int64_t right = 0, near = 0;
  for (std::int64_t i = 0; i < metrics.clips; ++i) {
    const Tensor row = checked_row(scores, i, labels[i]);
    const auto best = top_classes(row, 5);
    ++metrics.confusion[labels[i]][best[0]];
    right += best[0] == labels[i];
    near += std::ranges::find(best, labels[i]) != best.end();
  }
  metrics.top1 = static_cast<double>(right) / static_cast<double>(metrics.clips);
  metrics.top5 = static_cast<double>(near) / static_cast<double>(metrics.clips);
  metrics.mean_class_accuracy = mean_class_accuracy(metrics.confusion);
  set_wilson_interval(metrics);
  if (kind == ScoreKind::kProbabilities) metrics.calibration = measure_calibration(scores, labels);
  return metrics;
}

std::vector<bool> correct_clips(const Tensor& scores, std::span<const std::int64_t> labels) {
  check_shape(scores, labels.size());
  std::vector<bool> right;
  for (std::int64_t i = 0; i < scores.dim(0); ++i) right.push_back(top_classes(checked_row(scores, i, labels[i]), 1)[0] == labels[i]);
  return right;
}

double accuracy_within_groups(const Tensor& scores, std::span<const std::int64_t> labels,
                              std::span<const std::int64_t> group_of_class) {
  check_shape(scores, labels.size());
  if (scores.dim(1) != static_cast<std::int64_t>(group_of_class.size())) {
    fail("scores of {} classes do not fit the groups of {}", scores.dim(1), group_of_class.size());
  }
  double right = 0;
  for (std::int64_t i = 0; i < scores.dim(0); ++i) {
    const Tensor row = checked_row(scores, i, labels[i]);
    const auto values = row.values<float>();
    int tied = 0;
    bool beaten = false;
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (group_of_class[c] != group_of_class[labels[i]]) continue;
      beaten = beaten || values[c] > values[labels[i]];
      tied += values[c] == values[labels[i]] ? 1 : 0;
    }
    if (!beaten) right += 1.0 / tied;
  }
  return scores.dim(0) == 0 ? 0 : right / static_cast<double>(scores.dim(0));
}

Json to_json(const Metrics& metrics, const std::vector<std::string>& classes) {
  Json json = {{"clips", metrics.clips},
               {"top1", metrics.top1},
               {"top1_interval95", {metrics.top1_low, metrics.top1_high}},
               {"top5", metrics.top5},
               {"mean_class_accuracy", metrics.mean_class_accuracy}};
  if (metrics.calibration) {
    json["expected_calibration_error"] = metrics.calibration->expected_error;
    json["negative_log_likelihood"] = metrics.calibration->negative_log_likelihood;
    json["brier"] = metrics.calibration->brier;
  }
  json["classes"] = classes;
  json["confusion"] = metrics.confusion;
  return json;
}

}  // namespace actio::eval

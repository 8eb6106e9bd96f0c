// eval: what a score matrix says against the true classes. In: scores [N, classes] and labels. Out: the field's figures.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/tensor.h"
#include "eval/calibration.h"
#include "eval/score_table.h"

namespace actio::eval {

struct Metrics {
  std::int64_t clips = 0;
  double top1 = 0;                                     // share in 0..1
  double top5 = 0;                                     // 1 where there are 5 classes or fewer
  double mean_class_accuracy = 0;                      // mean over the classes that occur
  double top1_low = 0, top1_high = 0;                  // 95 % interval of top1 (Wilson)
  std::vector<std::vector<std::int64_t>> confusion;    // [true class][predicted class]
  std::optional<Calibration> calibration;              // where the scores are probabilities
};

// scores: f32 [N, classes]. A tie goes to the lower class index. Throws: Error naming both counts, or the clip with a NaN.
Metrics compute_metrics(const Tensor& scores, std::span<const std::int64_t> labels, ScoreKind kind = ScoreKind::kUnknown);

// Whether the highest score of each clip is that of its class. Throws: as compute_metrics.
std::vector<bool> correct_clips(const Tensor& scores, std::span<const std::int64_t> labels);

// Accuracy where only the classes of the true class's group compete: group_of_class holds a number per class. Of an action and
// its reversal it asks nothing but the order of time. A tie between n classes counts as 1/n.
// Throws: Error naming both counts, or the clip with a NaN.
double accuracy_within_groups(const Tensor& scores, std::span<const std::int64_t> labels,
                              std::span<const std::int64_t> group_of_class);

Json to_json(const Metrics& metrics, const std::vector<std::string>& classes);

// Class indices from the highest score down, at most `count`. scores: f32 [classes].
std::vector<std::int64_t> top_classes(const Tensor& scores, std::int64_t count);

}  // namespace actio::eval

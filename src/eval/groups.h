// eval: accuracy of each fold. In: a score matrix, labels and the group of each clip. Out: a row per group, mean and
// deviation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/tensor.h"

namespace actio::eval {

struct GroupRow {
  std::string group;
  std::int64_t clips = 0;
  double top1 = 0;  // share in 0..1
};

struct GroupMetrics {
  std::vector<GroupRow> groups;  // by name; numbers in it count as numbers
  double mean = 0;               // of the groups' accuracies: every group counts the same
  double deviation = 0;          // of them, with n - 1; 0 for one group
};

// Nothing (no row) where there are fewer than two groups, or where no group has two clips. scores: f32 [N, classes].
// Throws: Error naming the counts that differ, or as compute_metrics.
GroupMetrics measure_groups(const Tensor& scores, std::span<const std::int64_t> labels, std::span<const std::string> groups);

Json to_json(const GroupMetrics& metrics);

}  // namespace actio::eval

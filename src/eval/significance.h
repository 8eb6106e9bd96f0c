// eval: whether one model is better than another on the same clips, or was lucky. In: which clips each has right. Out: the
// difference of their accuracies, its interval, and the probability of so uneven a disagreement by chance.
#pragma once

#include <cstdint>
#include <vector>

#include "core/options.h"

namespace actio::eval {

struct BootstrapOptions {
  std::int64_t resamples = 10'000;
  std::int64_t seed = 1;

  Fields fields();
};

struct Comparison {
  std::int64_t clips = 0;
  std::int64_t only_first = 0;  // right in the first alone
  std::int64_t only_second = 0;
  double difference = 0;     // accuracy of the first less that of the second, in shares
  double low = 0, high = 0;  // 95 % percentile interval of the paired bootstrap
  double p_value = 1;        // McNemar's exact test, two-sided
};

// Clips are drawn with replacement, the same for both: 2.5 % of the resampled differences lie below `low`, 2.5 % above
// `high`. The same options give the same interval. Throws: Error naming both counts where they differ. Source: McNemar 1947,
// exact form; Efron and Tibshirani, An Introduction to the Bootstrap, ch. 13.
Comparison compare(const std::vector<bool>& first, const std::vector<bool>& second, const BootstrapOptions& options = {});

// The probability of a split at least as uneven as a : b where each of a + b falls on either side with probability 1/2.
double mcnemar_exact(std::int64_t a, std::int64_t b);

Json to_json(const Comparison& comparison);

}  // namespace actio::eval

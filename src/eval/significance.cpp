#include "eval/significance.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace actio::eval {
namespace {

// Between neighbours in order, as most statistics programs do it.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void set_interval(Comparison& result, const std::vector<std::int8_t>& steps, const BootstrapOptions& options) {
  Rng rng(static_cast<std::uint64_t>(options.seed));
  const auto count = static_cast<std::int64_t>(steps.size());
  std::vector<double> differences;
  for (std::int64_t r = 0; r < options.resamples; ++r) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += steps[static_cast<std::size_t>(rng.below(count))];
    differences.push_back(static_cast<double>(sum) / static_cast<double>(count));
  }
  std::ranges::sort(differences);
  result.low = quantile(differences, 0.025);
  result.high = quantile(differences, 0.975);
}

}  // namespace

Fields BootstrapOptions::fields() {
  return {
      {"resamples", &resamples, "draws of the paired bootstrap", {}, 100, 1'000'000},
      {"bootstrap_seed", &seed, "seed of those draws", {}},
  };
}

double mcnemar_exact(std::int64_t a, std::int64_t b) {
  const std::int64_t n = a + b, fewer = std::min(a, b);
  double tail = 0;
  for (std::int64_t k = 0; k <= fewer; ++k) {
    const auto nd = static_cast<double>(n), kd = static_cast<double>(k);
    tail += std::exp(std::lgamma(nd + 1) - std::lgamma(kd + 1) - std::lgamma(nd - kd + 1) - nd * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

Comparison compare(const std::vector<bool>& first, const std::vector<bool>& second, const BootstrapOptions& options) {
  if (first.size() != second.size()) fail("{} clips cannot be compared with {}", first.size(), second.size());
  if (options.resamples < 1) fail_usage("resamples must be 1 or more, got {}", options.resamples);
  Comparison result;
  result.clips = static_cast<std::int64_t>(first.size());
  if (first.empty()) return result;
  std::vector<std::int8_t> steps;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const int step = static_cast<int>(first[i]) - static_cast<int>(second[i]);
    steps.push_back(static_cast<std::int8_t>(step));
    result.only_first += step > 0 ? 1 : 0;
    result.only_second += step < 0 ? 1 : 0;
  }
  result.difference = static_cast<double>(result.only_first - result.only_second) / static_cast<double>(result.clips);
  result.p_value = mcnemar_exact(result.only_first, result.only_second);
  set_interval(result, steps, options);
  return result;
}

Json to_json(const Comparison& c) {
  return {{"clips", c.clips},           {"only_first", c.only_first},    {"only_second", c.only_second},
          {"difference", c.difference}, {"interval95", {c.low, c.high}}, {"mcnemar_p", c.p_value}};
}

}  // namespace actio::eval

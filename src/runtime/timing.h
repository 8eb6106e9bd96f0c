// runtime: how long work takes. In: something to call. Out: seconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace actio::runtime {

inline double quantile(std::vector<double> values, double share) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::ranges::nth_element(values, at);
  return *at;
}

template <typename Work>
double seconds_of(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename Work>
double median_seconds(int repeats, Work work) {
  std::vector<double> times;
  for (int i = 0; i < std::max(repeats, 1); ++i) times.push_back(seconds_of(work));
  return quantile(std::move(times), 0.5);
}

}  // namespace actio::runtime

#include "core/axis_weights.h"

#include <algorithm>
#include <cmath>

namespace actio {

AxisWeights axis_weights(std::int64_t source, double begin, double length, std::int64_t size, bool flip) {
  const double step = length / static_cast<double>(size);
  const double reach = std::max(step, 1.0);
  const std::int64_t wanted = static_cast<std::int64_t>(std::ceil(2 * reach));
  AxisWeights axis{size, std::min(wanted, source), std::vector<std::int32_t>(static_cast<std::size_t>(size)), {}};
  axis.weight.resize(static_cast<std::size_t>(size * axis.taps));
  std::vector<double> row(static_cast<std::size_t>(axis.taps));
  for (std::int64_t i = 0; i < size; ++i) {
    const double centre = begin + (static_cast<double>(i) + 0.5) * step - 0.5;
    const std::int64_t low = static_cast<std::int64_t>(std::floor(centre - reach)) + 1;
    const std::int64_t first = std::clamp<std::int64_t>(low, 0, source - axis.taps);
    std::ranges::fill(row, 0.0);
    double sum = 0;
    for (std::int64_t j = low; j < low + wanted; ++j) {
      const double weight = std::max(0.0, 1.0 - std::fabs(static_cast<double>(j) - centre) / reach);
      const std::int64_t inside = std::clamp<std::int64_t>(j, 0, source - 1);
      row[static_cast<std::size_t>(std::clamp<std::int64_t>(inside - first, 0, axis.taps - 1))] += weight;
      sum += weight;
    }
    const std::int64_t target = flip ? size - 1 - i : i;
    axis.first[static_cast<std::size_t>(target)] = static_cast<std::int32_t>(first);
    for (std::int64_t t = 0; t < axis.taps; ++t) {
      axis.weight[static_cast<std::size_t>(target * axis.taps + t)] =
          static_cast<float>(row[static_cast<std::size_t>(t)] / sum);
    }
  }
  return axis;
}

}  // namespace actio

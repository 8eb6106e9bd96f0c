#include "eval/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"

namespace actio::eval {
namespace {

constexpr double kSmallest = 1e-12;

struct Bin {
  double confidence = 0, right = 0;
};

// Bins are open below and closed above: (0, 1/15], (1/15, 2/15], ...
std::size_t bin_of(double confidence) {
  const double at = std::ceil(confidence * kCalibrationBins) - 1;
  return static_cast<std::size_t>(std::clamp(at, 0.0, kCalibrationBins - 1.0));
}

}  // namespace

Calibration measure_calibration(const Tensor& probabilities, std::span<const std::int64_t> labels) {
  if (probabilities.shape().size() != 2 || probabilities.dim(0) != static_cast<std::int64_t>(labels.size())) {
    fail("probabilities of shape {} do not fit {} labels", shape_text(probabilities.shape()), labels.size());
  }
  const std::int64_t clips = probabilities.dim(0), classes = probabilities.dim(1);
  Calibration result;
  std::array<Bin, kCalibrationBins> bins;
  for (std::int64_t i = 0; i < clips; ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    if (label < 0 || label >= classes) fail("clip {}: label {} of {} classes", i, label, classes);
    const Tensor row = probabilities.rows(i, 1);
    const auto values = row.values<float>();
    std::size_t best = 0;
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (std::isnan(values[c])) fail("clip {}: a probability is NaN", i);
      if (values[c] > values[best]) best = c;
      const double off = values[c] - (static_cast<std::int64_t>(c) == label ? 1.0 : 0.0);
      result.brier += off * off;
    }
    result.negative_log_likelihood -= std::log(std::max<double>(values[static_cast<std::size_t>(label)], kSmallest));
    Bin& bin = bins[bin_of(values[best])];
    bin.confidence += values[best];
    bin.right += static_cast<std::int64_t>(best) == label ? 1 : 0;
  }
  if (clips == 0) return result;
  const auto n = static_cast<double>(clips);
  for (const Bin& bin : bins) result.expected_error += std::abs(bin.right - bin.confidence) / n;
  result.negative_log_likelihood /= n;
  result.brier /= n;
  return result;
}

}  // namespace actio::eval

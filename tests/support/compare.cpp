#include "support/compare.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace actio::testing {

::testing::AssertionResult close(const Tensor& actual, const Tensor& expected, double relative) {
  if (!actual.defined() || !expected.defined()) return ::testing::AssertionFailure() << "an undefined tensor";
  if (actual.shape() != expected.shape()) {
    return ::testing::AssertionFailure() << "shape " << shape_text(actual.shape()) << ", expected " << shape_text(expected.shape());
  }
  const auto a = actual.values<float>();
  const auto b = expected.values<float>();
  double scale = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
      return ::testing::AssertionFailure() << "element " << i << " is " << a[i] << ", expected " << b[i];
    }
    scale = std::max(scale, std::fabs(static_cast<double>(b[i])));
  }
  std::size_t worst = 0;
  double worst_difference = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - b[i]);
    if (difference > worst_difference) {
      worst = i;
      worst_difference = difference;
    }
  }
  if (worst_difference <= relative * scale) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << fmt::format(
             "element {} is {}, expected {}: off by {:.3g}, allowed {:.3g} ({:.1g} of the largest magnitude {:.4g})", worst,
             a[worst], b[worst], worst_difference, relative * scale, relative, scale);
}

double range_error(const Tensor& actual, const Tensor& expected) {
  if (actual.shape() != expected.shape() || actual.numel() == 0) return HUGE_VAL;
  const auto a = actual.values<float>();
  const auto b = expected.values<float>();
  double low = HUGE_VAL, high = -HUGE_VAL, worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return HUGE_VAL;
    low = std::min<double>(low, b[i]);
    high = std::max<double>(high, b[i]);
    worst = std::max(worst, std::fabs(static_cast<double>(a[i]) - b[i]));
  }
  if (worst == 0) return 0;
  return worst / (high - low);
}

}  // namespace actio::testing

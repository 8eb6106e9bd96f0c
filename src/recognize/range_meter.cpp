#include "recognize/range_meter.h"

#include <algorithm>
#include <cmath>

namespace actio::recognize {
namespace {

constexpr std::size_t kBins = 4096;
constexpr std::size_t kFirstReach = 64;  // bins: a reach below that would cut off nearly all values
constexpr std::size_t kStride = 32;      // bins between the reaches that are tried

}  // namespace

RangeMeter::RangeMeter() : bins_(kBins, 0) {}

void RangeMeter::widen(float size) {
  if (width_ == 0) width_ = size / kBins;
  while (size >= width_ * kBins) {
    for (std::size_t b = 0; b < kBins; ++b) bins_[b] = b < kBins / 2 ? bins_[2 * b] + bins_[2 * b + 1] : 0;
    width_ *= 2;
  }
}

void RangeMeter::add(const Tensor& value) {
  const auto values = value.values<float>();
  count(values);
  const auto channels = static_cast<std::size_t>(value.shape().size() > 1 ? value.dim(1) : 1);
  sums_.resize(channels);
  const std::size_t row = values.size() / static_cast<std::size_t>(value.dim(0)), each = row / channels;
  for (std::size_t begin = 0; begin < values.size(); begin += each) {
    double sum = 0;
    for (const float element : values.subspan(begin, each)) sum += element;
    sums_[begin % row / each] += sum;
  }
  of_channel_ += static_cast<std::int64_t>(values.size() / channels);
}

void RangeMeter::count(std::span<const float> values) {
  const auto [low, high] = std::ranges::minmax(values);
  low_ = std::min(low_, low);
  high_ = std::max(high_, high);
  const float size = std::max(-low, high);
  if (!(size > 0)) return;
  widen(size);
  const float of_width = 1.0F / width_;
  for (const float value : values) {
    const auto bin = static_cast<std::size_t>(std::abs(value) * of_width);
    ++bins_[std::min(bin, kBins - 1)];
  }
}

net::Range RangeMeter::range() const {
  net::Range range;
  range.high = reach();
  if (low_ < 0) range.low = -range.high;
  for (const double sum : sums_) range.means.push_back(static_cast<float>(sum / static_cast<double>(of_channel_)));
  return range;
}

float RangeMeter::reach() const {
  if (width_ == 0) return 0;
  const double steps = low_ < 0 ? 127 : 255;
  const auto last = static_cast<std::size_t>(std::max(-low_, high_) / width_);
  double best_loss = -1;
  std::size_t best = std::min(last + 1, kBins);
  const std::size_t whole = best;
  for (std::size_t reach = whole;; reach -= std::min(kStride, reach)) {
    const double step = static_cast<double>(reach) / steps;
    double loss = 0;
    // Zeros, which are most of what a rectifier leaves, have no error: the bin that holds them counts where steps are wider than it.
    for (std::size_t b = 1; b < whole; ++b) {
      const double beyond = static_cast<double>(b) + 0.5 - static_cast<double>(reach);
      loss += static_cast<double>(bins_[b]) * (beyond > 0 ? beyond * beyond : step * step / 12);
    }
    if (best_loss < 0 || loss < best_loss) {
      best_loss = loss;
      best = reach;
    }
    if (reach < kFirstReach + kStride) break;
  }
  return std::min(static_cast<float>(best) * width_, std::max(-low_, high_));
}

}  // namespace actio::recognize

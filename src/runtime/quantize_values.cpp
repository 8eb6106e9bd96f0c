#include "runtime/quantize_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

namespace actio::runtime {
namespace {

// What this is added to and taken from is rounded to the nearest integer, as long as it is small; a loop of it becomes vector instructions.
constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23

constexpr float kLevels = 127;

// The largest element without its sign. As a whole number, whose order is the same, so that the compiler vectorises it.
float most_of(std::span<const float> values) {
  std::int32_t most = 0;
  for (const float value : values) most = std::max(most, std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF);
  return std::bit_cast<float>(most);
}

// The largest sum of two neighbours' weights at one tap, without its sign. Rounding adds one at most: 255 * 128 is below 2^15.
float most_of_pairs(std::span<const float> channel, std::size_t inputs, std::size_t taps) {
  float most = 0;
  for (std::size_t i = 0; i + 1 < inputs; i += 2) {
    for (std::size_t t = 0; t < taps; ++t) most = std::max(most, std::abs(channel[i * taps + t] + channel[(i + 1) * taps + t]));
  }
  return most;
}

}  // namespace

IntType int_type_of(const net::Range& range) {
  const bool is_signed = range.low < 0;
  const float reach = is_signed ? std::max(-range.low, range.high) : range.high;
  return {is_signed, reach > 0 ? reach / (is_signed ? 127.0F : 255.0F) : 1.0F};
}

std::vector<float> weight_scales(const Tensor& weight, Sums sums) {
  const auto values = weight.values<float>();
  const auto channels = static_cast<std::size_t>(weight.dim(0)), inputs = static_cast<std::size_t>(weight.dim(1));
  const std::size_t taps = values.size() / std::max<std::size_t>(channels * inputs, 1);
  std::vector<float> scales;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto channel = values.subspan(c * inputs * taps, inputs * taps);
    float most = most_of(channel);
    if (sums == Sums::k16BitPairs) most = std::max(most, most_of_pairs(channel, inputs, taps));
    scales.push_back(most > 0 ? most / kLevels : 1.0F);
  }
  return scales;
}

std::vector<float> to_steps(Tensor& weight, const std::vector<float>& scales, const std::vector<float>& means) {
  const std::size_t channels = scales.size(), inputs = static_cast<std::size_t>(weight.dim(1));
  const std::size_t taps = static_cast<std::size_t>(weight.numel()) / (channels * inputs);
  const std::size_t of_group = means.empty() ? 1 : channels / (means.size() / inputs);
  const auto values = weight.values<float>();
  std::vector<float> shifts, errors(inputs * taps);
  for (std::size_t c = 0; c < channels; ++c) {
    const float scale = scales[c], of_step = 1.0F / scale;
    float* channel = values.data() + c * errors.size();
    for (std::size_t k = 0; k < errors.size(); ++k) {
      const float step = (channel[k] * of_step + kRounder) - kRounder;
      errors[k] = step * scale - channel[k];
      channel[k] = step;
    }
    double shift = 0;
    for (std::size_t i = 0; i < inputs && !means.empty(); ++i) {
      float error = 0;
      for (std::size_t t = 0; t < taps; ++t) error += errors[i * taps + t];
      shift += static_cast<double>(error) * means[c / of_group * inputs + i];
    }
    if (!means.empty()) shifts.push_back(static_cast<float>(shift));
  }
  return shifts;
}

}  // namespace actio::runtime
